package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"callboard/openim"
	"callboard/rules/when"
)

// An Explanation says why one rule matches or not.
type Explanation struct {
	Rule      *Rule
	Matched   bool
	MayMatch  bool        // nobody can say: its condition depends on what is not known
	Foreign   bool        // its callbacks do not include this one
	Truth     when.Truth  // of its condition; True where there is none, NoTruth where it is foreign
	StoppedBy *Rule       // the rule in front of it that ended matching, or nil
	Reason    string      // "its callbacks do not include …", "its condition is false", "stopped by …"
	Err       error       // of the condition
	Parts     []when.Part // of the condition; nil when there is none, the callback is not for the rule, or it was not taken apart

	// Missing is how many comparisons of Parts, those that are marked, would have had to come out otherwise, at least. Of a rule
	// that did not match, 0 says that there is no such number: it was stopped, or no comparison can make its condition true.
	Missing int
}

// Explaining says how much Examine is to tell. The zero value takes apart what matches and may match, and nothing else.
type Explaining struct {
	// Unknown names what nothing is known of, as conditions read it: "headers", or a field.
	Unknown []string
	// Nearest is of how many rules that do not match the conditions are taken apart, the nearest first; all when it is negative.
	Nearest int
	// Rule is the name of one that is taken apart in any case.
	Rule string
}

// An Examination tells of every rule whether it matches one callback and why.
type Examination struct {
	Rules []Explanation // in the order of matching
	Near  []int         // places in Rules of those for this callback that do not match, nearest first; Nearest of them at most
}

// Explain tells for every rule whether it matches and why, in the order of matching, with the parts of each condition. A rule
// behind one that stopped is evaluated all the same, to tell what it would have done.
func (s *Set) Explain(cb *openim.Callback, now time.Time) []Explanation {
	return s.Examine(cb, now, Explaining{Nearest: -1}).Rules
}

// Examine is Explain for a table of any size: every condition is evaluated, and only those that somebody wants to see are taken
// apart, which costs a hundred times as much. Each has a budget of steps of its own. It may be called concurrently, each time
// with another callback.
func (s *Set) Examine(cb *openim.Callback, now time.Time, how Explaining) Examination {
	scope := s.env.Bind(cb, now)
	defer scope.Release()
	x := examiner{scope: scope, how: how}
	x.Rules = make([]Explanation, len(s.Rules))
	var stoppedBy *Rule
	for i, r := range s.Rules {
		e := &x.Rules[i]
		e.Rule = r
		if !r.IsFor(cb) {
			e.Foreign, e.Reason = true, "its callbacks do not include "+cb.Name
			continue
		}
		x.judge(e, stoppedBy)
		if e.Matched && r.Stop {
			stoppedBy = r
		}
		if e.Matched || e.MayMatch || r.Name == how.Rule {
			x.takeApart(e)
		}
	}
	x.rank()
	return x.Examination
}

// IsFor reports whether the rule's callbacks include this one.
func (r *Rule) IsFor(cb *openim.Callback) bool {
	return r.forAll() || cb.Command != nil && slices.Contains(r.Callbacks, cb.Command) || slices.Contains(r.Unknown, cb.Name)
}

type examiner struct {
	Examination
	scope *when.Scope
	how   Explaining
}

// judge tells how a rule for this callback's command ends.
func (x *examiner) judge(e *Explanation, stoppedBy *Rule) {
	r := e.Rule
	e.Truth, e.Reason = when.True, "it has no condition"
	if r.cond != nil {
		e.Truth, e.Err = x.scope.Truth(r.cond, x.how.Unknown...)
		switch {
		case e.Err != nil && r.MatchOnErr:
			e.Reason = "its condition failed, and on_error is match"
		case e.Err != nil:
			e.Reason = "its condition failed, and on_error is skip"
		case e.Truth == when.Unknown:
			e.Reason = "its condition depends on " + strings.Join(x.unknownTo(r), ", ") + ", of which nothing is known"
		default:
			e.Reason = "its condition is " + e.Truth.String()
		}
	}
	e.Matched = e.Truth == when.True || e.Err != nil && r.MatchOnErr
	e.MayMatch = e.Truth == when.Unknown && e.Err == nil
	if stoppedBy != nil {
		e.StoppedBy = stoppedBy
		e.Reason = fmt.Sprintf("stopped by %s; otherwise: %s", stoppedBy.Name, e.Reason)
		e.Matched, e.MayMatch = false, false
	}
}

func (x *examiner) unknownTo(r *Rule) []string {
	var names []string
	for _, name := range r.cond.Reads() {
		if slices.Contains(x.how.Unknown, name) {
			names = append(names, name)
		}
	}
	return names
}

// takeApart explains a condition part by part.
func (x *examiner) takeApart(e *Explanation) {
	if e.Rule.cond == nil || e.Parts != nil {
		return
	}
	e.Parts = e.Rule.hideSecrets(x.scope.Explain(e.Rule.cond, x.how.Unknown...))
	for _, p := range e.Parts {
		if p.Missing {
			e.Missing++
		}
	}
}
