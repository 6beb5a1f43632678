package ruletest

import (
	"strings"
	"sync"

	"callboard/router"
	"callboard/rules"
	"callboard/rules/when"
)

// A Coverage is what a suite's cases have seen of its rules. It is safe for concurrent use.
type Coverage struct {
	mu    sync.Mutex // guards what follows
	rules map[*rules.Rule]*seenRule
}

type seenRule struct {
	matched int
	parts   []seenPart // that are true or false, in the order of the condition
}

type seenPart struct {
	text         string
	start, end   int
	depth        int
	yes, no, err int
}

// NewCoverage makes one that has seen nothing.
func NewCoverage() *Coverage { return &Coverage{rules: map[*rules.Rule]*seenRule{}} }

// see takes in what a case has shown of the rules for its callback.
func (c *Coverage) see(played *Case, set *rules.Set, t *router.Trace) {
	matched := make(map[string]bool, len(t.Rules))
	for i := range t.Rules {
		matched[t.Rules[i].Rule] = t.Rules[i].Matched
	}
	explained := set.Explain(played.callback(), played.at)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range explained {
		e := &explained[i]
		if len(e.Parts) == 0 && !matched[e.Rule.Name] {
			continue
		}
		r := c.rules[e.Rule]
		if r == nil {
			r = &seenRule{parts: partsOf(e.Parts)}
			c.rules[e.Rule] = r
		}
		if matched[e.Rule.Name] {
			r.matched++
		}
		r.see(e.Parts)
	}
}

func partsOf(parts []when.Part) []seenPart {
	var seen []seenPart
	for i := range parts {
		if isQuestion(&parts[i]) {
			seen = append(seen, seenPart{text: parts[i].Text, start: parts[i].Start, end: parts[i].End, depth: parts[i].Depth})
		}
	}
	return seen
}

// isQuestion reports whether a part is an operand or the whole, and not a value that one compares. A field that is true or
// false by itself is an operand where it has a place of its own.
func isQuestion(p *when.Part) bool { return p.Truth != when.NoTruth && p.End > p.Start }

func (r *seenRule) see(parts []when.Part) {
	for i := range parts {
		for j := range r.parts {
			s := &r.parts[j]
			if s.start != parts[i].Start || s.end != parts[i].End || s.depth != parts[i].Depth {
				continue
			}
			switch parts[i].Truth {
			case when.True:
				s.yes++
			case when.False:
				s.no++
			case when.Unknown:
				s.err++
			}
		}
	}
}

// A RuleCoverage is what the cases have seen of one rule.
type RuleCoverage struct {
	*rules.Rule
	Matched int // cases in which it matched
	Parts   []PartCoverage
}

// A PartCoverage is what the cases have seen of an operand of && || or not, or of the whole condition.
type PartCoverage struct {
	Text              string
	Start, End        int // byte offsets into the condition
	True, False, Fail int // cases in which it was so
}

// Report returns the coverage of every rule of a table, in its order. A rule for whose callbacks there is no case has no parts,
// though it has a condition.
func (c *Coverage) Report(set *rules.Set) []RuleCoverage {
	c.mu.Lock()
	defer c.mu.Unlock()
	report := make([]RuleCoverage, 0, len(set.Rules))
	for _, r := range set.Rules {
		rc := RuleCoverage{Rule: r}
		if seen := c.rules[r]; seen != nil {
			rc.Matched = seen.matched
			for _, p := range seen.parts {
				rc.Parts = append(rc.Parts, PartCoverage{Text: strings.Join(strings.Fields(p.text), " "), Start: p.start, End: p.end, True: p.yes, False: p.no, Fail: p.err})
			}
		}
		report = append(report, rc)
	}
	return report
}

// Outcomes returns how many outcomes of the rule the cases have seen, and how many there are: that it matches, and that each part of its
// condition is true and is false.
func (r *RuleCoverage) Outcomes() (seen, all int) {
	count := func(n int) {
		all++
		if n > 0 {
			seen++
		}
	}
	count(r.Matched)
	if r.When != "" && len(r.Parts) == 0 { // never looked at: the whole, at least
		return seen, all + 2
	}
	for i := range r.Parts {
		count(r.Parts[i].True)
		count(r.Parts[i].False)
	}
	return seen, all
}

// Percent returns how much of the outcomes of all rules the cases have seen, 100 where there are none.
func Percent(report []RuleCoverage) float64 {
	seen, all := 0, 0
	for i := range report {
		s, a := report[i].Outcomes()
		seen, all = seen+s, all+a
	}
	if all == 0 {
		return 100
	}
	return 100 * float64(seen) / float64(all)
}
