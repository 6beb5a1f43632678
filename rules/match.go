package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"callboard/openim"
	"callboard/rules/when"
)

// A Plan is what the matching rules ask for, in order. It is read-only.
type Plan struct {
	Matched []*Rule
	Notify  []Notice    // sinks to notify, each once, in the order of rules and their lists
	Errors  []RuleError // conditions that failed: recorded whether or not on_error made them match
	Notes   []string    // what was cut before conditions saw it, and which delivery has no order because its order_by failed
}

// A Notice is a sink that gets the callback delivered.
type Notice struct {
	Sink  *Sink
	Key   string   // of its order, "" for none; at most 512 bytes: of a longer one, "sha256:" and the hash
	Rules []string // names of the rules that ask for it, in order
}

// A RuleError is a condition that failed at run time.
type RuleError struct {
	Rule    *Rule
	Err     error
	Matched bool // on_error: match
}

// index sorts the rules by the commands that they are for, so that the others cost a callback
// nothing.
func (s *Set) index() {
	s.byCommand = map[*openim.Command][]*Rule{}
	s.byName = map[string][]*Rule{}
	for _, c := range openim.Commands() {
		s.byCommand[c] = s.rulesFor(func(r *Rule) bool { return slices.Contains(r.Callbacks, c) })
	}
	for _, r := range s.Rules {
		for _, name := range r.Unknown {
			if s.byName[name] != nil {
				continue
			}
			s.byName[name] = s.rulesFor(func(r *Rule) bool { return slices.Contains(r.Unknown, name) })
		}
	}
	s.forAll = s.rulesFor(func(*Rule) bool { return false })
}

// rulesFor returns the rules that name a command, and those for all commands, in order.
func (s *Set) rulesFor(named func(*Rule) bool) []*Rule {
	var rules []*Rule
	for _, r := range s.Rules {
		if r.forAll() || named(r) {
			rules = append(rules, r)
		}
	}
	return rules
}

func (r *Rule) forAll() bool { return len(r.Callbacks) == 0 && len(r.Unknown) == 0 }

// candidates returns the rules for a callback's command.
func (s *Set) candidates(cb *openim.Callback) []*Rule {
	if cb.Command != nil {
		return s.byCommand[cb.Command]
	}
	if rules, ok := s.byName[cb.Name]; ok {
		return rules
	}
	return s.forAll
}

// Match returns the plan for one callback. now is what conditions read as now. It may be called
// concurrently, each time with another callback.
func (s *Set) Match(cb *openim.Callback, now time.Time) Plan {
	var plan Plan
	var scope *when.Scope // made for the first condition or key: many callbacks meet none
	for _, r := range s.candidates(cb) {
		matched := true
		if r.cond != nil {
			if scope == nil {
				scope = s.env.Bind(cb, now)
			}
			var err error
			if matched, err = scope.Eval(r.cond); err != nil {
				matched = r.MatchOnErr
				plan.Errors = append(plan.Errors, RuleError{r, err, matched})
			}
		}
		if !matched {
			continue
		}
		plan.Matched = append(plan.Matched, r)
		if len(r.targets) > 0 {
			if scope == nil && r.ordered() {
				scope = s.env.Bind(cb, now)
			}
			plan.notify(r, scope)
		}
		if r.Stop {
			break
		}
	}
	if scope != nil {
		plan.Notes = append(scope.Notes(), plan.Notes...)
		scope.Release()
	}
	return plan
}

// An Explanation says why one rule matches or not.
type Explanation struct {
	Rule    *Rule
	Matched bool
	Reason  string      // "its callbacks do not include …", "its condition is false", "stopped by …"
	Err     error       // of the condition
	Parts   []when.Part // of the condition; nil when there is none or the callback is not for the rule
}

// Explain tells for every rule whether it matches and why, in the order of matching. A rule behind
// one that stopped is evaluated all the same, to tell what it would have done.
func (s *Set) Explain(cb *openim.Callback, now time.Time) []Explanation {
	scope := s.env.Bind(cb, now)
	defer scope.Release()
	candidates := s.candidates(cb)
	var explanations []Explanation
	var stoppedBy *Rule
	for _, r := range s.Rules {
		e := Explanation{Rule: r}
		if slices.Contains(candidates, r) {
			e = r.explain(scope, stoppedBy)
		} else {
			e.Reason = "its callbacks do not include " + cb.Name
		}
		if e.Matched && r.Stop {
			stoppedBy = r
		}
		explanations = append(explanations, e)
	}
	return explanations
}

// explain tells how a rule for this callback's command ends.
func (r *Rule) explain(scope *when.Scope, stoppedBy *Rule) Explanation {
	e := Explanation{Rule: r, Matched: true, Reason: "it has no condition"}
	if r.cond != nil {
		e.Matched, e.Err = scope.Eval(r.cond)
		e.Parts = r.hideSecrets(scope.Explain(r.cond))
		switch {
		case e.Err != nil && r.MatchOnErr:
			e.Matched, e.Reason = true, "its condition failed, and on_error is match"
		case e.Err != nil:
			e.Reason = "its condition failed, and on_error is skip"
		default:
			e.Reason = fmt.Sprintf("its condition is %t", e.Matched)
		}
	}
	if stoppedBy != nil {
		e.Reason = fmt.Sprintf("stopped by %s; otherwise: %s", stoppedBy.Name, e.Reason)
		e.Matched = false
	}
	return e
}

// hideSecrets puts references back in place of what they stand for.
func (r *Rule) hideSecrets(parts []when.Part) []when.Part {
	for i := range parts {
		for _, s := range r.secrets {
			if s.value != "" {
				parts[i].Text = strings.ReplaceAll(parts[i].Text, s.value, s.reference)
				parts[i].Value = s.hideIn(parts[i].Value)
			}
		}
	}
	return parts
}

// hideIn hides the secret in a value as explanations show it: with escapes, and cut short.
func (s secret) hideIn(shown string) string {
	quoted := strconv.Quote(s.value)
	quoted = quoted[1 : len(quoted)-1]
	shown = strings.ReplaceAll(shown, quoted, s.reference)
	shown = strings.ReplaceAll(shown, s.value, s.reference)
	if kept, cut := strings.CutSuffix(shown, "…"); cut {
		for n := min(len(quoted), len(kept)); n > 0; n-- {
			if rest, found := strings.CutSuffix(kept, quoted[:n]); found {
				return rest + s.reference + "…"
			}
		}
	}
	return shown
}
