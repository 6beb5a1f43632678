package sinks_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

const ms = time.Millisecond

func TestAskReadsTheAnswerIntoAVote(t *testing.T) {
	for name, c := range map[string]struct {
		step testkit.Step
		vote openim.Vote
	}{
		"an allow is an allow":                            {testkit.Allow(), openim.Allow},
		"a refusal is a refusal":                          {testkit.Refuse(20401, "no"), openim.Refuse},
		"no content abstains":                             {testkit.NoContent(), openim.Abstain},
		"an answer may come late, within Timeout":         {testkit.Allow().After(399 * ms), openim.Allow},
		"an answer may come byte by byte, within Timeout": {testkit.Step{Body: "{}", Trickle: 100 * ms}, openim.Allow},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, sinks.Options{Timeout: 400 * ms}, steps(c.step), func(t *testing.T, s *stage) {
				r := s.ask(t, time.Second)
				wantVote(t, r, c.vote)
				if r.Attempts != 1 || r.Hedged || r.Sink != "sink" || r.Status == 0 {
					t.Errorf("got %+v, want one request, not hedged, of sink", r)
				}
			})
		})
	}
}

func TestAskFailsWithAReason(t *testing.T) {
	for name, c := range map[string]struct {
		script   []testkit.Step
		o        sinks.Options
		within   time.Duration
		reason   string
		attempts int
		status   int
		took     time.Duration // at least, and at most 100 ms of backoff more
	}{
		"silence": {
			script: steps(testkit.Hang()), reason: "no answer within 400ms, twice", attempts: 2, took: 800 * ms},
		"silence up to the deadline": {
			script: steps(testkit.Hang()), within: 300 * ms, reason: "the deadline ended it after 300ms", attempts: 1, took: 300 * ms},
		"silence, and the deadline in the second attempt": {
			script: steps(testkit.Hang()), within: 600 * ms, attempts: 2, took: 600 * ms,
			reason: "the deadline ended it after 600ms; before that: no answer within 400ms"},
		"a body that comes too slowly": {
			script: steps(testkit.Step{Body: "{         }", Trickle: 100 * ms}), attempts: 2, status: 200, took: 800 * ms,
			reason: "answer was not complete within 400ms, twice"},
		"a body that does not come": {
			script: steps(testkit.Step{Body: "{}", Late: time.Hour}), attempts: 2, status: 200, took: 800 * ms,
			reason: "answer was not complete within 400ms, twice"},
		"an error whose body does not come": {
			script: steps(testkit.Step{Status: 503, Body: "{}", Late: time.Hour}), attempts: 2, status: 503, took: 800 * ms,
			reason: "answer was not complete within 400ms, twice"},
		"resets": {
			script: steps(testkit.Reset()), reason: "connection broke before the answer: connection reset by peer, twice", attempts: 2},
		"a close without an answer": {
			script: steps(testkit.Garbage("")), reason: "connection was closed before the answer, twice", attempts: 2},
		"garbage": {
			script: steps(testkit.Garbage("SECRET nonsense\r\n\r\n")), reason: "answer is not HTTP, twice", attempts: 2},
		"a header without end": {
			script: steps(testkit.Garbage("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 100<<10))), reason: "answer's header is larger than 64 KiB, twice", attempts: 2},
		"a body cut short": {
			script: steps(testkit.Garbage("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")), attempts: 2, status: 200,
			reason: "connection broke in the middle of the answer, twice"},
		"10 MiB": {
			script: steps(testkit.Huge(10 << 20)), reason: "answer is larger than 1 MiB", attempts: 1, status: 200},
		"10 MiB, announced": {
			script: steps(testkit.Step{Header: map[string]string{"Content-Length": "10485760"}, Body: "{"}), attempts: 1, status: 200,
			reason: "answer is larger than 1 MiB"},
		"one byte too many": {
			script: steps(testkit.Answer(200, "{   }")), o: sinks.Options{MaxAnswer: 4}, reason: "answer is larger than 4 bytes", attempts: 1, status: 200},
		"503s": {
			script: steps(status(503)), o: sinks.Options{Attempts: 3}, reason: "answered HTTP 503, 3 times", attempts: 3, status: 503},
		"an error page of 2 MiB": {
			script: steps(testkit.Step{Status: 503, Body: strings.Repeat("<p>", 1<<20)}), reason: "answered HTTP 503, twice", attempts: 2, status: 503},
		"an announced error page of 2 MiB": {
			script: steps(testkit.Step{Status: 503, Header: map[string]string{"Content-Length": "2097152"}, Body: "<"}), reason: "answered HTTP 503, twice", attempts: 2, status: 503},
		"this and that": {
			script: steps(status(503), status(503), status(500), testkit.Hang()), o: sinks.Options{Attempts: 4}, within: time.Hour, attempts: 4, status: 500, took: 400 * ms,
			reason: "no answer within 400ms; before that: answered HTTP 503, answered HTTP 500"},
		"one attempt only": {
			script: steps(status(503), testkit.Allow()), o: sinks.Options{Attempts: 1}, reason: "answered HTTP 503", attempts: 1, status: 503},
		"no time for another attempt": {
			script: steps(testkit.Step{Status: 503, Header: map[string]string{"Retry-After": "1"}}), within: 900 * ms, attempts: 1, status: 503,
			reason: "answered HTTP 503, with no time left for another attempt"},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.Timeout = 400 * ms
			onStage(t, c.o, c.script, func(t *testing.T, s *stage) {
				if c.within == 0 {
					c.within = time.Second
				}
				r := s.ask(t, c.within)
				wantReason(t, r, c.reason)
				if r.Attempts != c.attempts || r.Status != c.status || len(s.far.Got()) != c.attempts {
					t.Errorf("got %d attempts (%d arrived), status %d; want %d, %d", r.Attempts, len(s.far.Got()), r.Status, c.attempts, c.status)
				}
				if r.Duration < c.took || r.Duration > min(c.within, c.took+500*ms) {
					t.Errorf("took %v, want %v and little more", r.Duration, c.took)
				}
			})
		})
	}
}

// What a redirect or another status is worth is openim's to say; here it must cost one request.
func TestAskNeitherFollowsNorRepeatsWhatIsFinal(t *testing.T) {
	for _, step := range steps(testkit.Redirect("http://sink/elsewhere"), status(400), status(404), testkit.Answer(200, "nonsense")) {
		onStage(t, sinks.Options{}, steps(step, testkit.Allow()), func(t *testing.T, s *stage) {
			r := s.ask(t, time.Second)
			wantVote(t, r, openim.Failed)
			if r.Answer.Reason == "" || r.Attempts != 1 || len(s.far.Got()) != 1 {
				t.Errorf("status %d: got %+v, want one request and a reason", step.Status, r)
			}
		})
	}
}

func TestAskSendsTheCallback(t *testing.T) {
	o := sinks.Options{URL: "http://bot:s3cret@sink/hook?k=v", Headers: map[string]string{"x-team": "blue", "user-agent": "ours", "host": "inner"}}
	onStage(t, o, steps(status(503), testkit.Allow()), func(t *testing.T, s *stage) {
		wantVote(t, s.ask(t, time.Second), openim.Allow)
		got := s.far.Got()
		if len(got) != 2 {
			t.Fatalf("got %d requests, want 2", len(got))
		}
		for i, r := range got {
			want := http.Header{
				"Authorization":     {"Basic Ym90OnMzY3JldA=="},
				"Callboard-Attempt": {[]string{"1", "2"}[i]},
				"Callboard-Command": {callback.Command},
				"Callboard-Id":      {"cb-1"},
				"Content-Length":    {"102"},
				"Content-Type":      {"application/json; charset=utf-8"},
				"Operationid":       {"op-1"},
				"User-Agent":        {"ours"},
				"X-Team":            {"blue"},
			}
			if d := cmp.Diff(want, r.Header); d != "" {
				t.Errorf("headers of request %d (-want +got):\n%s", i+1, d)
			}
			if r.Method != "POST" || r.Path != "/hook" || r.RawQuery != "k=v" || r.Host != "inner" || r.Body != string(callback.Body) {
				t.Errorf("got %+v", r)
			}
		}
	})
}

func TestAskSurvivesWhatCannotBeAHeader(t *testing.T) {
	onStage(t, sinks.Options{}, nil, func(t *testing.T, s *stage) {
		r := s.near.Ask(t.Context(), sinks.Request{ID: "1", Command: "a\nb", OperationID: "c\x00"})
		wantVote(t, r, openim.Allow)
		h := s.far.Got()[0].Header
		if h["Callboard-Command"] != nil || h["Operationid"] != nil || h.Get("User-Agent") != "callboard/devel" {
			t.Errorf("got headers %v", h)
		}
	})
}

func TestAskTellsOfTraceAndHops(t *testing.T) {
	onStage(t, sinks.Options{}, nil, func(t *testing.T, s *stage) {
		r := callback
		r.TraceParent, r.Hops = delivery.TraceParent, 2
		wantVote(t, s.near.Ask(t.Context(), r), openim.Allow)
		if h := s.far.Got()[0].Header; h.Get("Traceparent") != delivery.TraceParent || h.Get("Callboard-Hops") != "2" {
			t.Errorf("got headers %v", h)
		}
	})
}

// Users choose operation ids. A long one must not make the sink refuse the request, and so fail.
func TestAskLeavesOutLongHeaders(t *testing.T) {
	onStage(t, sinks.Options{}, nil, func(t *testing.T, s *stage) {
		for length, sent := range map[int]bool{512: true, 513: false, 1 << 20: false} {
			id := strings.Repeat("o", length)
			wantVote(t, s.near.Ask(t.Context(), sinks.Request{ID: "1", Command: "callbackX", OperationID: id}), openim.Allow)
			got := s.far.Got()
			h := got[len(got)-1].Header
			if (h.Get("Operationid") == id) != sent || h.Get("Callboard-Command") != "callbackX" {
				t.Errorf("an operation id of %d bytes: sent %d of them, want %v", length, len(h.Get("Operationid")), sent)
			}
		}
	})
}

func TestNobodyListening(t *testing.T) {
	onStage(t, sinks.Options{URL: "http://elsewhere:81/"}, nil, func(t *testing.T, s *stage) {
		r := s.ask(t, time.Second)
		wantReason(t, r, "no connection: connection refused, twice")
		if r.Status != 0 || r.Attempts != 2 || s.network.Dialed("elsewhere:81") != 2 {
			t.Errorf("got %+v", r)
		}
	})
}

func TestAConnectionThatIsNeverMade(t *testing.T) {
	onStage(t, sinks.Options{Timeout: 400 * ms}, nil, func(t *testing.T, s *stage) {
		s.network.Hang("sink", true)
		wantReason(t, s.ask(t, 300*ms), "the deadline ended it after 300ms")
		wantReason(t, s.ask(t, time.Hour), "no answer within 400ms, twice")
	})
}

// net/http would let a dial go on for as long as it likes once its request is over.
func TestADialIsBoundedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took := make(chan time.Duration, 1)
		sink, err := sinks.New(sinks.Options{Name: "s", URL: "http://s", Timeout: 400 * ms,
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				begun := time.Now()
				<-ctx.Done()
				took <- time.Since(begun)
				return nil, ctx.Err()
			}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*ms)
		defer cancel()
		wantReason(t, sink.Ask(ctx, callback), "the deadline ended it after 100ms")
		if got := <-took; got != 800*ms {
			t.Errorf("the dial took %v, want 800ms", got)
		}
	})
}

func TestCallingOffReturnsAtOnce(t *testing.T) {
	for name, script := range map[string][]testkit.Step{
		"in an attempt": steps(testkit.Hang()),
		"in a body":     steps(testkit.Step{Body: "{}", Late: time.Hour}),
		"in a wait":     steps(testkit.Step{Status: 503, Header: map[string]string{"Retry-After": "3600"}}),
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, sinks.Options{Timeout: time.Hour, MaxBackoff: time.Hour}, script, func(t *testing.T, s *stage) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(123*ms, cancel)
				r := s.near.Ask(ctx, callback)
				if r.Answer.Vote != openim.Failed || !strings.HasPrefix(r.Answer.Reason, "it was called off after 123ms") || r.Duration != 123*ms {
					t.Errorf("got %+v, want called off after 123 ms", r)
				}
				synctest.Wait()
				if name != "in a wait" && (s.far.Abandoned() != 1 || s.network.Open("sink") != 0) {
					t.Errorf("the sink still works on %d, with %d connections", 1-s.far.Abandoned(), s.network.Open("sink"))
				}
			})
		})
	}
}

func TestAskAfterTheDeadlineSendsNothing(t *testing.T) {
	onStage(t, sinks.Options{}, nil, func(t *testing.T, s *stage) {
		wantReason(t, s.ask(t, 0), "not asked: it came after the deadline")
		if len(s.far.Got()) != 0 || s.network.Dialed("sink") != 0 {
			t.Error("the sink was asked")
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	o := sinks.Options{Concurrency: 3, Hedge: 10 * ms}
	onStage(t, o, steps(testkit.Allow().After(time.Second)), func(t *testing.T, s *stage) {
		results := make(chan sinks.Result, 9)
		for range 9 {
			go func() { results <- s.ask(t, 2500*ms) }()
		}
		votes := map[string]int{}
		for range 9 {
			r := <-results
			votes[r.Answer.Vote.String()+" "+r.Answer.Reason]++
			if r.Hedged || r.Attempts > 1 {
				t.Errorf("got %+v, want no hedge where there is no room", r)
			}
		}
		want := map[string]int{"allow ": 6, "failed the deadline ended it after 2.5s": 3}
		if d := cmp.Diff(want, votes); d != "" || s.far.Peak() != 3 {
			t.Errorf("at most %d at once, want 3; votes (-want +got):\n%s", s.far.Peak(), d)
		}
	})
}

func TestWaitingForASlotEndsWithTheDeadline(t *testing.T) {
	onStage(t, sinks.Options{Concurrency: 1}, steps(testkit.Hang()), func(t *testing.T, s *stage) {
		go s.ask(t, time.Second)
		synctest.Wait()
		r := s.ask(t, 200*ms)
		wantReason(t, r, "all 1 connections were busy until the deadline")
		if r.Duration != 200*ms || r.Attempts != 0 {
			t.Errorf("got %+v, want no attempt in 200 ms", r)
		}
	})
}

func TestConnectionsAreKept(t *testing.T) {
	onStage(t, sinks.Options{}, nil, func(t *testing.T, s *stage) {
		s.network.Serve(t, "failing", testkit.Script(status(500)))
		failing := s.open(t, sinks.Options{URL: "http://failing"})
		for range 200 {
			wantVote(t, s.ask(t, time.Second), openim.Allow)
			wantVote(t, sinks.Result{Answer: failing.Ask(t.Context(), callback).Answer}, openim.Failed)
		}
		if s.network.Dialed("sink") != 1 || s.network.Dialed("failing") != 1 {
			t.Errorf("200 posts took %d connections, 400 failing ones %d; want 1 and 1", s.network.Dialed("sink"), s.network.Dialed("failing"))
		}
	})
}

// go-retryablehttp closes a client's idle connections when a request fails or is called off.
func TestAFailureLeavesTheOthersTheirConnections(t *testing.T) {
	slow := testkit.Allow().After(10 * ms)
	busy := testkit.Step{Status: 503, Header: map[string]string{"Retry-After": "3600"}}
	onStage(t, sinks.Options{Backoff: ms}, steps(slow, slow, slow, slow, status(500), status(500), busy, slow), func(t *testing.T, s *stage) {
		fourAtOnce := func() {
			done := make(chan sinks.Result, 4)
			for range 4 {
				go func() { done <- s.ask(t, time.Second) }()
			}
			for range 4 {
				wantVote(t, <-done, openim.Allow)
			}
		}
		fourAtOnce()
		wantReason(t, s.ask(t, time.Second), "answered HTTP 500, twice")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(ms, cancel)
		s.near.Ask(ctx, callback) // called off in the wait
		fourAtOnce()
		if got := s.network.Dialed("sink"); got != 4 {
			t.Errorf("took %d connections, want 4", got)
		}
	})
}

func TestCloseClosesIdleConnections(t *testing.T) {
	onStage(t, sinks.Options{}, nil, func(t *testing.T, s *stage) {
		s.ask(t, time.Second)
		s.near.Close()
		synctest.Wait()
		if got := s.network.Open("sink"); got != 0 {
			t.Errorf("%d connections are open, want 0", got)
		}
	})
}

// A callback goes on with the table it began with, so a sink may be asked, and leave connections, after it was closed.
func TestAClosedSinkKeepsNoConnections(t *testing.T) {
	onStage(t, sinks.Options{Hedge: 50 * ms}, steps(testkit.Allow().After(100*ms)), func(t *testing.T, s *stage) {
		time.AfterFunc(20*ms, s.near.Close)
		for range 3 {
			wantVote(t, s.ask(t, time.Second), openim.Allow)
			synctest.Wait()
			if n := s.network.Open("sink"); n != 0 {
				t.Errorf("%d connections stay open", n)
			}
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAPanicBecomesAFailedVote(t *testing.T) {
	for name, hedge := range map[string]time.Duration{"alone": 0, "in a hedge too": ms} {
		t.Run(name, func(t *testing.T) {
			o := sinks.Options{Hedge: hedge, Transport: transportFunc(func(*http.Request) (*http.Response, error) {
				time.Sleep(10 * ms)
				panic("secret")
			})}
			onStage(t, o, nil, func(t *testing.T, s *stage) {
				wantReason(t, s.ask(t, time.Second), "asking it panicked; the log has more")
				wantReason(t, s.ask(t, time.Second), "asking it panicked; the log has more") // the slots are free again
			})
		})
	}
}

func TestReasonsHoldNoSecrets(t *testing.T) {
	o := sinks.Options{URL: "http://user:hush@sink/hush?token=hush", Attempts: 1, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.User != nil {
			t.Error("the URL still has its user")
		}
		return nil, errors.New("dialing proxy http://hush: " + r.URL.String())
	})}
	onStage(t, o, nil, func(t *testing.T, s *stage) {
		wantReason(t, s.ask(t, time.Second), "HTTP exchange failed")
	})
}
