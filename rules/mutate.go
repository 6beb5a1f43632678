package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"callboard/openim"
)

// A Mutant is a table in which one rule has one small change that the rules' tests should notice.
type Mutant struct {
	Rule *Rule
	What string // in words
	Was  string // the text of what is changed, and its text afterwards
	Now  string

	Start, End int // of a condition: where it is changed, byte offsets into it; both 0 for other changes

	set     *Set
	changed *Rule
}

// Mutants returns the changes of a rule. None of them makes a finding of its own, such as a quorum that cannot be reached.
func (s *Set) Mutants(r *Rule) []Mutant {
	m := mutants{set: s, rule: r}
	m.condition()
	m.callbacks()
	m.await()
	m.notify()
	m.reply()
	if r.Stop {
		m.add("it does not stop", "stop: true", "stop: false", func(c *Rule) { c.Stop = false })
	}
	if r.Priority != 0 {
		m.add("it has no priority", fmt.Sprintf("priority: %d", r.Priority), "priority: 0", func(c *Rule) { c.Priority = 0 })
	}
	return m.found
}

// Set returns the table with the change. It shares all else with the original.
func (m *Mutant) Set() *Set {
	s := *m.set
	s.Rules = slices.Clone(s.Rules)
	s.Rules[slices.Index(s.Rules, m.Rule)] = m.changed
	slices.SortStableFunc(s.Rules, func(a, b *Rule) int { return cmp.Compare(b.Priority, a.Priority) })
	s.buildIndex()
	return &s
}

type mutants struct {
	set   *Set
	rule  *Rule
	found []Mutant
}

// add adds a change, which change makes in a copy of the rule.
func (m *mutants) add(what, was, now string, change func(*Rule)) {
	c := *m.rule
	change(&c)
	m.found = append(m.found, Mutant{Rule: m.rule, What: what, Was: was, Now: now, set: m.set, changed: &c})
}

func (m *mutants) condition() {
	if m.rule.cond == nil {
		return
	}
	hide := func(text string) string {
		for _, s := range m.rule.secrets {
			if s.value != "" {
				text = s.hideIn(text)
			}
		}
		return strings.Join(strings.Fields(text), " ")
	}
	was := "when: " + hide(m.rule.cond.Source())
	for _, c := range m.rule.cond.Mutations() {
		what := c.What
		if len(m.rule.secrets) > 0 {
			what = "another condition" // the words may quote a part of a secret
		}
		m.add(what, was, "when: "+hide(c.Source), func(r *Rule) { r.cond = c.Cond })
		last := &m.found[len(m.found)-1]
		last.Start, last.End = c.Start, c.End
	}
}

func (m *mutants) callbacks() {
	if len(m.rule.Callbacks)+len(m.rule.Unknown) < 2 {
		return
	}
	var names []string
	for _, c := range m.rule.Callbacks {
		names = append(names, c.Short)
	}
	names = append(names, m.rule.Unknown...)
	for i, c := range m.rule.Callbacks {
		m.add("without the callback "+c.Short, "callbacks: "+listed(names), "callbacks: "+listed(without(names, i)), func(r *Rule) {
			r.Callbacks = without(r.Callbacks, i)
		})
	}
}

// without returns a copy of a list that lacks an element.
func without[T any](list []T, i int) []T { return slices.Delete(slices.Clone(list), i, i+1) }

// listed writes names as YAML does.
func listed(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

func (m *mutants) await() {
	a := m.rule.Await
	if a == nil {
		return
	}
	change := func(what, was, now string, change func(*Await)) {
		m.add(what, was, now, func(r *Rule) {
			c := *a
			c.OnFailure = maps.Clone(a.OnFailure)
			change(&c)
			r.Await = &c
		})
	}
	if len(a.Sinks) == 1 {
		m.add("nobody is asked", "sinks: "+listed(a.Sinks), "no await", func(r *Rule) { r.Await = nil })
	}
	for i, sink := range a.Sinks {
		if len(a.Sinks) > 1 && a.Policy.Primary != sink && a.Policy.N < len(a.Sinks) {
			change("without asking "+sink, "sinks: "+listed(a.Sinks), "sinks: "+listed(without(a.Sinks, i)), func(c *Await) {
				c.Sinks = without(a.Sinks, i)
				delete(c.OnFailure, sink)
			})
		}
		for _, other := range m.otherFailures(sink) {
			change("a failed vote of "+sink+" counts as "+other.String(), "on_failure: {"+sink+": "+m.failure(sink).String()+"}", "on_failure: {"+sink+": "+other.String()+"}",
				func(c *Await) { c.setVote(sink, other) })
		}
	}
	for _, p := range otherPolicies(a) {
		change("policy "+p.text()+" in place of "+a.Policy.text(), "policy: "+a.Policy.text(), "policy: "+p.text(), func(c *Await) { c.Policy = p })
	}
	if a.Deadline > 0 {
		change("without a deadline", "deadline: "+short(a.Deadline), "no deadline", func(c *Await) { c.Deadline = 0 })
	}
}

// failure is what a failed vote of a sink counts as for the first of the rule's callbacks.
func (m *mutants) failure(sink string) openim.Vote {
	if v, given := m.rule.Await.OnFailure[sink]; given {
		return v
	}
	if len(m.rule.Callbacks) > 0 && m.rule.Callbacks[0].Phase == openim.After {
		return openim.Refuse
	}
	return openim.Allow
}

// otherFailures are the votes that a failed one may count as instead: allow and refuse are mistaken for each other.
func (m *mutants) otherFailures(sink string) []openim.Vote {
	if m.failure(sink) == openim.Refuse {
		return []openim.Vote{openim.Allow}
	}
	return []openim.Vote{openim.Refuse}
}

// otherPolicies are policies that the rule's sinks could have too, and that may come to something else.
func otherPolicies(a *Await) []Policy {
	n := len(a.Sinks)
	if n == 1 {
		return nil
	}
	switch a.Policy.Kind {
	case All:
		return []Policy{{Kind: Any}}
	case Quorum:
		var others []Policy
		for _, k := range []int{a.Policy.N - 1, a.Policy.N + 1} {
			if k >= 1 && k <= n {
				others = append(others, Policy{Kind: Quorum, N: k})
			}
		}
		return others
	default:
		return []Policy{{Kind: All}}
	}
}

func (p Policy) text() string {
	switch p.Kind {
	case Quorum:
		return "{quorum: " + strconv.Itoa(p.N) + "}"
	case Primary:
		return "{primary: " + p.Primary + "}"
	}
	return p.Kind.String()
}

func (m *mutants) notify() {
	for i, sink := range m.rule.Notify {
		m.add("without notifying "+sink, "notify: "+listed(m.rule.Notify), "notify: "+listed(without(m.rule.Notify, i)), func(r *Rule) {
			r.Notify, r.targets = without(r.Notify, i), without(r.targets, i)
		})
	}
}

func (m *mutants) reply() {
	y := m.rule.Reply
	if y == nil {
		return
	}
	change := func(what, was, now string, change func(*Reply)) {
		m.add(what, was, now, func(r *Rule) {
			c := *y
			change(&c)
			r.Reply = &c
		})
	}
	if y.Refuse {
		m.add("it does not refuse", fmt.Sprintf("refuse: %d", y.Code), "no reply", func(r *Rule) { r.Reply = nil })
		change("another code", fmt.Sprintf("code: %d", y.Code), fmt.Sprintf("code: %d", y.Code+1), func(c *Reply) { c.Code++ })
	}
	for i, f := range y.Fields {
		change("without setting "+f.Name, "fields: "+f.Name, "no such field", func(c *Reply) { c.Fields = without(y.Fields, i) })
	}
}
