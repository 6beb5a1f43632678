package sinks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"callboard/internal/testkit"
	"callboard/sinks"
)

// batchOf makes deliveries "1.sink", "2.sink" and so on.
func batchOf(bodies ...string) []sinks.Delivery {
	var ds []sinks.Delivery
	for i, body := range bodies {
		d := delivery
		d.CallbackID = fmt.Sprint(i + 1)
		d.ID, d.Body = d.CallbackID+".sink", []byte(body)
		ds = append(ds, d)
	}
	return ds
}

var three = batchOf(`{"a":1}`, `{"b":2}`, `{"c":3}`)

func TestABatchIsOneRequest(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	for _, c := range []struct {
		name        string
		batch       sinks.Batch
		ds          []sinks.Delivery
		want        string
		contentType string
	}{
		{"an array of bodies", sinks.Batch{}, three, "[{\"a\":1},\n{\"b\":2},\n{\"c\":3}]", "application/json; charset=utf-8"},
		{"an array of one", sinks.Batch{}, three[:1], `[{"a":1}]`, "application/json; charset=utf-8"},
		{"bodies are left as they are", sinks.Batch{}, batchOf("{ \"a\" :\r\n 1e0}", "", "  "), "[{ \"a\" :\r\n 1e0},\nnull,\nnull]", "application/json; charset=utf-8"},
		{"a line for each", sinks.Batch{NDJSON: true}, batchOf("{\n\"a\":\r\n\"x\\ny\"}\n", `{"b":2}`), "{ \"a\":  \"x\\ny\"} \n{\"b\":2}\n", "application/x-ndjson"},
		{
			"envelopes", sinks.Batch{Envelope: true}, three[:1],
			`[{"id":"1.sink","callback_id":"1","command":"callbackBeforeSendGroupMsgCommand","source":"prod","operation_id":"op-1",` +
				`"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","hops":1,"attempt":1,"body":{"a":1}}]`,
			"application/json; charset=utf-8",
		},
		{
			"envelopes that say little", sinks.Batch{Envelope: true, NDJSON: true}, []sinks.Delivery{{ID: "1.sink", OperationID: "\"\n", Attempt: 12, ReplayOf: "0", Body: []byte("{\n}")}},
			`{"id":"1.sink","operation_id":"\"\n","replay_of":"0","attempt":12,"body":{ }}` + "\n", "application/x-ndjson",
		},
		{
			"computed headers", sinks.Batch{Envelope: true}, []sinks.Delivery{{ID: "1.sink", Body: []byte("{}"), Headers: http.Header{"X-Tenant": {"eu"}, "X-Ex": {`"é"`}}}},
			`[{"id":"1.sink","headers":{"X-Ex":"\"é\"","X-Tenant":"eu"},"body":{}}]`, "application/json; charset=utf-8",
		},
		{"computed headers without envelopes", sinks.Batch{}, []sinks.Delivery{{ID: "1.sink", Body: []byte("{}"), Headers: http.Header{"X-Tenant": {"eu"}}}}, "[{}]", "application/json; charset=utf-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onStage(t, sinks.Options{Batch: c.batch, Secrets: []string{secret}}, steps(status(204)), func(t *testing.T, s *stage) {
				whole, each := s.near.DeliverBatch(t.Context(), c.ds)
				wantTaken(t, whole, delivered, "")
				if each != nil {
					t.Errorf("a 204 says something of each: %v", each)
				}
				got := s.far.Got()[0]
				if got.Body != c.want || got.Header.Get("Content-Type") != c.contentType || got.Header.Get("callboard-batch") != fmt.Sprint(len(c.ds)) {
					t.Errorf("got %s with %s of %s, want %s of %d", got.Body, got.Header.Get("Content-Type"), got.Header.Get("callboard-batch"), c.want, len(c.ds))
				}
				for _, name := range []string{"callboard-id", "callboard-command", "callboard-attempt", "operationid", "traceparent", "x-tenant"} {
					if v := got.Header.Get(name); v != "" {
						t.Errorf("%s: %s stands for all of a batch", name, v)
					}
				}
				webhook, err := standardwebhooks.NewWebhook(secret)
				if err != nil {
					t.Fatal(err)
				}
				if err := webhook.VerifyIgnoringTimestamp([]byte(got.Body), got.Header); err != nil {
					t.Errorf("the signature is wrong: %v", err)
				}
			})
		})
	}
}

func TestABatchHasTheSameIDForTheSameDeliveries(t *testing.T) {
	onStage(t, sinks.Options{}, steps(status(503)), func(t *testing.T, s *stage) {
		later := append([]sinks.Delivery{}, three...)
		for i := range later {
			later[i].Attempt++
		}
		for _, ds := range [][]sinks.Delivery{three, later, three[:2]} {
			s.near.DeliverBatch(t.Context(), ds)
		}
		var ids []string
		for _, got := range s.far.Got() {
			ids = append(ids, got.Header.Get("webhook-id"))
		}
		if !strings.HasPrefix(ids[0], "batch_") || len(ids[0]) != 38 || ids[0] != ids[1] || ids[0] == ids[2] {
			t.Errorf("ids = %v, want the first two alike", ids)
		}
	})
}

func TestHeadersOfTheSinkStandOverThoseOfABatch(t *testing.T) {
	o := sinks.Options{Batch: sinks.Batch{NDJSON: true}, Headers: map[string]string{"Content-Type": "text/plain", "webhook-id": "x"}}
	onStage(t, o, steps(status(204)), func(t *testing.T, s *stage) {
		s.near.DeliverBatch(t.Context(), three)
		if h := s.far.Got()[0].Header; h.Get("Content-Type") != "text/plain" || h.Get("webhook-id") == "x" {
			t.Errorf("headers = %v", h)
		}
	})
}

// A said is what came of one delivery of a batch.
type said struct {
	Taken  taken
	Status int
	Reason string
}

func TestAnAnswerSettlesEachOfABatch(t *testing.T) {
	all := func(s said) []said { return []said{s, s, s} }
	ok := said{delivered, 200, ""}
	for _, c := range []struct {
		name   string
		status int
		answer string
		want   []said // nil: of all the same, whole
		whole  said
	}{
		{"an empty 200 takes all", 200, "", nil, ok},
		{"so does one about other things", 200, `{"ok":true,"data":{"results":[1]}}`, nil, ok},
		{"so does nonsense", 200, "<html>", nil, ok},
		{"results by id, in any order", 200, `{"results":[{"id":"3.sink","status":503},{"id":"1.sink","status":200},{"id":"2.sink","status":422}]}`,
			[]said{ok, {refused, 422, "its result is HTTP 422"}, {retry, 503, "its result is HTTP 503"}}, said{}},
		{"results by place", 202, `{"results":[{"status":204},{"status":409,"reason":"no"},{"status":429}]}`,
			[]said{{delivered, 204, ""}, {refused, 409, "its result is HTTP 409"}, {retry, 429, "its result is HTTP 429"}}, said{}},
		{"only what failed", 200, `{"results":[{"id":"2.sink","status":500}]}`, []said{ok, {retry, 500, "its result is HTTP 500"}, ok}, said{}},
		{"nothing failed", 200, `{"results":[]}`, all(ok), said{}},
		{"others' ids", 200, `{"results":[{"id":"7.sink","status":500}]}`, all(ok), said{}},
		{"a 410 is about one", 200, `{"results":[{"id":"2.sink","status":410}]}`, []said{ok, {refused, 410, "its result is HTTP 410"}, ok}, said{}},
		{"a redirect, no status", 200, `{"results":[{"status":302},{},{"status":99999}]}`,
			[]said{{retry, 302, "its result is HTTP 302"}, {retry, 0, "its result has no HTTP status"}, {retry, 0, "its result has no HTTP status"}}, said{}},
		{"207 must name each", 207, `{"results":[{"id":"1.sink","status":200}]}`,
			[]said{ok, {retry, 207, "the answer's results do not name it"}, {retry, 207, "the answer's results do not name it"}}, said{}},
		{"207 without results", 207, `{"ok":true}`, nil, said{retry, 207, "answered HTTP 207 without results"}},
		{"too few by place", 200, `{"results":[{"status":200},{"status":200}]}`, nil, said{retry, 200, "2 results without ids, for a batch of 3"}},
		{"results that are none", 200, `{"results":"fine"}`, nil, said{retry, 200, "the answer's results are no list of objects with id and status"}},
		{"null results", 200, `{"results":null}`, nil, said{retry, 200, "the answer's results are no list of objects with id and status"}},
		{"a status in words", 200, `{"results":[{"status":"ok"}]}`, nil, said{retry, 200, "the answer's results are no list of objects with id and status"}},
		{"results cut short", 200, `{"results":[{"status":2`, nil, said{retry, 200, "the answer has results but is not JSON"}},
		{"400 refuses all, whatever it says", 400, `{"results":[{"status":200},{"status":200},{"status":200}]}`, nil, said{refused, 400, "answered HTTP 400"}},
		{"413", 413, "", nil, said{refused, 413, "answered HTTP 413"}},
		{"410 ends all", 410, "", nil, said{gone, 410, "answered HTTP 410: it wants nothing more"}},
		{"503", 503, "", nil, said{retry, 503, "answered HTTP 503"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onStage(t, sinks.Options{}, steps(testkit.Answer(c.status, c.answer)), func(t *testing.T, s *stage) {
				whole, each := s.near.DeliverBatch(t.Context(), three)
				if c.want == nil {
					if got := (said{word(whole), whole.Status, whole.Reason}); each != nil || got != c.whole {
						t.Errorf("got %+v and %v, want %+v of all", got, each, c.whole)
					}
					return
				}
				var got []said
				for _, o := range each {
					got = append(got, said{word(o), o.Status, o.Reason})
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("outcomes (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestWithSuccessReplyABatchNeedsAResultForEach(t *testing.T) {
	for _, c := range []struct{ answer, want string }{
		{"", "answered HTTP 200 without results"},
		{`{"actionCode":0}`, "answered HTTP 200 without results"},
		{`{"results":[]}`, "the answer's results do not name it"},
		{`{"results":[{"status":200},{"status":200},{"status":200}]}`, ""},
	} {
		onStage(t, sinks.Options{NeedsReply: true}, steps(testkit.Answer(200, c.answer)), func(t *testing.T, s *stage) {
			whole, each := s.near.DeliverBatch(t.Context(), three)
			if each != nil {
				whole = each[1]
			}
			if whole.Reason != c.want || whole.Delivered != (c.want == "") {
				t.Errorf("%s: got %+v, want %q", c.answer, whole, c.want)
			}
		})
	}
}

// Of an answer that breaks off nobody knows what its results would have been.
func TestABatchWhoseAnswerIsLostComesAgain(t *testing.T) {
	for name, c := range map[string]struct {
		step   testkit.Step
		want   taken
		reason string
	}{
		"cut short":                          {testkit.Garbage("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{}"), retry, "connection broke in the middle of the answer"},
		"late":                               {testkit.Step{Body: "{}", Late: time.Hour}, retry, "answer was not complete within 400ms"},
		"never":                              {testkit.Step{Hangs: true}, retry, "no answer within 400ms"},
		"endless":                            {testkit.Huge(10 << 20), delivered, ""},
		"too long, and perhaps with results": {testkit.Step{Body: `{"results":[` + strings.Repeat(" ", 9<<10)}, retry, "answer is larger than 8 KiB"},
		"too long, and perhaps with results, of that length": {testkit.Garbage("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{\"results\":[" + strings.Repeat(" ", 8988)), retry, "answer is larger than 8 KiB"},
		"long": {testkit.Answer(200, strings.Repeat(" ", 9<<10)), delivered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, sinks.Options{Timeout: 400 * ms, MaxAnswer: 8 << 10}, steps(c.step), func(t *testing.T, s *stage) {
				whole, each := s.near.DeliverBatch(t.Context(), three)
				if wantTaken(t, whole, c.want, c.reason); each != nil {
					t.Errorf("each = %v", each)
				}
			})
		})
	}
}

func TestRetryAfterCountsForEachThatFailed(t *testing.T) {
	step := testkit.Step{Header: map[string]string{"Retry-After": "7"}, Body: `{"results":[{"id":"2.sink","status":503}]}`}
	onStage(t, sinks.Options{}, steps(step), func(t *testing.T, s *stage) {
		_, each := s.near.DeliverBatch(t.Context(), three)
		if each[0].RetryAfter != 0 || each[1].RetryAfter != 7*time.Second {
			t.Errorf("waits = %v, %v", each[0].RetryAfter, each[1].RetryAfter)
		}
		if got := string(each[1].Answer); got != `{"id":"2.sink","status":503}` {
			t.Errorf("the answer to the second is %s", got)
		}
	})
}

func TestABatchIsNotSentToAURLWithPlaceholders(t *testing.T) {
	onStage(t, sinks.Options{URL: "http://sink/{command}"}, steps(status(200)), func(t *testing.T, s *stage) {
		whole, _ := s.near.DeliverBatch(t.Context(), three)
		wantTaken(t, whole, refused, "not sent: a batch holds several callbacks, which the placeholders of the sink's URL do not fit")
	})
}

func TestABatchEndsWithItsContext(t *testing.T) {
	onStage(t, sinks.Options{}, steps(testkit.Step{Hangs: true}), func(t *testing.T, s *stage) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		whole, _ := s.near.DeliverBatch(ctx, three)
		wantTaken(t, whole, retry, "called off")
	})
}

type panics struct{}

func (panics) RoundTrip(*http.Request) (*http.Response, error) { panic("oops") }

func TestAPanicFailsABatch(t *testing.T) {
	onStage(t, sinks.Options{Transport: panics{}}, steps(status(200)), func(t *testing.T, s *stage) {
		whole, _ := s.near.DeliverBatch(t.Context(), three)
		wantTaken(t, whole, retry, "delivering panicked; the log has more")
	})
}

// A batch holds what went into it, whatever that was.
func TestABatchHoldsItsDeliveries(t *testing.T) {
	body := rapid.SampledFrom([]string{`{}`, "{\n\"a\": [1,\r\n2]}", `{"a":"\n\u2028"}`, "null", `"x"`, "[]", " 1 ", "{\"a\":\"\u2028\"}"})
	rapid.Check(t, func(rt *rapid.T) {
		b := sinks.Batch{NDJSON: rapid.Bool().Draw(rt, "ndjson"), Envelope: rapid.Bool().Draw(rt, "envelope")}
		ds := batchOf(rapid.SliceOfN(body, 1, 5).Draw(rt, "bodies")...)
		ds[0].Source = rapid.String().Draw(rt, "source")
		var got string
		onStage(t, sinks.Options{Batch: b}, steps(status(204)), func(t *testing.T, s *stage) {
			s.near.DeliverBatch(t.Context(), ds)
			got = s.far.Got()[0].Body
		})
		var items []json.RawMessage
		if b.NDJSON {
			for line := range strings.Lines(got) {
				items = append(items, json.RawMessage(line))
			}
		} else if err := json.Unmarshal([]byte(got), &items); err != nil {
			rt.Fatalf("%s: %v", got, err)
		}
		if len(items) != len(ds) {
			rt.Fatalf("%d items for %d deliveries: %q", len(items), len(ds), got)
		}
		for i, item := range items {
			var e struct {
				ID, Source string
				Body       json.RawMessage
			}
			if !b.Envelope {
				e.Body = item
			} else if err := json.Unmarshal(item, &e); err != nil || e.ID != ds[i].ID || e.Source != strings.ToValidUTF8(ds[i].Source, "\ufffd") {
				rt.Fatalf("envelope %s: %v", item, err)
			}
			var got, want any
			if err := json.Unmarshal(e.Body, &got); err != nil || json.Unmarshal(ds[i].Body, &want) != nil || !cmp.Equal(got, want) {
				rt.Fatalf("body %s, want %s: %v", e.Body, ds[i].Body, err)
			}
		}
	})
}
