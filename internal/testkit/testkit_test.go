package testkit_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"callboard/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inBubble gives a test a network, a sink on it at http://sink, and a client of it.
func inBubble(t *testing.T, script []testkit.Step, test func(*testing.T, *testkit.Network, *testkit.Sink, *http.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, sink := testkit.NewNetwork(), testkit.Script(script...)
		network.Serve(t, "sink", sink)
		test(t, network, sink, &http.Client{Transport: network.Transport()})
	})
}

func post(ctx context.Context, c *http.Client) (status int, body string, err error) {
	r, err := http.NewRequestWithContext(ctx, "POST", "http://sink/x?y=1", strings.NewReader("hello"))
	if err != nil {
		return 0, "", err
	}
	resp, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestStepsArePlayedInFakeTime(t *testing.T) {
	for name, c := range map[string]struct {
		step   testkit.Step
		status int
		body   string
		took   time.Duration
		err    error
	}{
		"an answer comes at once":       {step: testkit.Answer(503, "no"), status: 503, body: "no"},
		"a delay passes":                {step: testkit.Answer(200, "ok").After(time.Hour), status: 200, body: "ok", took: time.Hour},
		"the body may be late":          {step: testkit.Step{Body: "ok", Late: time.Second}, status: 200, body: "ok", took: time.Second},
		"the body may trickle":          {step: testkit.Step{Body: "abc", Trickle: time.Second}, status: 200, body: "abc", took: 3 * time.Second},
		"no content is empty":           {step: testkit.NoContent(), status: 204},
		"a reset is seen":               {step: testkit.Reset(), err: syscall.ECONNRESET},
		"a hanging sink waits for ever": {step: testkit.Hang(), err: context.DeadlineExceeded, took: 2 * time.Hour},
		"huge is as huge as asked":      {step: testkit.Huge(1 << 20), status: 200, body: strings.Repeat(" ", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, []testkit.Step{c.step}, func(t *testing.T, _ *testkit.Network, _ *testkit.Sink, client *http.Client) {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
				defer cancel()
				begun := time.Now()
				status, body, err := post(ctx, client)
				if status != c.status || body != c.body || !errors.Is(err, c.err) || time.Since(begun) != c.took {
					t.Errorf("got %d, %d bytes, %v after %v; want %d, %d bytes, %v after %v",
						status, len(body), err, time.Since(begun), c.status, len(c.body), c.err, c.took)
				}
			})
		})
	}
}

func TestASinkRemembersWhatItGot(t *testing.T) {
	script := []testkit.Step{testkit.Answer(500, ""), testkit.Hang()}
	inBubble(t, script, func(t *testing.T, _ *testkit.Network, sink *testkit.Sink, client *http.Client) {
		time.Sleep(time.Minute)
		at := time.Now()
		post(t.Context(), client)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		post(ctx, client)
		synctest.Wait()
		got := sink.Got()
		if len(got) != 2 || sink.Abandoned() != 1 || sink.Peak() != 1 {
			t.Fatalf("got %d requests, %d abandoned, at most %d at once; want 2, 1, 1", len(got), sink.Abandoned(), sink.Peak())
		}
		if r := got[0]; r.Method != "POST" || r.Path != "/x" || r.RawQuery != "y=1" || r.Body != "hello" || !r.At.Equal(at) {
			t.Errorf("got %+v", r)
		}
	})
}

func TestFaultsAreInjected(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *testkit.Network, _ *testkit.Sink, client *http.Client) {
		n.Refuse("sink", true)
		if _, _, err := post(t.Context(), client); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("refused: got %v", err)
		}
		n.Refuse("sink", false)
		n.Hang("sink", true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := post(ctx, client); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("hanging: got %v", err)
		}
		n.Hang("sink", false)
		n.ResetAfter("sink", 30)
		if _, _, err := post(t.Context(), client); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("reset after 30 bytes: got %v", err)
		}
		n.ResetAfter("sink", -1)
		for range 5 {
			if status, _, err := post(t.Context(), client); status != 200 {
				t.Errorf("healed: got %d, %v", status, err)
			}
		}
		if n.Dialed("sink") != 4 || n.Open("sink") != 1 {
			t.Errorf("dialed %d times, %d open; want 4 (refused, hanging, reset, one that is kept) and 1", n.Dialed("sink"), n.Open("sink"))
		}
		// The dial that hangs outlives its request: net/http keeps it for the next one.
		client.CloseIdleConnections()
	})
}

func TestDeadlinesOfConnectionsAreHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := testkit.NewNetwork()
		l := n.Listen("x")
		defer l.Close()
		c, err := n.DialContext(t.Context(), "tcp", "x")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		begun := time.Now()
		c.SetReadDeadline(begun.Add(time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("read: got %v after %v", err, time.Since(begun))
		}
		c.SetWriteDeadline(begun.Add(2 * time.Second))
		n1, err := c.Write(make([]byte, 1<<20)) // nobody reads
		if n1 == 0 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) != 2*time.Second {
			t.Errorf("write: got %d, %v after %v", n1, err, time.Since(begun))
		}
	})
}

func TestIMServerCallsAsTheRealClient(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, n *testkit.Network, sink *testkit.Sink, _ *http.Client) {
		im := testkit.IMServer{URL: "http://sink/cb/", Transport: n.Transport()}
		if o := im.Call("callbackBeforeSendGroupMsgCommand", "op-1", []byte("{}\n")); o.Refused || o.Status != 200 || o.Err != nil {
			t.Errorf("got %+v, want to proceed", o)
		}
		r := sink.Got()[0]
		if r.Path != "/cb//callbackBeforeSendGroupMsgCommand" || r.Header.Get("operationID") != "op-1" ||
			r.Header.Get("Content-Type") != "application/json; charset=utf-8" || r.Header.Get("User-Agent") != "Go-http-client/1.1" {
			t.Errorf("got %+v", r)
		}
	})
}

func TestIMServerRefusesWhatFails(t *testing.T) {
	for name, c := range map[string]struct {
		step testkit.Step
		code int64
		took time.Duration
	}{
		"silence":        {testkit.Hang(), testkit.NetworkError, 5 * time.Second},
		"a late body":    {testkit.Step{Body: "{}", Late: time.Minute}, testkit.NetworkError, 5 * time.Second},
		"a reset":        {testkit.Reset(), testkit.NetworkError, 0},
		"no content":     {testkit.NoContent(), testkit.DataError, 0},
		"a wrong type":   {testkit.Answer(200, `{"nextCode":""}`), testkit.DataError, 0},
		"a real refusal": {testkit.Refuse(20401, "no"), 20401, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, []testkit.Step{c.step}, func(t *testing.T, n *testkit.Network, _ *testkit.Sink, _ *http.Client) {
				im := testkit.IMServer{URL: "http://sink", Transport: n.Transport()}
				o := im.Call("callbackBeforeSendGroupMsgCommand", "", []byte("{}"))
				if !o.Refused || o.Code != c.code || o.Duration != c.took {
					t.Errorf("got %+v; want a refusal with %d after %v", o, c.code, c.took)
				}
			})
		})
	}
}
