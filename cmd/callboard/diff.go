package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"callboard/internal/compare"
	"callboard/internal/diag"
	"callboard/internal/table"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// A diffCmd tells how recorded callbacks would end with other rules.
type diffCmd struct {
	Base      string `completion:"file" placeholder:"DIR" help:"Rules folder to compare with. Default: what really happened, as the callbacks were recorded."`
	Candidate string `default:"rules" completion:"file" placeholder:"DIR" help:"Rules folder that is to take its place."`
	Callbacks string `completion:"file" placeholder:"FILE" help:"Recorded callbacks as callbacks export writes them; - for standard input. Without it, those that a gateway's journal has."`
	callbackFlags
	sinkFlag
	windowFlags
	adminFlags

	Assume   string   `default:"allow" enum:"allow,refuse,abstain,failed" help:"What sinks answer of which no vote was recorded."`
	Samples  int      `default:"3" placeholder:"N" help:"Name so many callbacks for each difference."`
	FailOn   []string `enum:"refused,not_refused,code_changed,fields_changed,failed,not_failed,notified,not_notified,key_changed,asked,not_asked,matched,not_matched,uncertain" placeholder:"KIND" help:"Exit 1 only for this kind of difference, as --format json names it, or for uncertain; repeatable. Default: for each difference."`
	ExitZero bool     `help:"Exit 0 also when callbacks would end differently."`

	OpenIM       string        `name:"openim" default:"v3.7" enum:"v2,v3.0,v3.5,v3.7" env:"CALLBOARD_OPENIM" help:"The IMServer that replies are written for; v3.7 stands for everything later too."`
	AnswerWithin time.Duration `default:"4s" env:"CALLBOARD_ANSWER_WITHIN" help:"The budget of a callback, as serve gets it."`
	Format       string        `default:"text" enum:"text,json,github,markdown" help:"How to print: for people, for programs, as annotations of GitHub Actions, or for a comment on a change."`
}

// Help shows an example.
func (diffCmd) Help() string {
	return `Recorded callbacks go through both folders at the time when they came, and what would be refused, notified, asked and
matched is compared. Nobody is asked: sinks vote as they did then. What is not known is told: sinks without a recorded vote, and rules
that read request headers, which the journal does not keep. References to variables and files that are not set here are replaced by
placeholders.

Example:

	$ callboard diff --base rules --candidate rules.new --since 24h
	$ callboard callbacks export --since 24h > yesterday.jsonl
	$ callboard diff --base rules --candidate rules.new --callbacks yesterday.jsonl --fail-on refused,not_notified
`
}

// Validate checks what the types of the flags do not.
func (c diffCmd) Validate() error {
	filtered := c.callbackFlags != (callbackFlags{}) || c.sinkFlag != (sinkFlag{}) || c.windowFlags != (windowFlags{})
	switch {
	case c.Callbacks != "" && filtered:
		return errors.New("--callbacks compares the whole file, so it goes with no flag that chooses callbacks: callbacks export takes the same ones")
	case c.Callbacks == "" && c.Since.IsZero():
		return errors.New("give --callbacks FILE, or --since (as in --since 24h) for those that the gateway has recorded")
	case c.Samples < 0 || c.AnswerWithin <= 0:
		return errors.New("--samples must be at least 0, --answer-within more")
	}
	return nil
}

// Run compares, prints, and exits with 1 when there are differences that count.
func (c diffCmd) Run(a *app) error {
	d := &diffRun{app: a, cmd: c, begun: time.Now()}
	version, err := openim.ParseVersion(c.OpenIM)
	if err != nil {
		return usageError("", "reading --openim: %w", err)
	}
	o := router.Options{Version: version, AnswerWithin: c.AnswerWithin}
	if d.candidate, err = loadSide(a, c.Candidate, o); err != nil {
		return err
	}
	if c.Base != "" {
		if d.base, err = loadSide(a, c.Base, o); err != nil {
			return err
		}
	}
	if d.assumed, err = parseVote(c.Assume); err != nil {
		return usageError("", "reading --assume: %w", err)
	}
	report, err := d.compare()
	if err != nil {
		return err
	}
	if err := c.print(a, d.result(report)); err != nil {
		return err
	}
	if !c.ExitZero && c.fails(report) {
		return errFindings
	}
	return nil
}

// fails reports whether the report has what --fail-on names.
func (c diffCmd) fails(r *compare.Report) bool {
	if len(c.FailOn) == 0 {
		return r.Different > 0
	}
	return slices.ContainsFunc(c.FailOn, func(name string) bool {
		kind, ok := compare.ParseKind(name)
		return ok && r.Totals[kind] > 0 || name == "uncertain" && r.Doubted > 0
	})
}

func (c diffCmd) print(a *app, r diffResult) error {
	switch c.Format {
	case "json":
		return writeJSON(a.stdout, r)
	case "github":
		return diag.WriteGitHub(a.stdout, r.diagnostics(c))
	case "markdown":
		return r.writeMarkdown(a.stdout)
	}
	return r.writeText(a.stdout)
}

// loadSide loads a rules folder with placeholders for what cannot be resolved here.
func loadSide(a *app, dir string, o router.Options) (*compare.Side, error) {
	files, err := table.ReadDir(dir)
	if err != nil {
		return nil, hinted(err, "--base and --candidate name rules folders")
	}
	unset := newPlaceholders(files, a.lookupEnv, os.ReadFile)
	set, ds := rules.Load(files, rules.Options{LookupEnv: unset.lookupEnv, ReadFile: unset.readFile, AnswerWithin: o.AnswerWithin})
	if set == nil {
		if err := diag.WriteText(a.stderr, ds); err != nil {
			return nil, err
		}
		return nil, &failure{code: exitFailed, err: fmt.Errorf("the rules in %s have errors", dir), hint: "callboard check " + dir + " reports the same"}
	}
	for _, reference := range unset.replaced {
		fmt.Fprintf(a.stderr, "note: %s: %s is not set here, a placeholder stands for it\n", dir, reference)
	}
	return compare.NewSide(set, o), nil
}

// exported opens the export of the gateway's journal that the flags choose.
func (c diffCmd) exported(a *app) (*recordedLines, error) {
	filter := callbackFilter(c.callbackFlags, c.sinkFlag, c.windowFlags)
	body, err := c.open(a.ctx, http.MethodGet, withQuery("/api/callbacks/export", queryOf(filter)), "", nil)
	if err != nil {
		return nil, err
	}
	return &recordedLines{body, "the gateway's journal"}, nil
}
