package router

import (
	"bytes"
	"fmt"

	"callboard/openim"
	"callboard/rules"
)

// fold makes the one verdict of what the rules have come to, in their order: the first refusal supplies
// code and message; without one the fields that rules and allowing sinks set are merged. decidedBy is
// the rule that refused, "" when none did; notes say what was left out.
func (c *call) fold() (v openim.Verdict, decidedBy string, notes []string) {
	for i := range c.matched {
		m := &c.matched[i]
		if m.ownRefusal() {
			r := m.rule.Reply
			return openim.Verdict{Refuse: true, Code: r.Code, Message: r.Message, Detail: r.Detail}, m.rule.Name, nil
		}
		if m.outcome == Refused {
			return c.refusal(m), m.rule.Name, nil
		}
	}
	return c.merge()
}

// refusal words the refusal of a rule's policy.
func (c *call) refusal(m *matched) openim.Verdict {
	v := openim.Verdict{Refuse: true}
	if m.by < 0 {
		v.Code, v.Message = CodeNotMet, "not approved"
		v.Detail = fmt.Sprintf("rule %s: policy %s is not met", m.rule.Name, m.rule.Await.Policy.String())
		return v
	}
	b := &m.ballots[m.by]
	a := &c.asks[m.asks[m.by]]
	if b.Vote == openim.Refuse {
		v.Code, v.Message, v.Detail = a.result.Answer.Code, a.result.Answer.Message, a.result.Answer.Detail
		return v
	}
	v.Code, v.Message = CodeFailed, "a required check could not be made"
	v.Detail = fmt.Sprintf("rule %s: %s: %s", m.rule.Name, b.Sink, b.reason(a))
	return v
}

const tooLate = "no answer before the deadline"

// reason says why a vote failed.
func (b *Ballot) reason(a *ask) string {
	if b.Late {
		return tooLate
	}
	return a.result.Answer.Reason
}

// A merged field remembers who set it, for the words about a conflict.
type mergedField struct {
	openim.FieldValue
	by   string
	rule *rules.Rule
}

// maxNotes bounds the notes about fields that IMServer has no use for: an answer may have thousands.
const maxNotes = 32

// merge collects reply fields in rule and sink order.
func (c *call) merge() (openim.Verdict, string, []string) {
	var fields []mergedField
	var notes []string
	unnoted := 0
	var conflict *openim.Verdict
	decidedBy := ""
	add := func(m *matched, by string, raw openim.FieldValue) {
		f, reason := openim.CheckField(c.cb, raw)
		switch {
		case reason != "" && len(notes) >= maxNotes:
			unnoted++
			return
		case reason != "":
			notes = append(notes, fmt.Sprintf("%s from %s left out: %s", raw.Name, by, reason))
			return
		}
		next := mergedField{FieldValue: f, by: by, rule: m.rule.Rule}
		for i := range fields {
			if fields[i].Name != f.Name {
				continue
			}
			if v := settle(&fields[i], next, &notes); v != nil && conflict == nil {
				conflict, decidedBy = v, m.rule.Name
			}
			return
		}
		fields = append(fields, next)
	}
	for i := range c.matched {
		m := &c.matched[i]
		if m.rule.Reply != nil {
			for _, f := range m.rule.Reply.Fields {
				add(m, "rule "+m.rule.Name, f)
			}
		}
		for j := range m.ballots {
			a := &c.asks[m.asks[j]]
			if !a.done || a.result.Answer.Vote != openim.Allow || m.decidesAlone() && j != m.by {
				continue
			}
			for _, f := range a.result.Answer.Fields {
				add(m, a.sink.name, f)
			}
		}
	}
	if unnoted > 0 {
		notes = append(notes, fmt.Sprintf("%d more fields left out", unnoted))
	}
	if conflict != nil {
		return *conflict, decidedBy, notes
	}
	v := openim.Verdict{}
	for _, f := range fields {
		v.Fields = append(v.Fields, f.FieldValue)
	}
	return v, "", notes
}

// decidesAlone reports whether the policy lets one sink decide: then what the others set is of no account either.
func (m *matched) decidesAlone() bool {
	kind := m.rule.Await.Policy.Kind
	return kind == rules.First || kind == rules.Primary
}

// settle decides between two values for one field as the rules' merge says; a refusal comes back when
// one of them says refuse. The same sink under two rules is no conflict, nor is the same value.
func settle(have *mergedField, next mergedField, notes *[]string) *openim.Verdict {
	if bytes.Equal(have.Raw, next.Raw) {
		return nil
	}
	if mergeOf(have.rule) == rules.MergeRefuse || mergeOf(next.rule) == rules.MergeRefuse {
		return &openim.Verdict{Refuse: true, Code: CodeConflict, Message: "not approved",
			Detail: fmt.Sprintf("%s and %s set %s differently", have.by, next.by, next.Name)}
	}
	loser := next.by
	if mergeOf(next.rule) == rules.MergeLast {
		loser = have.by
		*have = next
	}
	*notes = append(*notes, fmt.Sprintf("%s from %s left out: another value was set by %s", next.Name, loser, have.by))
	return nil
}

func mergeOf(r *rules.Rule) rules.Merge {
	if r.Await == nil {
		return rules.MergeFirst
	}
	return r.Await.Merge
}
