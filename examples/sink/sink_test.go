package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret = "whsec_bmV3IHNlY3JldCBvZiAyNCBieXRlcyBvciBtb3Jl"
	older  = "whsec_b2xkIHNlY3JldCBvZiAyNCBieXRlcyBvciBtb3Jl"
)

// delivery is what Callboard makes of the documented callback of a group message.
func delivery(id string) sinks.Delivery {
	return sinks.Delivery{ID: id + ".archive", CallbackID: id, Command: "callbackAfterSendGroupMsgCommand", Attempt: 1, Body: openim.Documented()}
}

const line = `support-1 9f2c41d87be05a63c1d4870e92ab35f6 u-1001: "Good morning, is the refund on its way?"` + "\n"

// A stage is a bubble's network with the archive on it, and what it has written.
type stage struct {
	network *testkit.Network
	archive *archive
	out     *writer
}

// A writer fails, or waits, when it is told to.
type writer struct {
	bytes.Buffer
	err  error
	wait time.Duration
}

func (w *writer) Write(p []byte) (int, error) {
	time.Sleep(w.wait)
	if w.err != nil {
		return 0, w.err
	}
	return w.Buffer.Write(p)
}

func onStage(t *testing.T, secrets string, scene func(*testing.T, *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{network: testkit.NewNetwork(), out: new(writer)}
		var err error
		if s.archive, err = newArchive(secrets, s.out); err != nil {
			t.Fatal(err)
		}
		s.network.Serve(t, "archive", s.archive)
		scene(t, s)
	})
}

// callboard is the gateway's end. A change may be made to each request on its way.
func (s *stage) callboard(t *testing.T, change func(*http.Request), secrets ...string) *sinks.Sink {
	t.Helper()
	transport := s.network.Transport()
	sink, err := sinks.New(sinks.Options{Name: "archive", URL: "http://archive/", Timeout: time.Hour, Secrets: secrets,
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if change != nil {
				change(r)
			}
			return transport.RoundTrip(r)
		})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return sink
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (s *stage) wantLines(t *testing.T, n int) {
	t.Helper()
	if got := s.out.String(); got != strings.Repeat(line, n) {
		t.Errorf("it wrote\n%s\nwant %d times\n%s", got, n, line)
	}
}

func TestWhatItBelieves(t *testing.T) {
	late := func(d time.Duration) func(*http.Request) { return func(*http.Request) { time.Sleep(d) } }
	other := func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), 2 }
	for name, c := range map[string]struct {
		knows   string   // the archive
		secrets []string // that Callboard signs with
		change  func(*http.Request)
		status  int
	}{
		"what is signed with its secret":               {secret, []string{secret}, nil, 204},
		"also a little late":                           {secret, []string{secret}, late(4 * time.Minute), 204},
		"nothing that was signed long ago":             {secret, []string{secret}, late(6 * time.Minute), 401},
		"no other signature":                           {secret, []string{older}, nil, 401},
		"nothing without a signature":                  {secret, nil, nil, 401},
		"no other body":                                {secret, []string{secret}, other, 401},
		"no other id":                                  {secret, []string{secret}, func(r *http.Request) { r.Header.Set("Webhook-Id", "x") }, 401},
		"a new secret that it does not know, with its": {older, []string{secret, older}, nil, 204},
		"its new secret before Callboard has it":       {secret + " " + older, []string{older}, nil, 204},
		"its new secret once Callboard has it":         {secret + " " + older, []string{secret}, nil, 204},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, c.knows, func(t *testing.T, s *stage) {
				o := s.callboard(t, c.change, c.secrets...).Deliver(t.Context(), delivery("01"))
				if o.Status != c.status || o.Retry || o.Delivered != (c.status == 204) {
					t.Errorf("got %+v, want %d", o, c.status)
				}
				if o.Delivered {
					s.wantLines(t, 1)
				} else {
					s.wantLines(t, 0)
				}
			})
		})
	}
}

func TestItDoesADeliveryOnce(t *testing.T) {
	onStage(t, secret, func(t *testing.T, s *stage) {
		callboard := s.callboard(t, nil, secret)
		for attempt := 1; attempt <= 3; attempt++ {
			d := delivery("01")
			d.Attempt = attempt
			if o := callboard.Deliver(t.Context(), d); !o.Delivered {
				t.Errorf("attempt %d: got %+v", attempt, o)
			}
			time.Sleep(time.Hour)
		}
		s.wantLines(t, 1)
		callboard.Deliver(t.Context(), delivery("02"))
		s.wantLines(t, 2)
	})
}

func TestItAsksForAnotherAttempt(t *testing.T) {
	onStage(t, secret, func(t *testing.T, s *stage) {
		callboard := s.callboard(t, nil, secret)
		s.out.err = errors.New("disk full")
		if o := callboard.Deliver(t.Context(), delivery("01")); o.Status != 503 || !o.Retry || o.RetryAfter != 30*time.Second {
			t.Errorf("while it cannot write: got %+v", o)
		}
		s.out.err = nil
		if o := callboard.Deliver(t.Context(), delivery("01")); !o.Delivered {
			t.Errorf("when it can again: got %+v", o)
		}
		s.wantLines(t, 1)
	})
}

func TestAnAttemptMeetsTheOneBeforeIt(t *testing.T) {
	onStage(t, secret, func(t *testing.T, s *stage) {
		callboard := s.callboard(t, nil, secret)
		s.out.wait = time.Minute
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // as the sink's timeout would
		defer cancel()
		callboard.Deliver(ctx, delivery("01"))
		if o := callboard.Deliver(t.Context(), delivery("01")); o.Status != 503 || o.RetryAfter != time.Second {
			t.Errorf("while the first is under way: got %+v", o)
		}
		time.Sleep(time.Minute)
		if o := callboard.Deliver(t.Context(), delivery("01")); !o.Delivered {
			t.Errorf("afterwards: got %+v", o)
		}
		s.wantLines(t, 1)
	})
}

func TestWhatElseItAnswers(t *testing.T) {
	onStage(t, secret, func(t *testing.T, s *stage) {
		callboard := s.callboard(t, nil, secret)
		strange := delivery("01")
		strange.Body = []byte(`{"callbackCommand":"callbackUserOnlineCommand"}`)
		if o := callboard.Deliver(t.Context(), strange); !o.Delivered {
			t.Errorf("to another command: got %+v", o)
		}
		for _, broken := range []string{"{", `{"content":7}`} {
			strange.ID, strange.Body = "02", []byte(broken)
			if o := callboard.Deliver(t.Context(), strange); o.Status != 400 || o.Retry {
				t.Errorf("to %s: got %+v", broken, o)
			}
		}
		s.archive.retired = true
		if o := callboard.Deliver(t.Context(), delivery("03")); !o.Gone {
			t.Errorf("once it is retired: got %+v", o)
		}
		s.wantLines(t, 0)
	})
}

func TestABodyThatDoesNotArriveIsNoDeadLetter(t *testing.T) {
	a, err := newArchive(secret, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for want, body := range map[int]io.Reader{
		http.StatusServiceUnavailable:    iotest.ErrReader(os.ErrDeadlineExceeded),
		http.StatusRequestEntityTooLarge: strings.NewReader(strings.Repeat(" ", maxBody+1)),
	} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", body))
		if w.Code != want {
			t.Errorf("got %d, want %d", w.Code, want)
		}
	}
}

func TestItsMemoryIsBounded(t *testing.T) {
	s := newSeen(3)
	for i := range 10 {
		id := fmt.Sprint(i)
		if s.begin(id) != unknown {
			t.Errorf("%s is known before it came", id)
		}
		s.end(id, true)
	}
	if len(s.states) != 3 || s.begin("9") != done || s.begin("7") != done || s.begin("6") != unknown {
		t.Errorf("it remembers %v, want the last three", s.states)
	}
}

// All of the process but its environment and its signals.
func TestRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	said, says := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-listen", "127.0.0.1:0"}, secret, &out, says)
		says.Close()
	}()
	var url string
	if _, err := fmt.Fscanf(said, "sink: listening on %s\n", &url); err != nil {
		t.Fatal(err)
	}
	callboard, err := sinks.New(sinks.Options{Name: "archive", URL: url, Secrets: []string{secret}})
	if err != nil {
		t.Fatal(err)
	}
	defer callboard.Close()
	if o := callboard.Deliver(t.Context(), delivery("01")); !o.Delivered || o.Status != http.StatusNoContent {
		t.Errorf("got %+v", o)
	}
	cancel()
	if err := <-ended; err != nil || out.String() != line {
		t.Errorf("it ended with %v and wrote %q", err, out.String())
	}
}

func TestItDoesNotRunWithoutASecret(t *testing.T) {
	for given, want := range map[string]string{
		"":            "there is no secret, and without one anybody could make deliveries (SINK_SECRET)",
		"whsec_hush!": "reading the secret: what follows whsec_ is not base64",
	} {
		if err := run(t.Context(), nil, given, os.Stdout, io.Discard); err == nil || err.Error() != want {
			t.Errorf("with %q: got %v, want %s", given, err, want)
		}
	}
}
