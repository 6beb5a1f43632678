package router

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/journal"
	"callboard/internal/queue"
	"callboard/openim"
	"callboard/sinks"
)

// What a record has of a trace is what Recall tells, from whatever hands it comes.
func TestRecall(t *testing.T) {
	raw := func(name, value string) openim.FieldValue { return openim.FieldValue{Name: name, Raw: []byte(value)} }
	done := func(sink string, took time.Duration, a openim.Answer) SinkTrace {
		return SinkTrace{Result: sinks.Result{Sink: sink, Answer: a, Attempts: 2, Status: 200, Duration: took}, Done: true}
	}
	trace := &Trace{
		ID: "cb", Command: "callbackBeforeSendGroupMsgCommand", Why: "a sink refused", DecidedBy: "ask",
		Rules: []RuleTrace{{Rule: "ask", Matched: true}, {Rule: "fails", Err: "no integer"}},
		Asked: []SinkTrace{
			done("a", 1234567*time.Nanosecond, openim.Answer{Vote: openim.Allow, Fields: []openim.FieldValue{raw("ex", `{"a":1}`)}}),
			done("b", time.Second, openim.Answer{Vote: openim.Refuse, Code: 7, Message: "no"}),
			done("chatty", 0, openim.Answer{Vote: openim.Allow, Fields: []openim.FieldValue{raw("content", `"`+strings.Repeat("x", maxSet)+`"`)}}),
			done("ill", 0, openim.Answer{Reason: "answered with status 503"}),
			{Result: sinks.Result{Sink: "late", Answer: openim.Answer{Reason: tooLate}}},
			{Result: sinks.Result{Sink: "slow", Answer: openim.Answer{Reason: "its answer was not waited for"}}},
		},
		Notified: []queue.Target{{Sink: "archive", Key: "g1", Rules: []string{"ask"}}},
		Verdict:  openim.Verdict{Refuse: true, Code: 7, Message: "no", Fields: []openim.FieldValue{raw("content", `"new"`)}},
		Reply:    []byte(`{"actionCode":0,"content":"new"}`),
	}
	vote := func(sink string, took time.Duration, a openim.Answer) RecalledVote {
		return RecalledVote{Sink: sink, Done: true, Answer: a, Attempts: 2, Status: 200, Duration: took}
	}
	cut := vote("chatty", 0, openim.Answer{Vote: openim.Allow})
	cut.Cut = true
	want := &Recalled{
		Why: "a sink refused", DecidedBy: "ask", Message: "no", Failed: []string{"fails"}, Notified: trace.Notified, Fields: trace.Verdict.Fields,
		Asked: []RecalledVote{
			vote("a", 1234*time.Microsecond, trace.Asked[0].Answer),
			vote("b", time.Second, trace.Asked[1].Answer),
			cut,
			vote("ill", 0, trace.Asked[3].Answer),
			{Sink: "late", Answer: openim.Answer{Reason: tooLate}},
			{Sink: "slow", Answer: openim.Answer{Reason: "its answer was not waited for"}},
		},
	}
	for _, place := range []int{0, 1, 3, 4} { // not who set more than is kept, nor who was not waited for
		want.Votes.Answer(want.Asked[place].Sink, want.Asked[place].Answer, false)
	}
	record := trace.Record(true)
	text := record.Trace.(tracePage).AppendJSON(nil)
	var decoded any
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatal(err)
	}
	for name, trace := range map[string]any{"of the journal": json.RawMessage(text), "of the API": decoded} {
		record.Trace = trace
		got, err := Recall(record)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Votes{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for i, late := range []bool{false, false, false, false, true, false} {
		if v := want.Asked[i]; v.TooLate() != late {
			t.Errorf("%s is too late: %t", v.Sink, !late)
		}
	}
}

func TestRecallWithoutATrace(t *testing.T) {
	for _, trace := range []any{nil, json.RawMessage(nil)} {
		got, err := Recall(&journal.Callback{Trace: trace})
		if err != nil || !cmp.Equal(got, &Recalled{}, cmp.AllowUnexported(Votes{})) {
			t.Errorf("%#v: %+v, %v", trace, got, err)
		}
	}
	if got, err := Recall(&journal.Callback{ID: "cb1", Trace: json.RawMessage("[")}); err == nil || !strings.Contains(err.Error(), "the trace of callback cb1") {
		t.Errorf("%+v, %v", got, err)
	}
}

// A replay has what rules and loops are decided by, though the journal keeps no headers.
func TestARecordedRequestIsAsItCame(t *testing.T) {
	cb := &journal.Callback{Path: "/prod/x", Query: "a=b", OperationID: "op1", Hops: 2, Body: []byte("{}")}
	r := RecordedRequest(cb)
	if r.Path != cb.Path || r.RawQuery != cb.Query || string(r.Body) != "{}" || r.Header.Get("operationID") != "op1" || r.Header.Get("Callboard-Hops") != "2" {
		t.Errorf("%+v", r)
	}
	const written = "/prod/callbackBeforeSendGroupMsgCommand"
	if r = RecordedRequest(&journal.Callback{Command: "beforeSendGroupMsg", Source: "prod"}); r.Path != written {
		t.Errorf("of a line by hand: %s, want %s", r.Path, written)
	}
	if r = RecordedRequest(&journal.Callback{}); len(r.Header) != 0 {
		t.Errorf("of nothing: %+v", r)
	}
}
