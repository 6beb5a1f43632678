package ruletest

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"callboard/internal/diag"
)

// Failed counts the results that failed.
func Failed(results []Result) int {
	n := 0
	for i := range results {
		if len(results[i].Failures) > 0 {
			n++
		}
	}
	return n
}

// Diagnostics are the failures as findings at the places of their tests.
func Diagnostics(results []Result) []diag.Diagnostic {
	var ds []diag.Diagnostic
	for i := range results {
		r := &results[i]
		if len(r.Failures) == 0 {
			continue
		}
		ds = append(ds, diag.Diagnostic{ID: idFailedTest, File: r.File, Line: r.Line, Col: 1, EndCol: 2, Message: r.Name + ": " + r.story("; ")})
	}
	return ds
}

func (r *Result) story(between string) string {
	var lines []string
	for i := range r.Failures {
		lines = append(lines, r.Failures[i].String())
	}
	return strings.Join(lines, between)
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`

	took time.Duration
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes all results as JUnit's XML, which CI servers read: a suite for each file.
func WriteJUnit(w io.Writer, results []Result) error {
	report := junitSuites{Tests: len(results), Failures: Failed(results)}
	var total time.Duration
	for i := range results {
		r := &results[i]
		if n := len(report.Suites); n == 0 || report.Suites[n-1].Name != r.File {
			report.Suites = append(report.Suites, junitSuite{Name: r.File})
		}
		suite := &report.Suites[len(report.Suites)-1]
		c := junitCase{Name: r.Name, Class: r.File, File: r.File, Line: r.Line, Time: seconds(r.Took)}
		if len(r.Failures) > 0 {
			var text strings.Builder
			r.writeText(&text)
			c.Failure = &junitFailure{Message: r.story("; "), Text: text.String()}
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
		suite.Tests++
		suite.took += r.Took
		suite.Time = seconds(suite.took)
		total += r.Took
	}
	report.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(report); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.6f", d.Seconds()) }

// A Report is the JSON rendering. Names are only ever added, never changed.
type Report struct {
	Tests     []TestReport     `json:"tests"`
	Failed    int              `json:"failed"`
	Coverage  *CoverageReport  `json:"coverage,omitempty"`
	Mutations *MutationsReport `json:"mutations,omitempty"`

	seen []RuleCoverage
}

// A TestReport is one case of a Report.
type TestReport struct {
	Name     string          `json:"name"`
	File     string          `json:"file"`
	Line     int             `json:"line"`
	Passed   bool            `json:"passed"`
	Failures []FailureReport `json:"failures,omitempty"`
	Verdict  string          `json:"verdict"`
	Code     int32           `json:"code,omitempty"`
	Why      string          `json:"why,omitempty"`
	Millis   float64         `json:"took_ms"` // of the callback, in counted time
}

// A FailureReport is one expectation that was not met.
type FailureReport struct {
	What string   `json:"what"`
	Want string   `json:"expected"`
	Got  string   `json:"got"`
	Why  []string `json:"why,omitempty"`
}

// A CoverageReport is what the cases have seen of the rules.
type CoverageReport struct {
	Percent float64              `json:"percent"`
	Rules   []RuleCoverageReport `json:"rules"`
}

// A RuleCoverageReport is one rule of it.
type RuleCoverageReport struct {
	Rule    string               `json:"rule"`
	File    string               `json:"file"`
	Line    int                  `json:"line"`
	Matched int                  `json:"matched"`
	Parts   []PartCoverageReport `json:"parts,omitempty"`
}

// A PartCoverageReport is one part of a condition.
type PartCoverageReport struct {
	Text  string `json:"text"`
	True  int    `json:"true"`
	False int    `json:"false"`
	Fail  int    `json:"failed,omitempty"`
}

// A MutationsReport is what came of changing the rules.
type MutationsReport struct {
	Percent   float64          `json:"percent"`
	Tried     int              `json:"tried"`
	Killed    int              `json:"killed"`
	LeftOut   int              `json:"left_out,omitempty"`
	Survivors []SurvivorReport `json:"survivors"`
}

// A SurvivorReport is a change that no case notices.
type SurvivorReport struct {
	Rule string `json:"rule"`
	File string `json:"file"`
	Line int    `json:"line"`
	What string `json:"what"`
	Was  string `json:"was"`
	Now  string `json:"now"`
}

// Add adds results, and what was looked at beside them: coverage and mutations may be nil.
func (r *Report) Add(results []Result, coverage []RuleCoverage, mutations *MutationReport) {
	r.Failed += Failed(results)
	for i := range results {
		r.Tests = append(r.Tests, results[i].report())
	}
	if coverage != nil {
		if r.Coverage == nil {
			r.Coverage = new(CoverageReport)
		}
		r.seen = append(r.seen, coverage...)
		r.Coverage.Percent = Percent(r.seen)
		for i := range coverage {
			r.Coverage.Rules = append(r.Coverage.Rules, coverage[i].report())
		}
	}
	if mutations != nil {
		if r.Mutations == nil {
			r.Mutations = &MutationsReport{Survivors: []SurvivorReport{}}
		}
		m := r.Mutations
		m.Tried, m.Killed, m.LeftOut = m.Tried+mutations.Tried, m.Killed+mutations.Killed, m.LeftOut+mutations.LeftOut
		m.Percent = (&MutationReport{Tried: m.Tried, Killed: m.Killed}).Percent()
		for _, s := range mutations.Survivors {
			m.Survivors = append(m.Survivors, SurvivorReport{s.Rule.Name, s.Rule.File, s.Rule.Line, s.What, s.Was, s.Now})
		}
	}
}

func (r *Result) report() TestReport {
	t := TestReport{Name: r.Name, File: r.File, Line: r.Line, Passed: len(r.Failures) == 0, Verdict: "allow",
		Code: r.Trace.Verdict.Code, Why: r.Trace.Why, Millis: float64(r.Trace.Duration.Microseconds()) / 1000}
	if r.Trace.Verdict.Refuse {
		t.Verdict = "refuse"
	}
	for _, f := range r.Failures {
		t.Failures = append(t.Failures, FailureReport{f.What, f.Want, f.Got, f.Why})
	}
	return t
}

func (r *RuleCoverage) report() RuleCoverageReport {
	c := RuleCoverageReport{Rule: r.Name, File: r.File, Line: r.Line, Matched: r.Matched}
	for _, p := range r.Parts {
		c.Parts = append(c.Parts, PartCoverageReport{p.Text, p.True, p.False, p.Fail})
	}
	return c
}

// WriteJSON writes the report as one object.
func (r *Report) WriteJSON(w io.Writer) error {
	if r.Tests == nil {
		r.Tests = []TestReport{}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
