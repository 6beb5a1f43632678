package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"callboard/internal/compare"
	"callboard/internal/diag"
)

// A diffResult is what diff prints; its JSON is for programs. Names are only ever added, never changed.
type diffResult struct {
	Base        *diffSide      `json:"base,omitempty"` // nil: what was recorded
	Candidate   diffSide       `json:"candidate"`
	Callbacks   int            `json:"callbacks"`
	Different   int            `json:"different"`
	Uncertain   int            `json:"uncertain"`
	Because     map[string]int `json:"uncertain_because,omitempty"` // reason → callbacks
	Assumed     map[string]int `json:"assumed,omitempty"`           // sink → callbacks
	Guessed     int            `json:"assumed_callbacks"`
	Skipped     map[string]int `json:"skipped,omitempty"` // reason → callbacks
	Totals      map[string]int `json:"totals,omitempty"`  // kind → callbacks
	Differences []diffEntry    `json:"differences"`
	Notes       []string       `json:"notes,omitempty"`

	assume string
}

// A diffSide is one of the folders.
type diffSide struct {
	Dir      string `json:"dir"`
	Revision string `json:"revision"` // with placeholders, where references are not set here
	Rules    int    `json:"rules"`
}

// A diffEntry is a difference that callbacks have in common.
type diffEntry struct {
	Kind      string           `json:"kind"`
	Rule      string           `json:"rule,omitempty"`
	Sink      string           `json:"sink,omitempty"`
	Field     string           `json:"field,omitempty"`
	File      string           `json:"file,omitempty"` // where the rule stands, in the candidate if it has it
	Line      int              `json:"line,omitempty"`
	Callbacks int              `json:"callbacks"`
	Samples   []compare.Sample `json:"samples"`

	kind    compare.Kind
	removed bool // whether only the base has the rule
}

// kindTitles say for people what callbacks have in common.
var kindTitles = map[compare.Kind]string{
	compare.Refused:       "would newly be refused",
	compare.NotRefused:    "would no longer be refused",
	compare.CodeChanged:   "would be refused with another code or message",
	compare.FieldsChanged: "would be allowed with other reply fields",
	compare.Failed:        "would newly make a condition fail",
	compare.NotFailed:     "would no longer make a condition fail",
	compare.NotifiedMore:  "would newly be delivered to a sink",
	compare.NotifiedLess:  "would no longer be delivered to a sink",
	compare.KeyChanged:    "would be delivered in another order: with another key",
	compare.AskedMore:     "would newly have a sink asked",
	compare.AskedLess:     "would no longer have a sink asked",
	compare.MatchedMore:   "would newly be matched by a rule",
	compare.MatchedLess:   "would no longer be matched by a rule",
}

func (d *diffRun) result(r *compare.Report) diffResult {
	result := diffResult{
		Candidate: sideOf(d.cmd.Candidate, d.candidate), Callbacks: r.Callbacks, Different: r.Different,
		Uncertain: r.Doubted, Because: r.Uncertain, Assumed: r.Assumed, Guessed: r.Guessed, Skipped: r.Skipped,
		Totals: map[string]int{}, Differences: []diffEntry{}, assume: d.cmd.Assume,
	}
	for kind, n := range r.Totals {
		if n > 0 {
			result.Totals[compare.Kind(kind).String()] = n
		}
	}
	if d.base != nil {
		base := sideOf(d.cmd.Base, d.base)
		result.Base = &base
		if was, now := d.base.Set.Dedup, d.candidate.Set.Dedup; (was == nil) != (now == nil) || was != nil && (was.Key != now.Key || was.Window != now.Window) {
			result.Notes = append(result.Notes, "dedup differs; what it makes of repeats is not compared")
		}
	}
	for _, e := range r.Entries() {
		entry := diffEntry{Kind: e.Kind.String(), Rule: e.Rule, Sink: e.Sink, Field: e.Field, Callbacks: e.Callbacks, Samples: e.Samples, kind: e.Kind}
		if entry.Samples == nil {
			entry.Samples = []compare.Sample{}
		}
		rule := d.candidate.Rule(e.Rule)
		if rule == nil && d.base != nil {
			rule, entry.removed = d.base.Rule(e.Rule), true
		}
		if rule != nil {
			entry.File, entry.Line = rule.File, rule.Line
		}
		result.Differences = append(result.Differences, entry)
	}
	return result
}

func sideOf(dir string, s *compare.Side) diffSide {
	return diffSide{Dir: dir, Revision: s.Set.Revision, Rules: len(s.Set.Rules)}
}

// subject names what makes a difference: rule block-links (rules/a.yaml:3), sink archive.
func (e diffEntry) subject(code string) string {
	var parts []string
	if e.Rule != "" {
		text := "rule " + code + plain(e.Rule) + code
		if e.File != "" {
			text += fmt.Sprintf(" (%s:%d)", e.File, e.Line)
		}
		parts = append(parts, text)
	}
	if e.Sink != "" {
		parts = append(parts, "sink "+code+plain(e.Sink)+code)
	}
	if e.Field != "" {
		parts = append(parts, "field "+code+plain(e.Field)+code)
	}
	if len(parts) == 0 {
		return "no single rule"
	}
	return strings.Join(parts, ", ")
}

// headline is the result in one sentence.
func (r diffResult) headline() string {
	with := "what really happened"
	if r.Base != nil {
		with = r.Base.Dir
	}
	if r.Different == 0 {
		return fmt.Sprintf("%s with %s and with %s: no difference", plural(r.Callbacks, "callback"), r.Candidate.Dir, with)
	}
	return fmt.Sprintf("%d of %s would end differently with %s than with %s", r.Different, plural(r.Callbacks, "callback"), r.Candidate.Dir, with)
}

// caveats are what a reader must know before trusting the numbers.
func (r diffResult) caveats() []string {
	var lines []string
	if r.Callbacks == 0 {
		lines = append(lines, "nothing was compared")
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Because)) {
		lines = append(lines, fmt.Sprintf("uncertain: %s: %s", plural(r.Because[reason], "callback"), reason))
	}
	for _, sink := range slices.Sorted(maps.Keys(r.Assumed)) {
		lines = append(lines, fmt.Sprintf("assumed: sink %s says %s in %s (no vote of it was recorded)", sink, r.assume, plural(r.Assumed[sink], "callback")))
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
		lines = append(lines, fmt.Sprintf("not compared: %s %s", plural(r.Skipped[reason], "callback"), reason))
	}
	return append(lines, r.Notes...)
}

// writeText prints the result for people.
func (r diffResult) writeText(w io.Writer) error {
	fmt.Fprintln(w, r.headline())
	last := compare.Kind(255)
	for _, e := range r.Differences {
		if e.kind != last {
			last = e.kind
			fmt.Fprintf(w, "\n%s %s\n", plural(r.Totals[e.Kind], "callback"), kindTitles[e.kind])
		}
		fmt.Fprintf(w, "%8d  %s\n", e.Callbacks, e.subject(""))
		for _, s := range e.Samples {
			fmt.Fprintf(w, "          %s\n", sampleText(s))
		}
	}
	if caveats := r.caveats(); len(caveats) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(caveats, "\n"))
	}
	return nil
}

// sampleText is a callback on one line: its id, what it is, and what becomes of it.
func sampleText(s compare.Sample) string {
	text := plain(s.ID) + " " + s.Command
	if s.GroupID != "" {
		text += " in " + cut(s.GroupID, 60)
	}
	if s.SenderID != "" {
		text += " from " + cut(s.SenderID, 60)
	}
	if s.Was != "" || s.Now != "" {
		text += ": " + cut(s.Was, 120) + " → " + cut(s.Now, 120)
	}
	return text
}

// mostAnnotations is what GitHub shows of one step.
const mostAnnotations = 10

// diagnostics are the differences at the places of their rules. What counts for the exit code is an error.
func (r diffResult) diagnostics(c diffCmd) []diag.Diagnostic {
	ds := []diag.Diagnostic{{Severity: diag.Warning, ID: "diff", Message: strings.Join(append([]string{r.headline()}, r.caveats()...), "\n")}}
	for _, e := range r.Differences {
		d := diag.Diagnostic{
			Severity: diag.Warning, ID: "diff-" + strings.ReplaceAll(e.Kind, "_", "-"), File: e.File, Line: e.Line, Col: 1, EndCol: 2,
			Message: fmt.Sprintf("%s %s: %s", plural(e.Callbacks, "callback"), kindTitles[e.kind], e.subject("")),
		}
		if e.removed { // its file is not part of the change
			d.File = ""
		}
		if d.File == "" {
			d.Line = 0
		}
		if !c.ExitZero && (len(c.FailOn) == 0 || slices.Contains(c.FailOn, e.Kind)) {
			d.Severity = diag.Error
		}
		for _, s := range e.Samples {
			d.Message += "\n" + sampleText(s)
		}
		ds = append(ds, d)
	}
	slices.SortStableFunc(ds, func(a, b diag.Diagnostic) int { return int(a.Severity) - int(b.Severity) })
	if len(ds) > mostAnnotations { // the rest is in the other formats
		ds = ds[:mostAnnotations]
	}
	return ds
}

// writeMarkdown prints the result for a comment on a change.
func (r diffResult) writeMarkdown(w io.Writer) error {
	fmt.Fprintf(w, "### %s\n", r.headline())
	if len(r.Differences) > 0 {
		fmt.Fprint(w, "\n| callbacks | what | by | for example |\n|---:|---|---|---|\n")
	}
	for _, e := range r.Differences {
		var samples []string
		for _, s := range e.Samples {
			samples = append(samples, "`"+inCell(strings.ReplaceAll(sampleText(s), "`", "'"))+"`")
		}
		fmt.Fprintf(w, "| %d | %s | %s | %s |\n", e.Callbacks, kindTitles[e.kind], inCell(e.subject("`")), strings.Join(samples, "<br>"))
	}
	if caveats := r.caveats(); len(caveats) > 0 {
		fmt.Fprintf(w, "\n- %s\n", strings.Join(caveats, "\n- "))
	}
	return nil
}

// inCell keeps a text within its cell and its code span.
func inCell(s string) string { return cells.Replace(s) }

var cells = strings.NewReplacer("|", `\|`, "\n", " ")
