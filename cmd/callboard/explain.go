package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"callboard/internal/diag"
	"callboard/internal/explain"
	"callboard/internal/table"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// An explainCmd tells what the rules make of one callback.
type explainCmd struct {
	Callback string `arg:"" optional:"" completion:"file" help:"File with the callback's body, or with recorded callbacks as callbacks export writes them; - for standard input. Without one, a sample of --command, or what --id names."`
	Rules    string `placeholder:"DIR" completion:"file" help:"Rules folder, or one rules file. Default: $CALLBOARD_RULES or rules; with --id or --live, what the gateway serves."`
	ID       string `placeholder:"ID" help:"A callback that the gateway has recorded."`
	Live     bool   `help:"Explain by the rules that the gateway serves."`

	Command string   `completion:"command" short:"c" placeholder:"NAME" help:"The command, of the sample or where the body does not name it."`
	Set     []string `sep:"none" short:"s" placeholder:"FIELD=VALUE" help:"Put a value into a field of the sample, as send does; repeatable."`
	Source  string   `placeholder:"PATH" help:"The part of the request's path before the command."`
	Query   string   `placeholder:"QUERY" help:"The request's query, without the question mark."`
	Header  []string `sep:"none" short:"H" placeholder:"NAME:VALUE" help:"A header of the request; repeatable. Of a recorded callback, headers are not known unless given."`

	Now    time.Time `placeholder:"TIME" help:"What conditions read as now, as in 2026-01-31T18:30:00Z. Default: when it was recorded, else the current time."`
	Vote   []string  `sep:"none" placeholder:"SINK=VOTE" help:"What a sink votes: allow, refuse, refuse:CODE, refuse:CODE:MESSAGE, abstain or failed; repeatable. Sinks without one vote as recorded, else allow."`
	Answer []string  `sep:"none" placeholder:"SINK=JSON" help:"What a sink answers, word for word, read as the gateway reads it; repeatable."`

	Near int    `default:"5" placeholder:"N" help:"Show the conditions of so many rules that do not match, the nearest first."`
	All  bool   `help:"Show the conditions of all rules for the callback."`
	Rule string `placeholder:"NAME" help:"Show the condition of this rule in any case."`

	OpenIM       string        `name:"openim" default:"v3.7" enum:"v2,v3.0,v3.5,v3.7" env:"CALLBOARD_OPENIM" help:"The IMServer that the reply is written for; v3.7 stands for everything later too."`
	AnswerWithin time.Duration `default:"4s" env:"CALLBOARD_ANSWER_WITHIN" help:"The budget of a callback, as serve gets it."`
	Format       string        `default:"text" enum:"text,json" help:"How to print."`
	adminFlags
}

// Help shows an example.
func (explainCmd) Help() string {
	return `Prints for each rule that matches the value of each part of its condition; of the others, the nearest first, what was missing;
then who would be asked, what each policy would do with the votes, who would be notified, and what would leave if all allowed, or
voted as told or recorded. No sink is asked. References to variables and files that are not set here are replaced by placeholders.

What nothing is known of (the headers of a recorded callback) is unknown, and a rule that depends on it may match.

Example:

	$ callboard explain --rules examples/quickstart --command beforeSendGroupMsg --set groupID=support-7
	$ callboard explain --rules examples/quickstart --vote moderation=refuse:20401:"not here" cb.json
	$ callboard explain --id 01kgrv5q8w2m4x6z8a0c2e4g6j
	$ callboard callbacks export --verdict refuse --since 2h | callboard explain --rules rules.new -
`
}

// Validate finds flags that do not go together.
func (c explainCmd) Validate() error {
	switch {
	case c.ID != "" && c.Callback != "":
		return errors.New("--id and a file are two callbacks")
	case c.Callback != "" && len(c.Set) > 0:
		return errors.New("--set is for samples, and there is a file")
	case c.ID != "" && (len(c.Set) > 0 || c.Command != ""):
		return errors.New("--command and --set are for samples, and --id names a recorded callback")
	case c.Live && c.Rules != "":
		return errors.New("--live explains by the rules that the gateway serves: leave out --rules")
	case c.Near < 0:
		return errors.New("--near must be at least 0; --all shows all")
	}
	return nil
}

// Run explains.
func (c explainCmd) Run(a *app) error {
	by, err := c.explainer(a)
	if err != nil {
		return err
	}
	votes, err := c.votes()
	if err != nil {
		return err
	}
	first := true
	for in, err := range c.inputs(a) {
		if err != nil {
			return err
		}
		request, err := c.request(in, votes)
		if err != nil {
			return err
		}
		report, err := by(request, in)
		if err != nil {
			return err
		}
		if c.Format == "json" {
			if err := writeJSON(a.stdout, report); err != nil {
				return err
			}
			continue
		}
		if !first {
			fmt.Fprintln(a.stdout)
		}
		first = false
		var text strings.Builder
		report.WriteText(&text)
		fmt.Fprint(a.stdout, strings.Map(tame, text.String())) // senders choose some of it
	}
	return nil
}

// explainer returns what explains: the gateway, by the rules that it serves, or the rules of a folder.
func (c explainCmd) explainer(a *app) (func(explain.Request, input) (*explain.Report, error), error) {
	if c.Live || c.ID != "" && c.Rules == "" {
		return func(request explain.Request, in input) (*explain.Report, error) {
			if in.recorded != nil && c.ID == "" {
				return nil, usageError("--id explains what the gateway has recorded", "--live takes a callback's body or a sample, not an export")
			}
			var report explain.Report
			return &report, c.post(a.ctx, "/api/explain", request, &report)
		}, nil
	}
	version, err := openim.ParseVersion(c.OpenIM)
	if err != nil {
		return nil, usageError("", "reading --openim: %w", err)
	}
	if c.Rules == "" {
		c.Rules, _ = a.lookupEnv("CALLBOARD_RULES")
	}
	if c.Rules == "" {
		c.Rules = "rules"
	}
	set, err := c.load(a)
	if err != nil {
		return nil, err
	}
	local := explain.New(c.Rules, set, router.Options{Version: version, AnswerWithin: c.AnswerWithin})
	return func(request explain.Request, in input) (*explain.Report, error) {
		report, err := local.Run(request, in.recorded)
		return report, c.mistake(err, in)
	}, nil
}

// mistake turns a mistake in a request into one on the command line, or in the input.
func (c explainCmd) mistake(err error, in input) error {
	m, ok := errors.AsType[*explain.Mistake](err)
	if !ok {
		return err
	}
	if m.Where == "body" {
		return hinted(fmt.Errorf("reading %s: %w", in.place, err), m.Hint)
	}
	return usageError(m.Hint, "%w", err)
}

// request says what to explain: what the flags say, and the body where it is not recorded.
func (c explainCmd) request(in input, votes map[string]explain.Vote) (explain.Request, error) {
	r := explain.Request{ID: c.ID, Command: c.Command, Source: c.Source, Query: c.Query, Now: c.Now, Votes: votes, Nearest: &c.Near, Rule: c.Rule}
	if c.All {
		all := -1
		r.Nearest = &all
	}
	if in.recorded == nil {
		r.Body = in.body
	}
	if c.Command != "" {
		if _, err := lookupCommand(c.Command); err != nil {
			return r, err
		}
	}
	for _, h := range c.Header {
		name, value, err := parseHeader(h)
		if err != nil {
			return r, err
		}
		if r.Headers == nil {
			r.Headers = http.Header{}
		}
		r.Headers.Add(name, value)
	}
	return r, nil
}

// load loads the rules with placeholders for what cannot be resolved here.
func (c explainCmd) load(a *app) (*rules.Set, error) {
	files, err := table.ReadDir(c.Rules)
	if err != nil {
		return nil, hinted(err, "name the rules folder with --rules")
	}
	unset := newPlaceholders(files, a.lookupEnv, os.ReadFile)
	set, ds := rules.Load(files, rules.Options{LookupEnv: unset.lookupEnv, ReadFile: unset.readFile, AnswerWithin: c.AnswerWithin})
	if set == nil {
		if err := diag.WriteText(a.stderr, ds); err != nil {
			return nil, err
		}
		return nil, &failure{code: exitFindings, err: fmt.Errorf("the rules in %s have errors", c.Rules), hint: "callboard check " + c.Rules + " reports the same"}
	}
	for _, reference := range unset.replaced {
		fmt.Fprintf(a.stderr, "note: %s is not set here, a placeholder stands for it\n", reference)
	}
	return set, nil
}
