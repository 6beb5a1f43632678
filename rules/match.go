package rules

import (
	"slices"
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
