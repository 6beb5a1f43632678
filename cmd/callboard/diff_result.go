package main

import "callboard/internal/compare"

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
	Owner     string           `json:"owner,omitempty"` // the team that answers for the rule
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
			entry.File, entry.Line, entry.Owner = rule.File, rule.Line, rule.Owner
		}
		result.Differences = append(result.Differences, entry)
	}
	return result
}

func sideOf(dir string, s *compare.Side) diffSide {
	return diffSide{Dir: dir, Revision: s.Set.Revision, Rules: len(s.Set.Rules)}
}
