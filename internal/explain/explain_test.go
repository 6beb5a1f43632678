package explain

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"callboard/internal/journal"
	"callboard/router"
	"callboard/rules"
)

const testRules = `
sinks:
  moderation: {url: "http://127.0.0.1:9"}
  risk: {url: "http://127.0.0.1:9", dialect: v2}
  archive: {url: "http://127.0.0.1:9", order_by: groupID}
rules:
  - name: moderate
    callbacks: [beforeSendGroupMsg]
    when: groupID startsWith "support-" && contentType == Text
    await: {sinks: [moderation, risk], policy: first}
    notify: [archive]
  - name: spoken
    callbacks: [beforeSendGroupMsg]
    when: text contains "word"
    reply: {refuse: {code: 20403, message: "no"}}
  - name: closed
    callbacks: [beforeSendGroupMsg]
    when: groupID == "closed" && text contains "word"
    reply: {refuse: {code: 20404, message: "closed"}}
`

func explainer(t *testing.T) *Explainer {
	t.Helper()
	set, ds := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(testRules)}}, rules.Options{})
	if set == nil {
		t.Fatal(ds)
	}
	return New("rules", set, router.Options{})
}

const supportBody = `{"callbackCommand":"callbackBeforeSendGroupMsgCommand","groupID":"support-1","contentType":101,"content":"{\"content\":\"a word\"}"}`

// recorded is a callback that risk refused before moderation had voted.
func recorded(body string) *journal.Callback {
	cb := &journal.Callback{
		ID: "01a", At: time.Date(2026, 1, 31, 18, 30, 0, 0, time.UTC), Command: "callbackBeforeSendGroupMsgCommand",
		Path: "/prod/callbackBeforeSendGroupMsgCommand", GroupID: "support-1", Verdict: "refuse", Code: 20401,
		Trace: json.RawMessage(`{"why":"risk said so","asked":[{"sink":"moderation","vote":"out"},{"sink":"risk","vote":"refuse","code":20401,"message":"not here"}]}`),
	}
	if body != "" {
		cb.Body = []byte(body)
	}
	return cb
}

func text(t *testing.T, x *Explainer, req Request, cb *journal.Callback) string {
	t.Helper()
	r, err := x.Run(req, cb)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	r.WriteText(&b)
	return b.String()
}

func contains(t *testing.T, says, got string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", says, want, got)
		}
	}
}

func TestRecordedVotesCountUnlessToldOtherwise(t *testing.T) {
	x := explainer(t)
	body := strings.Replace(supportBody, "a word", "hello", 1)
	got := text(t, x, Request{}, recorded(body))
	contains(t, "recorded", got, "from prod\n", "recorded as 01a at 2026-01-31T18:30:00.000Z, revision -\n  refuse (20401): risk said so\n",
		"moderation: abstain (it was not waited for) (assumed)\n", `risk: refuse (20401 "not here") (recorded)`,
		"moderate: policy first, outcome refuse: risk was the first to say so\n", `refuse (20401 "not here"): rule moderate`)
	if r, _ := x.Run(Request{}, recorded(body)); !r.Now.Equal(recorded("").At) || len(r.Unknown) != 1 || r.Unknown[0] != "headers" {
		t.Errorf("now %v, unknown %v", r.Now, r.Unknown)
	}
	answer := `{"actionCode":5}` // which risk's dialect takes for a refusal
	got = text(t, x, Request{Votes: map[string]Vote{"moderation": {Vote: "failed", Reason: "down"}, "risk": {Answer: &answer}, "archive": {Vote: "allow"}}}, recorded(body))
	contains(t, "told otherwise", got, "moderation: failed (down)\n", "risk: refuse\n", "archive: not asked by any rule that matches")
}

// Without its body, what depends on that is open, and what does not is certain.
func TestARecordWithoutItsBody(t *testing.T) {
	got := text(t, explainer(t), Request{}, recorded(""))
	contains(t, "no body", got,
		"? moderate may match: its condition depends on contentType, of which nothing is known",
		"? spoken may match: its condition depends on text, of which nothing is known",
		"✗ closed does not match: its condition is false", `missing: groupID was "support-1", wanted "closed"`)
}

func TestLateVotesAreRecalledAsFailed(t *testing.T) {
	cb := recorded(strings.Replace(supportBody, "a word", "hello", 1))
	cb.Trace = json.RawMessage(`{"asked":[{"sink":"moderation","vote":"out","reason":"no answer before the deadline"}],
		"rules":[{"rule":"moderate","decided":2,"ballots":[{"sink":"moderation","arrived":2,"vote":"failed","counts_as":"allow","late":true}]}]}`)
	contains(t, "late", text(t, explainer(t), Request{}, cb), "moderation: failed (no answer before the deadline) (recorded)")
}

func TestMistakesInRequests(t *testing.T) {
	x := explainer(t)
	for _, row := range []struct {
		req               Request
		where, says, hint string
	}{
		{Request{}, "body", "neither a body nor the id", ""},
		{Request{Body: []byte(`{`)}, "body", "", "callboard send"},
		{Request{Body: []byte(`{}`), Command: "beforeSendGruopMsg"}, "command", "unknown command", "did you mean"},
		{Request{Body: []byte(supportBody), Command: "afterUserOnline"}, "command", "which goes before", "leave the command out"},
		{Request{Body: []byte(supportBody), Votes: map[string]Vote{"rsk": {}}}, "votes.rsk", "no sink", `did you mean "risk"?`},
		{Request{Body: []byte(supportBody), Votes: map[string]Vote{"risk": {Vote: "maybe"}}}, "votes.risk", "no vote", "one of"},
		{Request{Body: []byte(supportBody), Rule: "modrate"}, "rule", "no rule", `did you mean "moderate"?`},
	} {
		_, err := x.Run(row.req, nil)
		m, ok := errors.AsType[*Mistake](err)
		if !ok || m.Where != row.where || !strings.Contains(m.Error(), row.says) || !strings.Contains(m.Hint, row.hint) {
			t.Errorf("%+v: %+v", row.req, err)
		}
	}
}

// Of rules that are taken apart it is told how they are found, also over the wire.
func TestReportsTellHowRulesAreFound(t *testing.T) {
	set, found := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(`
rules:
  - {name: indexed, callbacks: [beforeSendGroupMsg], when: 'groupID == "support-1"', reply: allow}
  - {name: scanned, callbacks: [beforeSendGroupMsg], when: 'int(data.level) > 3 && groupID == "b"', reply: allow}
  - {name: excluding, callbacks: [beforeSendGroupMsg], when: 'groupID != "c"', reply: allow}
  - {name: far, callbacks: [beforeSendGroupMsg], when: 'groupID == "d" && sendID == "e"', reply: allow}
  - {name: unconditional, callbacks: [beforeSendGroupMsg], reply: allow}
`)}}, rules.Options{})
	if set == nil {
		t.Fatal(found)
	}
	nearest := 1
	report, err := New("rules", set, router.Options{}).Run(Request{Body: []byte(supportBody), Nearest: &nearest}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*Indexing{
		"indexed":   {By: `groupID == "support-1"`},
		"scanned":   {Because: "int(data.level) > 3: it can fail, which hides what stands behind it", Rewrite: `groupID == "b" && int(data.level) > 3`},
		"excluding": {Because: `groupID != "c": it only excludes values`},
	}
	for _, r := range report.Rules {
		if got := r.Indexing; (got == nil) != (want[r.Name] == nil) || got != nil && *got != *want[r.Name] {
			t.Errorf("%s: %+v, want %+v", r.Name, got, want[r.Name])
		}
	}
	var text bytes.Buffer
	report.WriteText(&text)
	contains(t, "indexing", text.String(), "    indexed by groupID == \"support-1\"\n", "    scanned, because groupID != \"c\": it only excludes values\n",
		"    scanned, because int(data.level) > 3: it can fail, which hides what stands behind it\n      indexed would be groupID == \"b\" && int(data.level) > 3\n")
}

// A report that went over the wire prints the same.
func TestReportsSurviveTheWire(t *testing.T) {
	report, err := explainer(t).Run(Request{Body: []byte(supportBody), Votes: map[string]Vote{"moderation": {Vote: "refuse", Code: 20405, Message: "not \"here\""}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wire, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(wire, &back); err != nil {
		t.Fatal(err)
	}
	var want, got bytes.Buffer
	report.WriteText(&want)
	back.WriteText(&got)
	if want.String() != got.String() {
		t.Errorf("want\n%s\ngot\n%s", &want, &got)
	}
	contains(t, "a sample", want.String(), "✓ spoken matches", "→ refuses with code 20403", "→ asks moderation, risk; policy first; a failed vote counts as allow",
		"verdict\n  refuse (20403 \"no\")")
}

func TestCountsInWords(t *testing.T) {
	c := Count{Rule: "r", Policy: "any", Outcome: "allow", Because: "one allow is enough: b", Decided: 2, Ballots: []Ballot{
		{Sink: "d"}, {Sink: "c", Arrived: 3, Vote: "refuse"}, {Sink: "b", Arrived: 2, Vote: "allow"}, {Sink: "a", Arrived: 1, Vote: "failed", CountsAs: "refuse"},
		{Sink: "e", Arrived: 9, Vote: "failed", CountsAs: "allow", Late: true},
	}}
	var b strings.Builder
	c.WriteText(&b)
	want := `  r: policy any, outcome allow: one allow is enough: b
     1. a failed, which counts as refuse: not decided yet
     2. b allowed: that decides
     3. c refused, after it was decided
     4. e was late, which counts as allow, after it was decided
     -  d was not waited for
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// Of a sample nobody was waited for or not: who is assumed to allow has a place in the order of the rules.
func TestAssumedAnswersOfASampleKeepTheirPlace(t *testing.T) {
	request := Request{Body: []byte(`{"callbackCommand":"callbackBeforeSendGroupMsgCommand","groupID":"support-1","contentType":101,"content":"{\"content\":\"hello\"}"}`),
		Votes: map[string]Vote{"risk": {Vote: "refuse", Code: 20401}}}
	contains(t, "sample", text(t, explainer(t), request, nil), "moderation: allow (assumed)")
}
