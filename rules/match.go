package rules

import (
	"time"

	"callboard/openim"
	"callboard/rules/index"
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

// Match returns the plan for one callback. now is what conditions read as now. It may be called
// concurrently, each time with another callback.
func (s *Set) Match(cb *openim.Callback, now time.Time) Plan {
	m := matching{set: s, cb: cb, now: now}
	if s.reads.conditions(cb) {
		m.scope = s.env.Bind(cb, now)
	}
	var values index.Values
	if m.scope != nil {
		values = m.scope
	}
	hits := s.index.Find(commandOf(cb), values)
	for _, i := range hits.Rules() {
		if m.take(s.Rules[i]) {
			break
		}
	}
	hits.Release()
	return m.end()
}

// scan is Match without the index, which may only be quicker.
func (s *Set) scan(cb *openim.Callback, now time.Time) Plan {
	m := matching{set: s, cb: cb, now: now}
	if s.reads.conditions(cb) {
		m.scope = s.env.Bind(cb, now)
	}
	for _, r := range s.Rules {
		if r.IsFor(cb) && m.take(r) {
			break
		}
	}
	return m.end()
}

// A matching is the plan for a callback while rules are taken into it.
type matching struct {
	set   *Set
	cb    *openim.Callback
	now   time.Time
	scope *when.Scope // made for the first condition or key: many callbacks meet none
	plan  Plan
}

// take lets a rule for the callback's command take part if it matches. It reports whether the rule ends the matching.
func (m *matching) take(r *Rule) (stop bool) {
	if r.cond != nil {
		matched, err := m.scope.Eval(r.cond)
		if err != nil {
			matched = r.MatchOnErr
			m.plan.Errors = append(m.plan.Errors, RuleError{r, err, matched})
		}
		if !matched {
			return false
		}
	}
	m.plan.Matched = append(m.plan.Matched, r)
	if len(r.targets) > 0 {
		if m.scope == nil && r.ordered() {
			m.scope = m.set.env.Bind(m.cb, m.now)
		}
		m.plan.notify(r, m.scope)
	}
	return r.Stop
}

func (m *matching) end() Plan {
	if m.scope != nil {
		m.plan.Notes = append(m.scope.Notes(), m.plan.Notes...)
		m.scope.Release()
	}
	return m.plan
}
