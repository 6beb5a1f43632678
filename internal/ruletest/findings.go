package ruletest

import (
	"bufio"
	"fmt"
	"io"

	"callboard/internal/diag"
	"callboard/rules"
)

// Uncovered are warnings about what of the rules no case has seen, at their places: rules that never match, and parts of conditions that
// were never true or never false.
func Uncovered(report []RuleCoverage, places *rules.Places) []diag.Diagnostic {
	var ds []diag.Diagnostic
	for i := range report {
		r := &report[i]
		add := func(start, end int, id, message, hint string) {
			d := places.At(r.Rule, start, end)
			d.ID, d.Message, d.Hint = id, message, hint
			ds = append(ds, d)
		}
		switch {
		case r.When != "" && len(r.Parts) == 0:
			add(0, 0, idUnseenMatch, fmt.Sprintf("no test has a callback for rule %q", r.Name), "")
			continue
		case r.Matched == 0:
			add(0, 0, idUnseenMatch, fmt.Sprintf("rule %q matches in no test", r.Name), "")
		}
		for i, p := range r.Parts {
			switch {
			case i == 0 && r.Matched == 0: // the whole: said already
			case p.True == 0 && p.False == 0:
				add(p.Start, p.End, idUnseenTrue, "this fails in every test", "")
			case p.True == 0:
				add(p.Start, p.End, idUnseenTrue, "this is true in no test", "")
			case p.False == 0:
				add(p.Start, p.End, idUnseenFalse, "this is false in no test", "")
			}
		}
	}
	return ds
}

// Unnoticed are warnings about changes of rules that no case notices, at their places.
func Unnoticed(report *MutationReport, places *rules.Places) []diag.Diagnostic {
	var ds []diag.Diagnostic
	for i := range report.Survivors {
		s := &report.Survivors[i]
		d := places.At(s.Rule, s.Start, s.End)
		d.ID, d.Message = idUnnoticedChange, fmt.Sprintf("no test notices in rule %q: %s", s.Rule.Name, s.What)
		d.Hint = fmt.Sprintf("a test that tells `%s` from `%s`", s.Was, s.Now)
		ds = append(ds, d)
	}
	return ds
}

// WriteSurvivors writes the changes that no case notices for people, each as what would be removed and added:
//
//	moderation.yaml:23: moderate-support-groups: startsWith becomes contains
//	- when: groupID startsWith "support-"
//	+ when: groupID contains "support-"
//
// Of a rule for whose callbacks there is no case it says only that.
func (r *MutationReport) WriteSurvivors(w io.Writer, places *rules.Places) error {
	b := bufio.NewWriter(w)
	untested := map[*rules.Rule]bool{}
	for i := range r.Survivors {
		s := &r.Survivors[i]
		switch at := places.At(s.Rule, s.Start, s.End); {
		case !s.Untested:
			fmt.Fprintf(b, "%s:%d: %s: %s\n- %s\n+ %s\n\n", at.File, at.Line, s.Rule.Name, s.What, s.Was, s.Now)
		case !untested[s.Rule]:
			untested[s.Rule] = true
			fmt.Fprintf(b, "%s:%d: %s: no test has a callback for it, so none notices any change\n\n", s.Rule.File, s.Rule.Line, s.Rule.Name)
		}
	}
	return b.Flush()
}

// WriteCoverage writes what the cases have seen of each rule of which they have not seen everything.
func WriteCoverage(w io.Writer, report []RuleCoverage) error {
	b := bufio.NewWriter(w)
	widest := 0
	for i := range report {
		widest = max(widest, width(report[i].Name))
	}
	for i := range report {
		r := &report[i]
		seen, all := r.Outcomes()
		if seen == all {
			continue
		}
		matches := "never matches"
		if r.Matched > 0 {
			matches = fmt.Sprintf("matches in %d", r.Matched)
		}
		fmt.Fprintf(b, "%s   %s   %d of %d outcomes seen\n", pad(r.Name, widest), pad(matches, len("never matches")), seen, all)
	}
	return b.Flush()
}
