package sinks_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"callboard/sinks"
)

// Whatever a sink answers, an outcome is one of four and harmless to store.
func FuzzDeliver(f *testing.F) {
	f.Add(200, "", []byte(`{"actionCode":0}`), true)
	f.Add(200, "", []byte("\xff中"), false)
	f.Add(503, "120", []byte("busy"), false)
	f.Add(429, "Fri, 31 Dec 1999 23:59:59 GMT", []byte(nil), true)
	f.Add(410, "99999999999999999999", bytes.Repeat([]byte("中"), 1000), true)
	f.Fuzz(func(t *testing.T, status int, retryAfter string, body []byte, needsReply bool) {
		sink, err := sinks.New(sinks.Options{Name: "s", URL: "http://s", NeedsReply: needsReply, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {retryAfter}}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1, Request: r}, nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		o := sink.Deliver(t.Context(), delivery)
		if word(o) == "nonsense" || o.Status != status || o.RetryAfter < 0 || len(o.Answer) > 512 || !utf8.Valid(o.Answer) {
			t.Errorf("got %+v", o)
		}
	})
}

// Whatever a sink answers to a batch, each delivery has one outcome of the four.
func FuzzDeliverBatch(f *testing.F) {
	f.Add(200, []byte(`{"results":[{"id":"1.sink","status":200},{"id":"2.sink","status":503,"reason":"busy"}]}`), false)
	f.Add(207, []byte(`{"results":[{"status":200},{"status":-1},{}]}`), true)
	f.Add(200, []byte(`{"results":[null,7,"\ud800"]`), true)
	f.Add(413, []byte(`{"results":[]}`), false)
	f.Fuzz(func(t *testing.T, status int, body []byte, needsReply bool) {
		sink, err := sinks.New(sinks.Options{Name: "s", URL: "http://s", NeedsReply: needsReply, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1, Request: r}, nil
		})})
		if err != nil {
			t.Fatal(err)
		}
		whole, each := sink.DeliverBatch(t.Context(), three)
		if each == nil {
			each = []sinks.Outcome{whole, whole, whole}
		}
		for _, o := range each {
			if word(o) == "nonsense" || o.Status < 0 && status >= 0 || len(o.Answer) > 512 || !utf8.Valid(o.Answer) {
				t.Errorf("got %+v", o)
			}
		}
		if len(each) != len(three) || status/100 != 2 && each[0].Delivered {
			t.Errorf("got %+v", each)
		}
	})
}

// Whatever a sink does, Deliver keeps to Timeout, sends one request, and leaves nothing running.
func TestNoScriptHoldsDeliverPastItsTimeout(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o := sinks.Options{
			Timeout:    time.Millisecond + upTo(time.Second).Draw(r, "timeout"),
			NeedsReply: rapid.Bool().Draw(r, "needs reply"),
			Secrets:    rapid.SampledFrom([][]string{nil, {newSecret}, {newSecret, oldSecret}}).Draw(r, "secrets"),
			MaxAnswer:  rapid.Int64Range(0, 20).Draw(r, "max answer"),
		}
		step, resetAfter := anyStep.Draw(r, "step"), rapid.IntRange(-200, 200).Draw(r, "reset after")
		var outcome sinks.Outcome
		var took time.Duration
		var arrived, busy int
		onStage(t, o, steps(step), func(t *testing.T, s *stage) {
			s.network.ResetAfter("sink", resetAfter)
			begun := time.Now()
			outcome = s.near.Deliver(t.Context(), delivery)
			took = time.Since(begun)
			synctest.Wait()
			arrived = len(s.far.Got())
			s.near.Close()
			synctest.Wait()
			busy = s.network.Open("sink")
		})
		switch {
		case took > o.Timeout || took != outcome.Duration:
			r.Errorf("took %v (says %v) of %v", took, outcome.Duration, o.Timeout)
		case arrived > 1:
			r.Errorf("%d requests arrived", arrived)
		case word(outcome) == "nonsense":
			r.Errorf("got %+v", outcome)
		case busy != 0:
			r.Errorf("%d connections are still busy", busy)
		}
	})
}
