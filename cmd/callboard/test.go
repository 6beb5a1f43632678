package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"callboard/internal/diag"
	"callboard/internal/journal"
	"callboard/internal/ruletest"
	"callboard/internal/table"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// A testCmd runs routing tests.
type testCmd struct {
	Dirs   []string `arg:"" optional:"" name:"dir" completion:"file" help:"Rules folders with tests (*_test.yaml) in them; each is a table of its own. Default: rules."`
	Only   string   `name:"run" placeholder:"REGEXP" help:"Run only the tests whose name the expression matches."`
	Format string   `default:"text" enum:"text,junit,json,github" help:"How to print."`

	Coverage    bool    `help:"Tell what of the rules the tests have not seen: rules that never match, parts of conditions that are never true or never false."`
	MinCoverage float64 `placeholder:"PERCENT" help:"Fail below this coverage. Implies --coverage."`

	Mutate    bool    `help:"Change one rule at a time in a small way, and tell which changes no test notices."`
	MutateMax int     `default:"10000" placeholder:"N" help:"Try so many changes at most, spread over all rules; 0 for all."`
	MinKilled float64 `placeholder:"PERCENT" help:"Fail when fewer of the changes are noticed. Implies --mutate."`

	Record string `placeholder:"FILE" completion:"file" help:"Run nothing: print tests of the recorded callbacks in a file, as callbacks export writes them. Each is to end as it did. The file must stand beside the tests."`

	OpenIM       string        `name:"openim" default:"v3.7" enum:"v2,v3.0,v3.5,v3.7" env:"CALLBOARD_OPENIM" help:"The IMServer that replies are written for; v3.7 stands for everything later too."`
	AnswerWithin time.Duration `default:"4s" env:"CALLBOARD_ANSWER_WITHIN" help:"The budget of a callback, as serve gets it."`
}

// Help shows an example.
func (testCmd) Help() string {
	return `Plays the callbacks of the tests through the rules, with sinks that answer as the tests say, in counted time: nobody is asked,
and a deadline of seconds takes none. Exits 1 when a test fails, or when coverage or noticed changes are below what is wanted.
References to variables and files that are not set here are replaced by placeholders.

Example:

	$ callboard test examples/quickstart
	$ callboard test --coverage --min-coverage 80 rules
	$ callboard test --mutate rules
	$ callboard test --format junit rules > report.xml    # in CI
	$ callboard callbacks export --verdict refuse --since 2h > rules/refused.jsonl
	$ callboard test --record rules/refused.jsonl > rules/refused_test.yaml
`
}

// Validate finds flags that cannot be meant.
func (c testCmd) Validate() error {
	switch {
	case c.MinCoverage < 0 || c.MinCoverage > 100:
		return fmt.Errorf("--min-coverage is a percentage, from 0 to 100")
	case c.MinKilled < 0 || c.MinKilled > 100:
		return fmt.Errorf("--min-killed is a percentage, from 0 to 100")
	case c.MutateMax < 0:
		return fmt.Errorf("--mutate-max cannot be negative")
	case c.Record == "-":
		return fmt.Errorf("--record takes a file that stands beside the tests, not standard input")
	case c.AnswerWithin <= 0:
		return fmt.Errorf("--answer-within must be more than 0")
	}
	return nil
}

// Run runs the tests of each folder and prints what came of them.
func (c testCmd) Run(a *app) error {
	if c.Record != "" {
		return c.record(a)
	}
	only, err := regexp.Compile(c.Only)
	if err != nil {
		return usageError("", "reading --run: %w", err)
	}
	if len(c.Dirs) == 0 {
		c.Dirs = []string{"rules"}
	}
	c.Coverage = c.Coverage || c.MinCoverage > 0
	c.Mutate = c.Mutate || c.MinKilled > 0
	run := testRun{testCmd: c, app: a, only: only, begun: time.Now()}
	for _, dir := range c.Dirs {
		if err := run.folder(dir); err != nil {
			return err
		}
	}
	return run.print()
}

// record prints tests of recorded callbacks.
func (c testCmd) record(a *app) error {
	var callbacks []*journal.Callback
	for in, err := range a.inputs(c.Record) {
		if err != nil {
			return err
		}
		if in.recorded == nil {
			return hinted(fmt.Errorf("%s holds no recorded callbacks", c.Record), "callboard callbacks export writes them")
		}
		callbacks = append(callbacks, in.recorded)
	}
	return ruletest.WriteRecorded(a.stdout, filepath.Base(c.Record), callbacks)
}

// A testRun is what all folders have come to.
type testRun struct {
	testCmd
	*app
	only  *regexp.Regexp
	begun time.Time

	results   []ruletest.Result
	files     int
	coverage  []ruletest.RuleCoverage
	mutations *ruletest.MutationReport
	survivors strings.Builder // for people
	warnings  []diag.Diagnostic
	report    ruletest.Report
}

// A testFolder is a table with its tests.
type testFolder struct {
	files   []rules.File
	options rules.Options
	suite   *ruletest.Suite
}

func (r *testRun) folder(dir string) error {
	f, err := r.load(dir)
	if err != nil {
		return err
	}
	f.suite.Only(r.only)
	var coverage *ruletest.Coverage
	if r.Coverage {
		coverage = ruletest.NewCoverage()
	}
	results := f.suite.Run(coverage)
	r.results = append(r.results, results...)
	places := rules.NewPlaces(f.files, f.options)
	var seen []ruletest.RuleCoverage
	if r.Coverage {
		seen = coverage.Report(f.suite.Set)
		r.coverage = append(r.coverage, seen...)
		r.warnings = append(r.warnings, ruletest.Uncovered(seen, places)...)
	}
	var mutations *ruletest.MutationReport
	if r.Mutate && ruletest.Failed(results) == 0 {
		mutations = f.suite.Mutate(r.MutateMax)
		if r.Format == "github" {
			r.warnings = append(r.warnings, ruletest.Unnoticed(mutations, places)...)
		}
		if err := mutations.WriteSurvivors(&r.survivors, places); err != nil {
			return err
		}
		r.mutations = r.mutations.Plus(mutations)
	}
	r.report.Add(results, seen, mutations)
	return nil
}

// load loads rules and tests, with placeholders for what cannot be resolved here.
func (r *testRun) load(dir string) (*testFolder, error) {
	version, err := openim.ParseVersion(r.OpenIM)
	if err != nil {
		return nil, usageError("", "reading --openim: %w", err)
	}
	files, err := table.ReadDir(dir)
	if err != nil {
		return nil, hinted(err, "name the folder that holds the rules files (*.yaml)")
	}
	testFiles, err := table.ReadTests(dir)
	if err != nil {
		return nil, err
	}
	if len(testFiles) == 0 {
		return nil, hinted(fmt.Errorf("there are no tests (*_test.yaml) in %s", dir), "docs/testing.md tells how to write them")
	}
	r.files += len(testFiles)
	f := &testFolder{files: files}
	unset := newPlaceholders(files, r.lookupEnv, os.ReadFile)
	f.options = rules.Options{LookupEnv: unset.lookupEnv, ReadFile: unset.readFile, AnswerWithin: r.AnswerWithin}
	set, ds := rules.Load(files, f.options)
	if set == nil {
		return nil, r.wrong(ds, fmt.Errorf("the rules in %s have errors", dir), "callboard check "+dir+" reports the same")
	}
	tests, ds := rules.ReadTests(testFiles, set)
	if diag.HasErrors(ds) {
		return nil, r.wrong(ds, fmt.Errorf("the tests in %s have errors", dir), "")
	}
	if f.suite, ds = ruletest.New(set, tests, router.Options{Version: version, AnswerWithin: r.AnswerWithin}, os.ReadFile); f.suite == nil {
		return nil, r.wrong(ds, fmt.Errorf("the tests in %s have errors", dir), "")
	}
	return f, nil
}

// wrong prints what is wrong with files and returns the error that ends the command.
func (r *testRun) wrong(ds []diag.Diagnostic, err error, hint string) error {
	if r.Format == "github" {
		if err := diag.WriteGitHub(r.stdout, ds); err != nil {
			return err
		}
	}
	if err := diag.WriteText(r.stderr, ds); err != nil {
		return err
	}
	return &failure{code: exitFindings, err: err, hint: hint}
}

// print prints everything and says how it ended.
func (r *testRun) print() error {
	failed := ruletest.Failed(r.results)
	var err error
	switch r.Format {
	case "junit":
		err = ruletest.WriteJUnit(r.stdout, r.results)
	case "json":
		err = r.report.WriteJSON(r.stdout)
	case "github":
		err = diag.WriteGitHub(r.stdout, append(ruletest.Diagnostics(r.results), r.warnings...))
	default:
		err = r.printText(failed)
	}
	if err != nil {
		return err
	}
	if len(r.results) == 0 {
		return usageError("", "no test has a name that --run %s matches", r.Only)
	}
	low := r.MinCoverage > 0 && ruletest.Percent(r.coverage) < r.MinCoverage || r.MinKilled > 0 && r.mutations != nil && r.mutations.Percent() < r.MinKilled
	if failed > 0 || low {
		return errFindings
	}
	return nil
}

func (r *testRun) printText(failed int) error {
	if err := ruletest.WriteText(r.stdout, r.results); err != nil {
		return err
	}
	if err := diag.WriteText(r.stdout, r.warnings); err != nil {
		return err
	}
	if len(r.warnings) > 0 {
		fmt.Fprintln(r.stdout)
		if err := ruletest.WriteCoverage(r.stdout, r.coverage); err != nil {
			return err
		}
		fmt.Fprintln(r.stdout)
	}
	fmt.Fprint(r.stdout, r.survivors.String())
	outcome := "all passed"
	if failed > 0 {
		outcome = fmt.Sprintf("%d failed", failed)
	}
	fmt.Fprintf(r.stdout, "%s in %s, %s, in %v\n", plural(len(r.results), "test"), plural(r.files, "file"), outcome, time.Since(r.begun).Round(time.Millisecond))
	if r.Coverage {
		fmt.Fprintf(r.stdout, "coverage %.1f %%%s\n", ruletest.Percent(r.coverage), below(ruletest.Percent(r.coverage), r.MinCoverage))
	}
	if m := r.mutations; m != nil {
		fmt.Fprintf(r.stdout, "%d of %s noticed, %.1f %%%s\n", m.Killed, plural(m.Tried, "change"), m.Percent(), below(m.Percent(), r.MinKilled))
		if m.LeftOut > 0 {
			fmt.Fprintf(r.stdout, "%s not tried: --mutate-max says how many are\n", plural(m.LeftOut, "more change"))
		}
	}
	if r.Mutate && r.mutations == nil {
		fmt.Fprintln(r.stdout, "no changes tried: the tests must pass first")
	}
	return nil
}

func below(percent, least float64) string {
	if percent < least {
		return fmt.Sprintf(", below the %g %% wanted", least)
	}
	return ""
}
