package table

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"callboard/internal/queue"
	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

// shapedSink are rules that notify and ask one sink, with the settings given.
func shapedSink(settings, more string) string {
	return `
sinks:
  one: {url: http://one/` + settings + `}
rules:
  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [one]}}
  - {name: tell, callbacks: [afterSendGroupMsg], notify: one}
` + more
}

const recorded = `{"callbackCommand":"callbackAfterSendGroupMsgCommand","groupID":"eu-7", "content":"{}"}`

// A far end that keeps what it got.
func serveOne(t *testing.T, log *bytes.Buffer, text string) (*served, *testkit.Sink, func() queue.Outcome) {
	t.Helper()
	network, far := testkit.NewNetwork(), testkit.Script()
	network.Serve(t, "one", far)
	var made []queue.Sink
	s := serve(t, func(o *Options) {
		o.Dial = network.DialContext
		o.Deliver = func(all []queue.Sink) { made = all }
		o.Log = slog.New(slog.NewTextHandler(log, nil))
	}, text)
	return s, far, func() queue.Outcome {
		return made[0].Deliverer.Deliver(context.Background(), queue.Delivery{
			Event: &queue.Event{ID: "cb", At: time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC), Command: "callbackAfterSendGroupMsgCommand",
				Source: "prod", Body: []byte(recorded)}, Sink: "one", Attempt: 1})
	}
}

func TestDeliveriesAreShapedByTheRulesOfToday(t *testing.T) {
	var log bytes.Buffer
	s, far, deliver := serveOne(t, &log, shapedSink("", ""))
	for i, step := range []struct{ settings, body, group, reason string }{
		{"", recorded, "", ""},
		{", set: {headers: {X-Group: groupID}, fields: {from: source, at: now}}",
			strings.TrimSuffix(recorded, "}") + `,"from":"prod","at":"2026-03-06T12:00:00Z"}`, "eu-7", ""},
		{", body: 'data.level'", "", "", "not sent: making its body: the expression is nil for this callback"},
		{", body: '{\"g\": groupID}'", `{"g":"eu-7"}`, "", ""},
	} {
		s.load(shapedSink(step.settings, ""))
		before := len(far.Got())
		o := deliver()
		if step.reason != "" {
			if o.Verdict != queue.Refused || o.Reason != step.reason || len(far.Got()) != before {
				t.Errorf("%d: %+v, want it refused: %s", i, o, step.reason)
			}
			continue
		}
		got := far.Got()[len(far.Got())-1]
		if o.Verdict != queue.Done || got.Body != step.body || got.Header.Get("X-Group") != step.group {
			t.Errorf("%d: %+v, got %s with X-Group %q, want %s", i, o, got.Body, got.Header.Get("X-Group"), step.body)
		}
		if kind := got.Header.Get("Content-Type"); kind != "application/json; charset=utf-8" {
			t.Errorf("%d: Content-Type %s", i, kind)
		}
	}
}

// Signatures are over what is sent.
func TestShapedDeliveriesAreSigned(t *testing.T) {
	var log bytes.Buffer
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	_, far, deliver := serveOne(t, &log, shapedSink(", secret: "+secret+", body: '{\"g\": groupID}'", ""))
	deliver()
	got := far.Got()[0]
	if !verified(t, secret, got.Header, got.Body) {
		t.Errorf("the signature %s is not of %s", got.Header.Get("Webhook-Signature"), got.Body)
	}
}

func TestWhatIsLeftOutOfDeliveriesIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	_, far, deliver := serveOne(t, &log, shapedSink(", set: {headers: {X-N: int(groupID)}}", ""))
	for range 3 {
		if o := deliver(); o.Verdict != queue.Done {
			t.Errorf("%+v", o)
		}
	}
	if n := strings.Count(log.String(), "delivery shaped in part"); n != 1 || len(far.Got()) != 3 {
		t.Errorf("logged %d times for %d deliveries:\n%s", n, len(far.Got()), &log)
	}
}

// Votes live with their sink: an edit elsewhere keeps them, also one that brings the sink other callbacks; an edit of the
// sink does not.
func TestKeptVotesOutliveAReload(t *testing.T) {
	var log bytes.Buffer
	const cache = ", cache: {key: sendID, ttl: 1h}, set: {fields: {g: groupID}}"
	s, _, _ := serveOne(t, &log, shapedSink(cache, ""))
	ask := func(key string) sinks.Result {
		return s.table.Sinks["one"].Ask(context.Background(), sinks.Request{Command: "c", Body: []byte("{}"), Key: key})
	}
	if r := ask("u1"); r.Answer.Vote != openim.Allow || r.Cache != sinks.Miss {
		t.Fatalf("asked: %+v", r)
	}
	for _, step := range []struct {
		what, text string
		want       sinks.CacheUse
	}{
		{"an edit elsewhere", "# moved\n" + shapedSink(cache, ""), sinks.Hit},
		{"a rule for another callback", shapedSink(cache, "  - {name: more, callbacks: [beforeSendSingleMsg], await: {sinks: [one]}}\n"), sinks.Hit},
		{"other fields", shapedSink(strings.Replace(cache, "g: groupID", "h: groupID", 1), ""), sinks.Miss},
		{"another key", shapedSink(strings.Replace(cache, "sendID", "groupID", 1), ""), sinks.Miss},
	} {
		s.load(step.text)
		if r := ask("u1"); r.Cache != step.want {
			t.Errorf("after %s: %+v, want %v", step.what, r, step.want)
		}
	}
}

func verified(t *testing.T, secret string, h http.Header, body string) bool {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return w.VerifyIgnoringTimestamp([]byte(body), h) == nil
}
