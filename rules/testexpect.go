package rules

import (
	"math"
	"reflect"
	"slices"
	"time"

	"callboard/openim"
)

// An expectDraft is what a test expects while its file is read.
type expectDraft struct {
	Expectation
	fields []*node
	sinkAt []namePlace
	ruleAt []namePlace
}

var expectKeys = keys[expectDraft]{
	what: "expect",
	known: []key[expectDraft]{
		{"rules", func(d *decoder, n *node, e *expectDraft) { e.Rules = d.names(n, "rules", e.rule) }},
		{"asked", (*decoder).expectAsked},
		{"notified", (*decoder).expectNotified},
		{"not", func(d *decoder, n *node, e *expectDraft) { readMapping(d, n, expectNotKeys, e) }},
		{"errors", func(d *decoder, n *node, e *expectDraft) { e.Errors = d.names(n, "errors", e.rule) }},
		{"nothing_else", func(d *decoder, n *node, e *expectDraft) { d.boolean(n, "nothing_else", &e.NothingElse) }},
		{"verdict", func(d *decoder, n *node, e *expectDraft) {
			choice(d, n, "verdict", verdictWords, verdictWords, &e.Verdict)
		}},
		{"code", func(d *decoder, n *node, e *expectDraft) {
			var code int64
			d.integer(n, "code", math.MinInt32, math.MaxInt32, &code)
			e.Code = new(int32(code))
		}},
		{"message", func(d *decoder, n *node, e *expectDraft) { d.textInto(n, "message", &e.Message) }},
		{"detail", func(d *decoder, n *node, e *expectDraft) { d.textInto(n, "detail", &e.Detail) }},
		{"decided_by", func(d *decoder, n *node, e *expectDraft) {
			if d.textInto(n, "decided_by", &e.DecidedBy); e.DecidedBy != nil && *e.DecidedBy != "" {
				e.rule(*e.DecidedBy, d.place(d.resolve(n)))
			}
		}},
		{"fields", func(_ *decoder, n *node, e *expectDraft) { e.fields = slices.Concat(e.fields, []*node{n}) }},
		{"took", func(d *decoder, n *node, e *expectDraft) {
			var took time.Duration
			d.durationWithin(n, "took", 0, longestTimeout, &took)
			e.Took = &took
		}},
		{"within", func(d *decoder, n *node, e *expectDraft) { d.duration(n, "within", longestTimeout, &e.Within) }},
	},
}

var expectNotKeys = keys[expectDraft]{
	what: "not",
	known: []key[expectDraft]{
		{"rules", func(d *decoder, n *node, e *expectDraft) { e.NotRules = d.names(n, "rules", e.rule) }},
		{"asked", func(d *decoder, n *node, e *expectDraft) { e.NotAsked = d.names(n, "asked", e.sink) }},
		{"notified", func(d *decoder, n *node, e *expectDraft) { e.NotNotified = d.names(n, "notified", e.sink) }},
	},
}

var (
	verdictWords  = []string{"allow", "refuse"}
	expectedVotes = []string{"allow", "refuse", "abstain", "failed", "out"}
)

// rule and sink note the names that are to be checked. The lists of defaults and of cases are shared with what starts from
// them, so they never grow in place.
func (e *expectDraft) rule(name string, at place) {
	e.ruleAt = append(slices.Clip(e.ruleAt), namePlace{name, at})
}

func (e *expectDraft) sink(name string, at place) {
	e.sinkAt = append(slices.Clip(e.sinkAt), namePlace{name, at})
}

// names reads names: one or a list. An empty list is not nil.
func (d *decoder) names(n *node, what string, note func(name string, at place)) []string {
	items, _ := d.items(n, what, true)
	names := []string{}
	for _, item := range items {
		name, ok := d.literal(item, "a name in "+what)
		if ok {
			names = append(names, name)
			note(name, d.place(item))
		}
	}
	return names
}

func (d *decoder) textInto(n *node, what string, into **string) {
	if text, ok := d.scalar(n, what); ok {
		*into = &text
	}
}

// expectAsked reads sinks, or a mapping of sinks to their votes.
func (d *decoder) expectAsked(n *node, e *expectDraft) {
	n = d.resolve(n)
	e.Asked = []ExpectedVote{}
	if n.kind != mappingNode {
		for _, name := range d.names(n, "asked", e.sink) {
			e.Asked = append(e.Asked, ExpectedVote{Sink: name})
		}
		return
	}
	pairs, _ := d.pairs(n, "asked")
	for _, p := range pairs {
		e.sink(p.key.text, d.place(p.key))
		v := ExpectedVote{Sink: p.key.text}
		if p.value.kind == mappingNode {
			readMapping(d, p.value, expectedVoteKeys, &v)
		} else if p.value.kind != nullNode {
			choice(d, p.value, "a vote", expectedVotes, expectedVotes, &v.Vote)
		}
		e.Asked = append(e.Asked, v)
	}
}

var expectedVoteKeys = keys[ExpectedVote]{
	what: "an expected vote",
	known: []key[ExpectedVote]{
		{"vote", func(d *decoder, n *node, v *ExpectedVote) {
			choice(d, n, "vote", expectedVotes, expectedVotes, &v.Vote)
		}},
		{"attempts", func(d *decoder, n *node, v *ExpectedVote) { d.count(n, "attempts", 1, 100, &v.Attempts) }},
	},
}

// expectNotified reads sinks, or a mapping of sinks to the keys of their order.
func (d *decoder) expectNotified(n *node, e *expectDraft) {
	n = d.resolve(n)
	e.Notified = []ExpectedNotice{}
	if n.kind != mappingNode {
		for _, name := range d.names(n, "notified", e.sink) {
			e.Notified = append(e.Notified, ExpectedNotice{Sink: name})
		}
		return
	}
	pairs, _ := d.pairs(n, "notified")
	for _, p := range pairs {
		e.sink(p.key.text, d.place(p.key))
		notice := ExpectedNotice{Sink: p.key.text}
		if p.value.kind != nullNode {
			d.textInto(p.value, "the key of a delivery", &notice.Key)
		}
		e.Notified = append(e.Notified, notice)
	}
}

// finishExpect reads the fields, once the command is known, and finds what says nothing.
func (d *decoder) finishExpect(t *testDraft) {
	e := &t.expect
	e.Fields = nil
	for _, n := range e.fields {
		pairs, _ := d.freePairs(n, "fields")
		for _, p := range pairs {
			field := &openim.Field{Name: p.key.text}
			if t.Command != nil {
				known, ok := t.Command.ReplyField(p.key.text)
				if !ok {
					d.fail(d.place(p.key), idReplyField, "callboard commands "+t.Command.Short+" lists them", "%s has no reply field %q", t.Command.Short, p.key.text)
					continue
				}
				field = &known.Field
			}
			if raw, ok := d.testValue(p.value, field, p.key.text); ok {
				e.Fields = setField(e.Fields, openim.FieldValue{Name: p.key.text, Raw: raw})
			}
		}
	}
	x := &e.Expectation
	if len(e.fields) == 0 && reflect.ValueOf(*x).IsZero() {
		d.fail(t.at, idMissingKey, "as in `expect: {verdict: allow}`", "this test expects nothing")
	}
	if x.Verdict == "allow" && (x.Code != nil || x.Message != nil || x.Detail != nil) {
		d.fail(t.at, idTestIdle, "an allow has neither code nor message", "this test expects an allow, and what only a refusal has")
	}
	t.Expect = *x
	t.ruleAt, t.sinkAt = e.ruleAt, append(t.sinkAt, e.sinkAt...)
}
