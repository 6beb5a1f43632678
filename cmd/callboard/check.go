package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"callboard/internal/diag"
	"callboard/internal/ruletest"
	"callboard/internal/table"
	"callboard/router"
	"callboard/rules"
)

// A checkCmd checks rules folders.
type checkCmd struct {
	Dirs         []string      `arg:"" optional:"" name:"dir" completion:"file" help:"Rules folders or single rules files; each is checked as a table of its own. Default: rules."`
	Format       string        `default:"text" enum:"text,json,github" help:"How to print findings."`
	AnswerWithin time.Duration `default:"4s" env:"CALLBOARD_ANSWER_WITHIN" help:"The budget of a callback, as serve gets it; deadlines beyond it are findings."`
	Strict       bool          `help:"Exit 1 for warnings, too."`
	Now          time.Time     `placeholder:"TIME" help:"When rules expire, as in 2026-01-31T18:30:00Z. Default: the current time."`
	Callbacks    string        `completion:"file" placeholder:"FILE" help:"Recorded callbacks as callbacks export writes them, or - for standard input: tells how many each rule matches, and which other rule catches the same."`
	AllowUnset   bool          `help:"Accept references $${env:…} and $${file:…} that cannot be resolved here, with a warning each, and leave TLS files alone: for checks on a machine that has no secrets."`
	Index        bool          `help:"Also print by what each rule is found, or why it is evaluated for every callback of its commands."`
}

// Help shows an example.
func (checkCmd) Help() string {
	return `Prints every finding at its place and exits 1 when one of them is an error. Warnings alone exit 0, or 1 with --strict. Give
rules folders, not the single files of one folder: sinks and rules of different files belong together. Tests (*_test.yaml) in them are
checked too; callboard test runs them. The manual's page on findings tells of each id in brackets. A comment silences a warning at its
place: # callboard:ignore ID reason

Example:

	$ callboard check rules
	$ callboard check --allow-unset --format github rules    # in CI, without production's secrets
	$ callboard callbacks export --since 24h | callboard check --callbacks - rules
	$ callboard check --index rules
`
}

// Run checks each folder and prints all findings.
func (c checkCmd) Run(a *app) error {
	if len(c.Dirs) == 0 {
		c.Dirs = []string{"rules"}
	}
	if c.AnswerWithin <= 0 {
		return usageError("", "--answer-within must be more than 0")
	}
	if c.Callbacks != "" && (len(c.Dirs) > 1 || c.Format == "github") {
		return usageError("", "--callbacks goes with one folder, and with --format text or json")
	}
	if c.Index && c.Format == "github" {
		return usageError("", "--index goes with --format text or json")
	}
	var found []diag.Diagnostic
	var total counts
	var more checkMore
	for _, dir := range c.Dirs {
		set, ds, err := c.check(a, dir)
		if err != nil {
			return hinted(err, "name the folder that holds the rules files (*.yaml)")
		}
		found = append(found, ds...)
		tests, ds, err := checkTests(dir, set)
		if err != nil {
			return err
		}
		found = append(found, ds...)
		total.tests += tests
		if set != nil {
			total.rules += len(set.Rules)
			total.sinks += len(set.Sinks)
			if c.Index {
				more.Index = more.Index.with(set)
			}
		}
		if set != nil && c.Callbacks != "" {
			if more.Callbacks, err = c.countMatches(a, set); err != nil {
				return err
			}
		}
	}
	if err := c.print(a, found, total, more); err != nil {
		return err
	}
	if diag.HasErrors(found) || c.Strict && len(found) > 0 {
		return errFindings
	}
	return nil
}

// check checks one folder. The Set is nil when a finding is an error; the error says that the folder
// could not be read.
func (c checkCmd) check(a *app, dir string) (*rules.Set, []diag.Diagnostic, error) {
	if c.AllowUnset {
		return c.checkUnset(a, dir)
	}
	var set *rules.Set
	keeper := table.New(table.Options{ // what serve does, so that what passes here is taken there
		Dir:     dir,
		Rules:   c.options(a.lookupEnv, nil),
		Publish: func(t *router.Table) { set = t.Rules },
	})
	ds, err := keeper.Load()
	if diag.HasErrors(ds) {
		err = nil // the diagnostics say more
	}
	return set, ds, err
}

// checkUnset checks one folder with placeholders for what cannot be resolved. No sink is made: the
// files of its TLS settings may be missing here too.
func (c checkCmd) checkUnset(a *app, dir string) (*rules.Set, []diag.Diagnostic, error) {
	files, err := table.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	unset := newPlaceholders(files, a.lookupEnv, os.ReadFile)
	set, ds := rules.Load(files, c.options(unset.lookupEnv, unset.readFile))
	return set, append(ds, unset.warnings()...), nil
}

// options are those of serve, with the analysis that only a check makes.
func (c checkCmd) options(lookupEnv func(string) (string, bool), readFile func(string) ([]byte, error)) rules.Options {
	return rules.Options{LookupEnv: lookupEnv, ReadFile: readFile, AnswerWithin: c.AnswerWithin, Now: c.Now, Analyse: true}
}

// checkTests checks the tests beside the rules, and counts them. Against rules with errors (a nil set) names are not checked.
func checkTests(dir string, set *rules.Set) (int, []diag.Diagnostic, error) {
	files, err := table.ReadTests(dir)
	if err != nil {
		return 0, nil, err
	}
	tests, ds := rules.ReadTests(files, set)
	if set == nil || diag.HasErrors(ds) {
		return len(tests), ds, nil
	}
	_, unplayable := ruletest.New(set, tests, router.Options{}, os.ReadFile)
	return len(tests), append(ds, unplayable...), nil
}

// counts is what was checked.
type counts struct{ rules, sinks, tests int }

// print prints the findings and what was matched, and for people a summary of one line.
func (c checkCmd) print(a *app, found []diag.Diagnostic, total counts, more checkMore) error {
	switch c.Format {
	case "json":
		return writeJSON(a.stdout, checkReport{diag.NewReport(found), more})
	case "github":
		return diag.WriteGitHub(a.stdout, found)
	}
	if err := diag.WriteText(a.stdout, found); err != nil {
		return err
	}
	if len(found) > 0 {
		fmt.Fprintln(a.stdout)
	}
	for _, report := range more.reports() {
		if err := report.writeText(a.stdout); err != nil {
			return err
		}
		fmt.Fprintln(a.stdout)
	}
	fmt.Fprintln(a.stdout, summary(found, total))
	return nil
}

// A checkReport is what check finds, for programs.
type checkReport struct {
	diag.Report
	checkMore
}

// checkMore is what check tells beside findings where it is asked to.
type checkMore struct {
	Index     *indexReport `json:"index,omitempty"`
	Callbacks *matchReport `json:"callbacks,omitempty"`
}

func (m checkMore) reports() []interface{ writeText(io.Writer) error } {
	var all []interface{ writeText(io.Writer) error }
	if m.Index != nil {
		all = append(all, m.Index)
	}
	if m.Callbacks != nil {
		all = append(all, m.Callbacks)
	}
	return all
}

// summary says how a check ended. Rules and sinks cannot be counted while there are errors.
func summary(found []diag.Diagnostic, total counts) string {
	errors, warnings := diag.Count(found)
	switch {
	case errors > 0 && warnings > 0:
		return plural(errors, "error") + ", " + plural(warnings, "warning")
	case errors > 0:
		return plural(errors, "error")
	}
	checked := plural(total.rules, "rule") + ", " + plural(total.sinks, "sink") + ", "
	if total.tests > 0 {
		checked += plural(total.tests, "test") + ", "
	}
	if warnings > 0 {
		return checked + plural(warnings, "warning")
	}
	return checked + "no findings"
}

// plural counts things in words: 1 rule, 2 rules.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
