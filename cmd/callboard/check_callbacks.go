package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// A matchReport tells which rules recorded callbacks would have matched.
type matchReport struct {
	Read      int          `json:"read"`      // callbacks with a body that could be read
	Unmatched int          `json:"unmatched"` // of them, those that no rule matched
	Rules     []*ruleCount `json:"rules"`     // in the order of matching
}

// A ruleCount tells what one rule makes of them.
type ruleCount struct {
	Name    string `json:"name"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Owner   string `json:"owner,omitempty"`
	For     int    `json:"for"` // callbacks of its commands
	Matched int    `json:"matched"`
	Errors  int    `json:"errors"`          // conditions that failed
	Error   string `json:"error,omitempty"` // the first of them
	Also    *also  `json:"also,omitempty"`  // the other rule that catches most of the same

	with map[*ruleCount]int // other rule → callbacks that both matched
}

// An also is another rule that matches the same callbacks.
type also struct {
	Rule    string `json:"rule"`
	Matched int    `json:"matched"` // of those that the rule matched
}

// mostTogether bounds the rules of one callback that are compared with each other.
const mostTogether = 100

// countMatches matches the recorded callbacks, each at its own time.
func (c checkCmd) countMatches(a *app, set *rules.Set) (*matchReport, error) {
	m := newMatchReport(set)
	counts := make(map[*rules.Rule]*ruleCount, len(set.Rules))
	for i, r := range set.Rules {
		counts[r] = m.Rules[i]
	}
	byCommand := map[string]int{} // command's name → callbacks
	for in, err := range a.inputs(c.Callbacks) {
		if err != nil {
			return nil, err
		}
		request, now := openim.Request{Body: in.body}, time.Now()
		if in.recorded != nil {
			request = router.RecordedRequest(in.recorded)
			if !in.recorded.At.IsZero() {
				now = in.recorded.At
			}
		}
		cb, err := openim.Decode(request)
		if err != nil {
			fmt.Fprintf(a.stderr, "note: %s: %v\n", in.place, err)
			continue
		}
		m.Read++
		byCommand[commandName(cb)]++
		m.add(set.Match(cb, now), counts)
	}
	for i, r := range set.Rules {
		m.Rules[i].finish(r, byCommand, m.Read)
	}
	return m, nil
}

func newMatchReport(set *rules.Set) *matchReport {
	m := &matchReport{Rules: make([]*ruleCount, 0, len(set.Rules))}
	for _, r := range set.Rules {
		m.Rules = append(m.Rules, &ruleCount{Name: r.Name, File: r.File, Line: r.Line, Owner: r.Owner, with: map[*ruleCount]int{}})
	}
	return m
}

// commandName is the wire name of today.
func commandName(cb *openim.Callback) string {
	if cb.Command != nil {
		return cb.Command.Name
	}
	return cb.Name
}

// add counts what one callback led to.
func (m *matchReport) add(plan rules.Plan, counts map[*rules.Rule]*ruleCount) {
	for _, e := range plan.Errors {
		n := counts[e.Rule]
		if n.Errors++; n.Errors == 1 {
			n.Error = e.Err.Error()
		}
	}
	if len(plan.Matched) == 0 {
		m.Unmatched++
	}
	for i, r := range plan.Matched {
		n := counts[r]
		n.Matched++
		for j, other := range plan.Matched {
			if i != j && i < mostTogether && j < mostTogether {
				n.with[counts[other]]++
			}
		}
	}
}

// finish works out what is known only at the end.
func (n *ruleCount) finish(r *rules.Rule, byCommand map[string]int, read int) {
	if len(r.Callbacks) == 0 && len(r.Unknown) == 0 {
		n.For = read
	}
	for _, c := range r.Callbacks {
		n.For += byCommand[c.Name]
	}
	for _, name := range r.Unknown {
		n.For += byCommand[name]
	}
	for other, matched := range n.with {
		if n.Also == nil || matched > n.Also.Matched || matched == n.Also.Matched && other.Name < n.Also.Rule {
			n.Also = &also{other.Name, matched}
		}
	}
}

// writeText prints a row for each rule, those that matched most first.
func (m *matchReport) writeText(w io.Writer) error {
	fmt.Fprintf(w, "%s recorded, %s matched by no rule\n\n", callbacksText(m.Read), thousands(m.Unmatched))
	table := newRowTable(w, "RULE\tMATCHED\tOF ITS CALLBACKS\tALSO CAUGHT BY\tERRORS", "there are no rules")
	ordered := slices.Clone(m.Rules)
	slices.SortStableFunc(ordered, func(a, b *ruleCount) int { return b.Matched - a.Matched })
	for _, n := range ordered {
		matched := thousands(n.Matched)
		if n.Matched == 0 {
			matched = "never"
		}
		caught, failed := "-", "-"
		if n.Also != nil {
			caught = fmt.Sprintf("%d %% by %s", 100*n.Also.Matched/n.Matched, n.Also.Rule)
		}
		if n.Errors > 0 {
			failed = thousands(n.Errors) + ": " + plain(n.Error)
		}
		if err := table.add(n.Name, matched, thousands(n.For), caught, failed); err != nil {
			return err
		}
	}
	return table.end()
}

func callbacksText(n int) string {
	if n == 1 {
		return "1 callback"
	}
	return thousands(n) + " callbacks"
}

// thousands writes a number with commas: 12,431.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
