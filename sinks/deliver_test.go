package sinks_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/testkit"
	"callboard/sinks"
)

// delivery is callback's first attempt at being delivered.
var delivery = sinks.Delivery{
	ID: "01jd0000000000000000000001.sink", CallbackID: "01jd0000000000000000000001", Command: callback.Command, Source: callback.Source,
	OperationID: callback.OperationID, TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Hops: 1, Attempt: 1, Body: callback.Body,
}

// A taken is an Outcome in a word; the zero value is none of them.
type taken string

const (
	delivered taken = "delivered"
	retry     taken = "retry"
	gone      taken = "gone"
	refused   taken = "refused"
)

func word(o sinks.Outcome) taken {
	switch {
	case o.Delivered && !o.Retry && !o.Gone && o.Reason == "":
		return delivered
	case o.Retry && !o.Delivered && !o.Gone && o.Reason != "":
		return retry
	case o.Gone && !o.Delivered && !o.Retry && o.Reason != "":
		return gone
	case !o.Delivered && !o.Retry && !o.Gone && o.Reason != "":
		return refused
	}
	return "nonsense"
}

func wantTaken(t *testing.T, o sinks.Outcome, want taken, reason string) {
	t.Helper()
	if got := word(o); got != want || o.Reason != reason {
		t.Errorf("got %s, %q; want %s, %q", got, o.Reason, want, reason)
	}
}

func TestDeliverGoesByTheStatus(t *testing.T) {
	const redirected = "answered with a redirect, which is not followed"
	for code, c := range map[int]struct {
		want   taken
		reason string
	}{
		200: {delivered, ""},
		201: {delivered, ""},
		202: {delivered, ""},
		204: {delivered, ""},
		299: {delivered, ""},
		300: {retry, redirected},
		302: {retry, redirected},
		304: {retry, redirected},
		400: {refused, "answered HTTP 400"},
		401: {refused, "answered HTTP 401"},
		404: {refused, "answered HTTP 404"},
		408: {retry, "answered HTTP 408"},
		409: {refused, "answered HTTP 409"},
		410: {gone, "answered HTTP 410: it wants nothing more"},
		413: {refused, "answered HTTP 413"},
		425: {retry, "answered HTTP 425"},
		429: {retry, "answered HTTP 429"},
		499: {refused, "answered HTTP 499"},
		500: {retry, "answered HTTP 500"},
		501: {retry, "answered HTTP 501"},
		503: {retry, "answered HTTP 503"},
		599: {retry, "answered HTTP 599"},
		799: {retry, "answered HTTP 799"},
	} {
		script := steps(testkit.Step{Status: code, Header: map[string]string{"Location": "http://sink/elsewhere"}}, testkit.Allow())
		onStage(t, sinks.Options{Attempts: 3, Hedge: ms}, script, func(t *testing.T, s *stage) {
			o := s.near.Deliver(t.Context(), delivery)
			if word(o) != c.want || o.Reason != c.reason || o.Status != code || len(s.far.Got()) != 1 {
				t.Errorf("%d: got %s, %+v after %d requests; want %s, %q, one request", code, word(o), o, len(s.far.Got()), c.want, c.reason)
			}
		})
	}
}

// An answer that is lost, endless or late makes no difference once its status has come.
func TestDeliverNeedsNoWholeAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		step testkit.Step
		want taken
		took time.Duration
	}{
		"a body that does not come":        {testkit.Step{Body: "{}", Late: time.Hour}, delivered, 400 * ms},
		"a body without end":               {testkit.Huge(10 << 20), delivered, 0},
		"a body cut short":                 {testkit.Garbage("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), delivered, 0},
		"a refusal":                        {testkit.Refuse(1, "no"), delivered, 0},
		"nonsense":                         {testkit.Answer(200, "<html>"), delivered, 0},
		"a redirect whose body never ends": {testkit.Step{Status: 302, Body: "{", Trickle: 10 * ms, Repeat: 1 << 20}, retry, 400 * ms},
		"a 404 whose body is cut short":    {testkit.Garbage("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n{}"), refused, 0},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, sinks.Options{Timeout: 400 * ms, MaxAnswer: 1}, steps(c.step), func(t *testing.T, s *stage) {
				if o := s.near.Deliver(t.Context(), delivery); word(o) != c.want || o.Duration != c.took {
					t.Errorf("got %s, %+v; want %s after %v", word(o), o, c.want, c.took)
				}
			})
		})
	}
}

func TestDeliverWithSuccessReplyWantsAnAllow(t *testing.T) {
	for name, c := range map[string]struct {
		step   testkit.Step
		reason string // "" when it is delivered
	}{
		"an allow":                        {testkit.Allow(), ""},
		"an object without fields":        {testkit.Answer(200, "{}"), ""},
		"an allow with another 2xx":       {testkit.Answer(202, `{"actionCode":0}`), ""},
		"a refusal":                       {testkit.Refuse(20401, "SECRET"), "its reply refuses with code 20401, where success: reply wants an allow"},
		"work that was not done":          {testkit.Answer(200, `{"actionCode":1,"errMsg":"SECRET"}`), "answered actionCode 1"},
		"no content":                      {testkit.NoContent(), "answered HTTP 204 without the reply that success: reply wants"},
		"an empty answer":                 {testkit.Answer(200, ""), "answered HTTP 200 without the reply that success: reply wants"},
		"HTML":                            {testkit.Answer(200, "<html>SECRET"), "its answer is HTML or XML, not a JSON object"},
		"too much":                        {testkit.Huge(10 << 20), "answer is larger than 1 MiB"},
		"a body cut short":                {testkit.Garbage("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), "connection broke in the middle of the answer"},
		"a body that does not come":       {testkit.Step{Body: "{}", Late: time.Hour}, "answer was not complete within 400ms"},
		"an allow with an error's status": {testkit.Answer(503, testkit.Allow().Body), "answered HTTP 503"},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, sinks.Options{Timeout: 400 * ms, NeedsReply: true}, steps(c.step), func(t *testing.T, s *stage) {
				want := retry // the service has not done its work, and may later
				if c.reason == "" {
					want = delivered
				}
				wantTaken(t, s.near.Deliver(t.Context(), delivery), want, c.reason)
			})
		})
	}
	onStage(t, sinks.Options{NeedsReply: true}, steps(status(410), status(400)), func(t *testing.T, s *stage) {
		wantTaken(t, s.near.Deliver(t.Context(), delivery), gone, "answered HTTP 410: it wants nothing more")
		wantTaken(t, s.near.Deliver(t.Context(), delivery), refused, "answered HTTP 400")
	})
}

func TestDeliverFailsWithAReason(t *testing.T) {
	for name, c := range map[string]struct {
		step   testkit.Step
		reason string
		took   time.Duration
	}{
		"silence":                 {testkit.Hang(), "no answer within 400ms", 400 * ms},
		"a reset":                 {testkit.Reset(), "connection broke before the answer: connection reset by peer", 0},
		"a close":                 {testkit.Garbage(""), "connection was closed before the answer", 0},
		"garbage":                 {testkit.Garbage("SECRET nonsense\r\n\r\n"), "answer is not HTTP", 0},
		"a header without end":    {testkit.Garbage("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 100<<10)), "answer's header is larger than 64 KiB", 0},
		"a switch to another way": {testkit.Garbage("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n{}"), "answered HTTP 101", 0},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, sinks.Options{Timeout: 400 * ms}, steps(c.step), func(t *testing.T, s *stage) {
				o := s.near.Deliver(t.Context(), delivery)
				wantTaken(t, o, retry, c.reason)
				if o.Duration != c.took || len(s.far.Got()) != 1 {
					t.Errorf("took %v and %d requests, want %v and one", o.Duration, len(s.far.Got()), c.took)
				}
			})
		})
	}
	onStage(t, sinks.Options{Timeout: 400 * ms}, nil, func(t *testing.T, s *stage) {
		s.network.Refuse("sink", true)
		wantTaken(t, s.near.Deliver(t.Context(), delivery), retry, "no connection: connection refused")
		s.network.Refuse("sink", false)
		s.network.Hang("sink", true)
		wantTaken(t, s.near.Deliver(t.Context(), delivery), retry, "no answer within 400ms")
	})
}

func TestDeliverRefusesWhatDoesNotFitIntoTheURL(t *testing.T) {
	onStage(t, sinks.Options{URL: "http://sink/{source}/{command}"}, nil, func(t *testing.T, s *stage) {
		d := delivery
		wantTaken(t, s.near.Deliver(t.Context(), d), delivered, "")
		d.Command = ".."
		wantTaken(t, s.near.Deliver(t.Context(), d), refused, "not sent: the callback's command or source does not fit into the sink's URL")
		if got := s.far.Got(); len(got) != 1 || got[0].Path != "/prod/callbackBeforeSendGroupMsgCommand" {
			t.Errorf("got %+v", got)
		}
	})
}

func TestDeliverIsCalledOff(t *testing.T) {
	for name, c := range map[string]struct {
		step testkit.Step
		want taken
	}{
		"while it waits for an answer":             {testkit.Hang(), retry},
		"in a reply that decides":                  {testkit.Step{Body: "{}", Late: time.Hour}, retry},
		"in an answer whose status decides: a 404": {testkit.Step{Status: 404, Body: "{}", Late: time.Hour}, refused},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, sinks.Options{Timeout: time.Hour, NeedsReply: true}, steps(c.step), func(t *testing.T, s *stage) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(123*ms, cancel)
				o := s.near.Deliver(ctx, delivery)
				if word(o) != c.want || o.Duration != 123*ms || c.want == retry && o.Reason != "called off" {
					t.Errorf("got %s, %+v; want %s after 123 ms", word(o), o, c.want)
				}
				synctest.Wait()
				if s.far.Abandoned() != 1 || s.network.Open("sink") != 0 {
					t.Errorf("the sink still works on %d, with %d connections", 1-s.far.Abandoned(), s.network.Open("sink"))
				}
			})
		})
	}
	onStage(t, sinks.Options{}, nil, func(t *testing.T, s *stage) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantTaken(t, s.near.Deliver(ctx, delivery), retry, "called off")
		if s.network.Dialed("sink") != 0 {
			t.Error("the sink was called")
		}
	})
}

func TestRetryAfterOfADeliveryIsNotClamped(t *testing.T) {
	inBubble := func(d time.Duration) string { // where time begins in 2000
		return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d).Format(http.TimeFormat)
	}
	for name, c := range map[string]struct {
		status int
		header string
		want   time.Duration
	}{
		"seconds":                          {503, "2", 2 * time.Second},
		"a day":                            {429, "86400", 24 * time.Hour},
		"an age is 68 years":               {503, "99999999999999999999", 1<<31*time.Second - time.Second},
		"a date":                           {503, inBubble(time.Hour), time.Hour},
		"a date that has passed":           {503, inBubble(-time.Hour), 0},
		"none":                             {503, "", 0},
		"nonsense":                         {503, "soon", 0},
		"a negative number":                {503, "-1", 0},
		"of a redirect, too":               {302, "60", time.Minute},
		"of a delivery that needs no more": {200, "60", 0},
	} {
		t.Run(name, func(t *testing.T) {
			step := testkit.Step{Status: c.status, Header: map[string]string{"Retry-After": c.header}}
			onStage(t, sinks.Options{MaxBackoff: time.Second}, steps(step), func(t *testing.T, s *stage) {
				if o := s.near.Deliver(t.Context(), delivery); o.RetryAfter != c.want {
					t.Errorf("got %v, want %v", o.RetryAfter, c.want)
				}
			})
		})
	}
}

func TestAnOutcomeKeepsTheBeginningOfTheAnswer(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	for name, c := range map[string]struct{ answer, want string }{
		"nothing of nothing":                {"", ""},
		"all of a short one":                {`{"actionCode":0}`, `{"actionCode":0}`},
		"512 bytes":                         {a(512), a(512)},
		"512 bytes of more":                 {a(513), a(512)},
		"512 bytes of very much":            {a(1 << 20), a(512)},
		"a character that ends there":       {a(509) + "中中", a(509) + "中"},
		"no character that the cut halves":  {a(510) + "中", a(510)},
		"no character that leaves one byte": {a(511) + "中", a(511)},
		"none of four bytes either":         {a(509) + "😀", a(509)},
		"no bytes that are no text":         {"\xff\xfe{}\x80", "?{}?"},
		"nothing but text, cut or not":      {a(510) + "\x80\x80\x80", a(510) + "?"},
	} {
		for code, reply := range map[int]bool{200: false, 400: false, 202: true} {
			onStage(t, sinks.Options{NeedsReply: reply}, steps(testkit.Answer(code, c.answer)), func(t *testing.T, s *stage) {
				if o := s.near.Deliver(t.Context(), delivery); string(o.Answer) != c.want {
					t.Errorf("%s, with %d: got %d bytes %q, want %d %q", name, code, len(o.Answer), o.Answer, len(c.want), c.want)
				}
			})
		}
	}
}

func TestALongAnswerThatIsAnnouncedIsHardlyRead(t *testing.T) {
	page := testkit.Step{Status: 500, Header: map[string]string{"Content-Length": "1048576"}, Body: strings.Repeat("<", 513), Late: time.Nanosecond, Trickle: ms}
	onStage(t, sinks.Options{}, steps(page), func(t *testing.T, s *stage) {
		o := s.near.Deliver(t.Context(), delivery)
		if len(o.Answer) != 512 || o.Duration > 512*ms {
			t.Errorf("got %d bytes after %v, want 512 as soon as they came", len(o.Answer), o.Duration)
		}
	})
}

func TestDeliveriesKeepTheirConnection(t *testing.T) {
	page := strings.Repeat("<", 10<<10)
	script := steps(testkit.Allow(), testkit.NoContent(), status(503), testkit.Answer(404, page), testkit.Answer(200, page), testkit.Redirect("/"), testkit.Allow())
	onStage(t, sinks.Options{}, script, func(t *testing.T, s *stage) {
		for range 20 {
			s.near.Deliver(t.Context(), delivery)
		}
		if got := s.network.Dialed("sink"); got != 1 {
			t.Errorf("took %d connections, want 1", got)
		}
	})
}

// Asks and deliveries come in turns here, as many at a time as the sink is made for.
func TestAsksAndDeliveriesKeepTheirConnections(t *testing.T) {
	onStage(t, sinks.Options{Concurrency: 4}, steps(testkit.Allow().After(10*ms)), func(t *testing.T, s *stage) {
		for range 5 {
			done := make(chan bool, 8)
			for range 4 {
				go func() { done <- s.near.Deliver(t.Context(), delivery).Delivered }()
				go func() { done <- s.ask(t, 15*ms).Status == 200 }() // leaves no time to wait for a slot
			}
			for range 8 {
				if !<-done {
					t.Error("one failed")
				}
			}
		}
		if got := s.network.Dialed("sink"); got != 8 {
			t.Errorf("took %d connections, want 8", got)
		}
	})
}

func TestDeliverTakesNoSlot(t *testing.T) {
	onStage(t, sinks.Options{Concurrency: 1, Timeout: time.Minute}, steps(testkit.Hang(), testkit.Allow(), testkit.Hang(), testkit.Allow()), func(t *testing.T, s *stage) {
		go s.ask(t, time.Second)
		synctest.Wait()
		wantTaken(t, s.near.Deliver(t.Context(), delivery), delivered, "")
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.near.Deliver(ctx, delivery)
		synctest.Wait()
		if r := s.ask(t, time.Second); r.Status != 200 {
			t.Errorf("got %+v beside a delivery that hangs", r)
		}
	})
}

func TestADeliveryOfAClosedSinkLeavesNoConnection(t *testing.T) {
	onStage(t, sinks.Options{}, steps(testkit.Allow().After(100*ms)), func(t *testing.T, s *stage) {
		time.AfterFunc(20*ms, s.near.Close)
		for range 2 {
			wantTaken(t, s.near.Deliver(t.Context(), delivery), delivered, "")
			synctest.Wait()
			if n := s.network.Open("sink"); n != 0 {
				t.Errorf("%d connections stay open", n)
			}
		}
	})
}

func TestAPanicBecomesAnotherAttempt(t *testing.T) {
	o := sinks.Options{Transport: transportFunc(func(*http.Request) (*http.Response, error) { panic("secret") })}
	onStage(t, o, nil, func(t *testing.T, s *stage) {
		wantTaken(t, s.near.Deliver(t.Context(), delivery), retry, "delivering panicked; the log has more")
	})
}

func TestDeliverSendsTheDelivery(t *testing.T) {
	o := sinks.Options{URL: "http://bot:s3cret@sink/hook/{command}?k=v", Headers: map[string]string{"x-team": "blue", "user-agent": "ours", "host": "inner"}}
	onStage(t, o, nil, func(t *testing.T, s *stage) {
		time.Sleep(90 * time.Minute)
		replay := delivery
		replay.Attempt, replay.ReplayOf, replay.Hops, replay.TraceParent = 7, "01jc0000000000000000000000", 0, ""
		for _, d := range []sinks.Delivery{delivery, replay} {
			wantTaken(t, s.near.Deliver(t.Context(), d), delivered, "")
		}
		got := s.far.Got()
		want := http.Header{
			"Authorization":     {"Basic Ym90OnMzY3JldA=="},
			"Callboard-Attempt": {"1"},
			"Callboard-Command": {"callbackBeforeSendGroupMsgCommand"},
			"Callboard-Hops":    {"1"},
			"Callboard-Id":      {"01jd0000000000000000000001"},
			"Content-Length":    {"102"},
			"Content-Type":      {"application/json; charset=utf-8"},
			"Operationid":       {"op-1"},
			"Traceparent":       {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
			"User-Agent":        {"ours"},
			"Webhook-Id":        {"01jd0000000000000000000001.sink"},
			"Webhook-Timestamp": {"946690200"}, // 2000-01-01T01:30:00Z
			"X-Team":            {"blue"},
		}
		if d := cmp.Diff(want, got[0].Header); d != "" {
			t.Errorf("headers of the first (-want +got):\n%s", d)
		}
		want["Callboard-Attempt"], want["Callboard-Replay-Of"] = []string{"7"}, []string{"01jc0000000000000000000000"}
		delete(want, "Callboard-Hops")
		delete(want, "Traceparent")
		if d := cmp.Diff(want, got[1].Header); d != "" {
			t.Errorf("headers of a replay (-want +got):\n%s", d)
		}
		for _, r := range got {
			if r.Method != "POST" || r.Path != "/hook/"+delivery.Command || r.RawQuery != "k=v" || r.Host != "inner" || r.Body != string(delivery.Body) {
				t.Errorf("got %+v", r)
			}
		}
	})
}

// Command, operation id, trace and source come from outside.
func TestDeliverLeavesOutWhatCannotBeAHeader(t *testing.T) {
	long := strings.Repeat("x", 513)
	onStage(t, sinks.Options{}, nil, func(t *testing.T, s *stage) {
		for _, bad := range []string{"a\nb", "\x00", long} {
			d := delivery
			d.Command, d.OperationID, d.TraceParent, d.ReplayOf = bad, bad, bad, bad
			wantTaken(t, s.near.Deliver(t.Context(), d), delivered, "")
			got := s.far.Got()
			for _, name := range []string{"Callboard-Command", "Operationid", "Traceparent", "Callboard-Replay-Of"} {
				if v := got[len(got)-1].Header.Get(name); v != "" {
					t.Errorf("got %s of %d bytes", name, len(v))
				}
			}
		}
	})
}
