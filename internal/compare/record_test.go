package compare

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/journal"
	"callboard/internal/queue"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
	"callboard/sinks"
)

const twoSinks = `
sinks:
  mod: {url: "http://127.0.0.1:1"}
  risk: {url: "http://127.0.0.1:1"}
  archive: {url: "http://127.0.0.1:1", order_by: groupID}
rules:
  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [mod, risk], policy: any}, notify: [archive]}
  - {name: by-header, callbacks: [beforeSendSingleMsg], when: 'headers["x"] == "y"', notify: [archive]}
  - {name: fails, callbacks: [beforeSendGroupMsg], when: 'int(content) > 0', notify: [archive]}
`

func side(t *testing.T, text string) *Side {
	t.Helper()
	set, ds := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(text)}}, rules.Options{})
	if set == nil {
		t.Fatal(ds)
	}
	return NewSide(set, router.Options{})
}

func callback(t *testing.T, command, body string) *openim.Callback {
	t.Helper()
	cb, err := openim.Decode(openim.Request{Path: "/" + command, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return cb
}

// What a trace came to is the same after it was recorded, exported and read again.
func TestARecordSaysWhatTheTraceSaid(t *testing.T) {
	s := side(t, twoSinks)
	trace := &router.Trace{
		ID: "cb", Received: time.Now(), Command: "callbackBeforeSendGroupMsgCommand",
		Rules: []router.RuleTrace{{Rule: "ask", Matched: true}, {Rule: "fails", Err: "no integer"}},
		Asked: []router.SinkTrace{
			{Result: sinks.Result{Sink: "mod", Answer: openim.Answer{Vote: openim.Allow, Fields: fields("content", `"new"`, "ex", `{"a":1}`)}}, Done: true},
			{Result: sinks.Result{Sink: "risk", Answer: openim.Answer{Reason: router.TooLate}}},
			{Result: sinks.Result{Sink: "chatty", Answer: openim.Answer{Vote: openim.Allow, Fields: fields("content", `"`+strings.Repeat("x", 64<<10)+`"`)}}, Done: true},
			{Result: sinks.Result{Sink: "slow", Answer: openim.Answer{Reason: "its answer was not waited for"}}},
		},
		Notified: []queue.Target{{Sink: "archive", Key: "g1", Rules: []string{"ask"}}},
		Queued:   true,
		Verdict:  openim.Verdict{Fields: fields("content", `"new"`)},
		Reply:    []byte(`{"actionCode":0,"content":"new"}`),
	}
	record := trace.Record(true)
	record.Trace = json.RawMessage(record.Trace.(interface{ AppendJSON([]byte) []byte }).AppendJSON(nil)) // as the journal gives it back
	line, err := journal.AppendExport(nil, record)
	if err != nil {
		t.Fatal(err)
	}
	e, err := journal.ParseExport(line)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadRecord(&e.Callback)
	if err != nil {
		t.Fatal(err)
	}
	want := s.Outcome(trace)
	if ds := Differences(&want, &got.Outcome); ds != nil {
		t.Errorf("the record differs: %+v", ds)
	}
	votes := map[string]openim.Answer{
		"mod":  {Vote: openim.Allow, Fields: fields("content", `"new"`, "ex", `{"a":1}`)},
		"risk": {Reason: router.TooLate},
	}
	if diff := cmp.Diff(votes, got.Votes.Answers); diff != "" {
		t.Errorf("votes (-want +got):\n%s", diff)
	}
}

func TestARefusalIsRecorded(t *testing.T) {
	got, err := ReadRecord(&journal.Callback{Verdict: "refuse", Code: 7, Rules: []string{"ask"},
		Trace: map[string]any{"decided_by": "ask"}}) // as an answer of the API has it
	if err != nil || !got.Outcome.Refused || got.Outcome.Code != 7 || got.Outcome.DecidedBy != "ask" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRehearse(t *testing.T) {
	s := side(t, twoSinks)
	refuse := openim.Answer{Vote: openim.Refuse, Code: 20401, Message: "no"}
	body := `{"callbackCommand":"callbackBeforeSendGroupMsgCommand","groupID":"g1","content":"x"}`
	for _, row := range []struct {
		name    string
		votes   map[string]openim.Answer
		assumed openim.Answer
		refused bool
		unheard []string
	}{
		{"one is heard, and allows", map[string]openim.Answer{"mod": {Vote: openim.Allow}}, openim.Answer{Vote: openim.Allow}, false, nil},
		{"both are heard, and refuse", map[string]openim.Answer{"mod": refuse, "risk": refuse}, openim.Answer{Vote: openim.Allow}, true, nil},
		{"one refuses, the other is assumed to allow", map[string]openim.Answer{"mod": refuse}, openim.Answer{Vote: openim.Allow}, false, []string{"risk"}},
		{"one refuses, the other is assumed to refuse", map[string]openim.Answer{"mod": refuse}, refuse, true, []string{"risk"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			o, unheard := s.Rehearse(callback(t, "callbackBeforeSendGroupMsgCommand", body), time.Now(), router.Votes{Answers: row.votes}, row.assumed)
			if o.Refused != row.refused || !cmp.Equal(unheard, row.unheard) {
				t.Errorf("refused %t, unheard %v", o.Refused, unheard)
			}
			if !cmp.Equal(o.Asked, []Part{{Sink: "mod", Rules: []string{"ask"}}, {Sink: "risk", Rules: []string{"ask"}}}) ||
				!cmp.Equal(o.Notified, []Part{{Sink: "archive", Key: "g1", Rules: []string{"ask"}}}) || !cmp.Equal(o.Failed, []string{"fails"}) {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}

func TestUnsure(t *testing.T) {
	s := side(t, twoSinks)
	if got := s.Unsure(callback(t, "callbackBeforeSendGroupMsgCommand", `{}`)); got != nil {
		t.Errorf("unsure of %v", got)
	}
	if got := s.Unsure(callback(t, "callbackBeforeSendSingleMsgCommand", `{}`)); len(got) != 1 || got[0].Name != "by-header" {
		t.Errorf("unsure of %v", got)
	}
}

// Whatever stands in an export, it is read or refused.
func FuzzReadRecord(f *testing.F) {
	f.Add([]byte(`{"decided_by":"a","rules":[{"rule":"a","error":"e"}],"asked":[{"sink":"s","vote":"allow","set":{"a":1}},{"sink":"t","vote":"out"}]}`))
	f.Add([]byte(`{"fields":[{"name":"a"}],"reply":"{\"a\":1}","asked":[{"set":null}],"notified":[{"sink":"s","key":"k","rules":["r"]}]}`))
	f.Add([]byte(`{"reply":7}`))
	f.Fuzz(func(t *testing.T, trace []byte) {
		r, err := ReadRecord(&journal.Callback{Verdict: "allow", Trace: json.RawMessage(trace)})
		if err != nil {
			return
		}
		if ds := Differences(&r.Outcome, &r.Outcome); ds != nil {
			t.Fatalf("%s differs from itself: %+v", trace, ds)
		}
	})
}

// Of rules that let the first vote decide, the order is half of what was recorded; and who was too late is again.
func TestVotesComeAsTheyCame(t *testing.T) {
	s := side(t, `
sinks:
  a: {url: "http://a.internal"}
  b: {url: "http://b.internal"}
rules:
  - {name: quick, await: {sinks: [a, b], policy: first, deadline: 100ms}}
  - {name: slow, await: {sinks: [a], policy: any, deadline: 900ms}}
`)
	body := `{"callbackCommand":"callbackBeforeSendGroupMsgCommand"}`
	for _, row := range []struct {
		name, trace string
		decidedBy   string
	}{
		{"b was first", `{"asked":[{"sink":"a","vote":"allow"},{"sink":"b","vote":"refuse","code":20401}],
			"rules":[{"rule":"quick","ballots":[{"sink":"a","arrived":2},{"sink":"b","arrived":1}]}]}`, "quick"},
		{"a was not waited for", `{"asked":[{"sink":"a","vote":"out"},{"sink":"b","vote":"refuse","code":20401}]}`, "quick"},
		{"a was too late for one rule", `{"asked":[{"sink":"a","vote":"refuse","code":20401},{"sink":"b","vote":"allow"}],
			"rules":[{"rule":"quick","ballots":[{"sink":"a","arrived":3,"late":true},{"sink":"b","arrived":1}]}]}`, "slow"},
		{"a set more than is kept, which only an allow does", `{"asked":[{"sink":"a","vote":"refuse","code":20401,"set":null}]}`, "quick"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, err := ReadRecord(&journal.Callback{Verdict: "refuse", Trace: json.RawMessage(row.trace)})
			if err != nil {
				t.Fatal(err)
			}
			o, _ := s.Rehearse(callback(t, "callbackBeforeSendGroupMsgCommand", body), time.Now(), r.Votes, openim.Answer{Vote: openim.Allow})
			if o.DecidedBy != row.decidedBy {
				t.Errorf("decided by %q, want %q", o.DecidedBy, row.decidedBy)
			}
		})
	}
}
