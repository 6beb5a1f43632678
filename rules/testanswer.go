package rules

import (
	"math"
	"strconv"

	"callboard/openim"
)

// An answerDraft is what one request meets while its file is read.
type answerDraft struct {
	TestAnswer
	word   string
	status int64
	fields *node
}

var answerWords = []string{"allow", "refuse", "abstain", "timeout", "unreachable", "reset"}

var answerKeys = keys[answerDraft]{
	what: "an answer",
	known: []key[answerDraft]{
		{"answer", func(d *decoder, n *node, a *answerDraft) { choice(d, n, "answer", answerWords, answerWords, &a.word) }},
		{"refuse", func(d *decoder, n *node, a *answerDraft) { readMapping(d, n, refusalKeys, a) }},
		{"fields", func(_ *decoder, n *node, a *answerDraft) { a.fields = n }},
		{"status", func(d *decoder, n *node, a *answerDraft) { d.integer(n, "status", 200, 599, &a.status) }},
		{"body", func(d *decoder, n *node, a *answerDraft) {
			if text, ok := d.scalar(n, "body"); ok {
				a.Body = &text
			}
		}},
		{"retry_after", func(d *decoder, n *node, a *answerDraft) {
			var seconds int64
			d.integer(n, "retry_after", 0, 86400, &seconds)
			a.RetryAfter = strconv.FormatInt(seconds, 10)
		}},
		{"after", func(d *decoder, n *node, a *answerDraft) { d.durationWithin(n, "after", 0, longestTimeout, &a.After) }},
	},
}

var refusalKeys = keys[answerDraft]{
	what: "refuse",
	known: []key[answerDraft]{
		{"code", func(d *decoder, n *node, a *answerDraft) {
			var code int64
			d.integer(n, "code", math.MinInt32, math.MaxInt32, &code)
			a.Code = int32(code)
		}},
		{"message", func(d *decoder, n *node, a *answerDraft) { a.Message, _ = d.scalar(n, "message") }},
		{"detail", func(d *decoder, n *node, a *answerDraft) { a.Detail, _ = d.scalar(n, "detail") }},
	},
}

// testAnswers reads what the sinks answer. A sink that several mappings name answers as the last of them says.
func (d *decoder) testAnswers(t *testDraft) {
	t.Answers = make(map[string][]TestAnswer)
	for _, n := range t.answers {
		pairs, _ := d.pairs(n, "answers")
		for _, p := range pairs {
			t.sinkAt = append(t.sinkAt, namePlace{p.key.text, d.place(p.key)})
			items := []*node{p.value}
			if p.value.kind == sequenceNode {
				items, _ = d.items(p.value, "answers", false)
			}
			var answers []TestAnswer
			for _, item := range items {
				if a, ok := d.testAnswer(item); ok {
					answers = append(answers, a)
				}
			}
			t.Answers[p.key.text] = answers
		}
	}
}

func (d *decoder) testAnswer(n *node) (TestAnswer, bool) {
	var a answerDraft
	switch n.kind {
	case brokenNode:
		return a.TestAnswer, false
	case nullNode:
		d.fail(d.place(n), idNoValue, "`allow`, `refuse`, `abstain`, `timeout`, `unreachable`, `reset`, a status like 503, or a mapping", "this answer has no value")
		return a.TestAnswer, false
	case scalarNode:
		if n.tag == "!!int" {
			d.integer(n, "status", 200, 599, &a.status)
		} else {
			choice(d, n, "an answer", answerWords, answerWords, &a.word)
		}
	default:
		has, ok := readMapping(d, n, answerKeys, &a)
		if !ok {
			return a.TestAnswer, false
		}
		d.checkAnswer(n, has, &a)
	}
	a.Status = int(a.status)
	switch a.word {
	case "refuse":
		a.Vote = openim.Refuse
	case "abstain":
		a.Vote = openim.Abstain
	case "timeout":
		a.Fails = TimesOut
	case "unreachable":
		a.Fails = Unreachable
	case "reset":
		a.Fails = Breaks
	default:
		if a.Status == 0 && a.Body == nil {
			a.Vote = openim.Allow
		}
	}
	if a.fields != nil {
		pairs, _ := d.freePairs(a.fields, "fields")
		for _, p := range pairs {
			if raw, ok := d.testValue(p.value, &openim.Field{}, p.key.text); ok {
				a.Fields = append(a.Fields, openim.FieldValue{Name: p.key.text, Raw: raw})
			}
		}
	}
	return a.TestAnswer, true
}

// checkAnswer finds keys that do not go together.
func (d *decoder) checkAnswer(n *node, has map[string]place, a *answerDraft) {
	given := func(name string) bool { _, ok := has[name]; return ok }
	if given("refuse") && !given("answer") {
		a.word = "refuse"
	}
	for name, others := range map[string][]string{
		"refuse": {"fields", "status", "body", "retry_after"},
		"fields": {"status", "body", "retry_after"},
		"answer": {"status", "body", "retry_after"},
	} {
		for _, other := range others {
			if given(name) && given(other) {
				d.fail(has[other], idTestIdle, "", "%s does not go with %s", other, name)
			}
		}
	}
	if a.word != "refuse" && given("refuse") || a.word != "allow" && given("answer") && given("fields") {
		d.fail(d.place(n), idTestIdle, "", "the keys of this answer contradict each other")
	}
}
