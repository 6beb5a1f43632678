package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/journal"
	"callboard/internal/testkit"
)

func TestCallbackFilters(t *testing.T) {
	want := journal.Filter{
		ID: "i", OperationID: "o", MessageID: "m", GroupID: "g", SenderID: "u", Command: "callbackBeforeSendGroupMsgCommand", Rule: "r", Sink: "s",
		Verdict: "refuse", Unmatched: true,
	}
	window := want
	window.Since, window.Until = born, born.Add(time.Hour)
	j := &fakeJournal{}
	h := admin(Options{Queue: &fakeQueue{}, Journal: j, Replay: countReplays(new(int))})
	query := "?id=i&operation_id=o&message_id=m&group_id=g&sender_id=u&command=beforeSendGroupMsg&rule=r&sink=s&verdict=refuse&unmatched=true"
	times := "&since=2026-03-01T12:00:00Z&until=2026-03-01T13:00:00Z"
	request(h, "GET", "/api/callbacks"+query+times, "")
	request(h, "GET", "/api/callbacks/export"+query+times, "")
	request(h, "POST", "/api/replay", `{"id": "i", "operation_id": "o", "message_id": "m", "group_id": "g", "sender_id": "u", "command": "beforeSendGroupMsg", `+
		`"rule": "r", "sink": "s", "verdict": "refuse", "unmatched": true, "since": "2026-03-01T12:00:00Z", "until": "2026-03-01T13:00:00Z"}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	serve(h, newRequest("GET", "/api/callbacks/tail"+query, "").WithContext(ctx))
	if diff := cmp.Diff([]journal.Filter{window, window, window, want}, j.asked); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPagesOfCallbacksHaveEachOnce(t *testing.T) {
	j := &fakeJournal{}
	for n := range 7 {
		j.callbacks = append(j.callbacks, recorded(n))
	}
	twin, later := recorded(9), recorded(8) // of the same moment as another, and of the same millisecond
	twin.At, later.At = j.callbacks[6].At, j.callbacks[6].At.Add(time.Microsecond)
	j.callbacks = append(j.callbacks, twin, later)
	h := admin(Options{Journal: j})
	var got []string
	for cursor := ""; ; {
		_, page := ask[CallbackPage](t, h, "GET", "/api/callbacks?limit=1&cursor="+cursor, "")
		for _, cb := range page.Items {
			got = append(got, cb.ID)
			if cb.Trace != nil || cb.Command == "" {
				t.Errorf("an item is %+v", cb)
			}
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if want := []string{"cb8", "cb9", "cb6", "cb5", "cb4", "cb3", "cb2", "cb1", "cb0"}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestShowCallback(t *testing.T) {
	j := &fakeJournal{callbacks: []*journal.Callback{recorded(1)}, attempts: []journal.Attempt{{DeliveryID: "cb1.archive", Attempt: 1}}}
	h := admin(Options{Journal: j})
	w := request(h, "GET", "/api/callbacks/cb1", "")
	for _, part := range []string{`"id":"cb1"`, `"why":"no rule"`, `"delivery_id":"cb1.archive"`, `"groupID":"<g1>"`, `12345678901234567890`} {
		if w.Code != 200 || !strings.Contains(w.Body.String(), part) {
			t.Errorf("GET /api/callbacks/cb1 = %d %s, want %s", w.Code, w.Body, part)
		}
	}
	if code, p := ask[Problem](t, h, "GET", "/api/callbacks/cb2", ""); code != 404 || p.Hint == "" {
		t.Errorf("unknown: %d %+v", code, p)
	}
}

func TestExportIsReadAsItWasWritten(t *testing.T) {
	broken := recorded(2)
	broken.Body, broken.Trouble = []byte("{\"groupID\xff"), "bad_utf8"
	bare := recorded(3)
	bare.Body, bare.Trace = nil, nil
	j := &fakeJournal{callbacks: []*journal.Callback{recorded(1), broken, bare}}
	w := request(admin(Options{Journal: j}), "GET", "/api/callbacks/export", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != JSONLines {
		t.Fatalf("export = %d %s %s", w.Code, w.Header(), w.Body)
	}
	var got []*journal.Callback
	for line := range strings.Lines(w.Body.String()) {
		record, err := journal.ParseExport([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, &record.Callback)
	}
	if diff := cmp.Diff(j.callbacks, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A client must not take half an export for a whole one.
func TestAnExportThatFailsCutsTheConnection(t *testing.T) {
	j := &fakeJournal{callbacks: []*journal.Callback{recorded(1)}, err: errors.New("disk on fire")}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { // net/http compares so
			t.Errorf("ended with %v", p)
		}
	}()
	request(admin(Options{Journal: j}), "GET", "/api/callbacks/export", "")
	t.Error("ended as if nothing had happened")
}

// client talks to a handler over the in-memory network, on a server with the time limits that serve's has.
func client(t *testing.T, h http.Handler) *http.Client {
	network := testkit.NewNetwork()
	server := &http.Server{Handler: h, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second}
	listener := network.Listen("admin:80")
	go func() { _ = server.Serve(listener) }()
	transport := network.Transport()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	return &http.Client{Transport: transport}
}

// tail opens a stream.
func tail(t *testing.T, h http.Handler, path string) *bufio.Reader {
	t.Helper()
	resp, err := client(t, h).Get("http://admin:80" + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return bufio.NewReader(resp.Body)
}

func TestTailFollowsUntilTheServerDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &fakeJournal{follow: make(chan *journal.Callback), missed: 2}
		began := time.Now()
		draining := func() bool { return time.Since(began) > time.Hour }
		lines := tail(t, admin(Options{Journal: j, Draining: draining}), "/api/callbacks/tail")
		next := func() string {
			line, err := lines.ReadString('\n')
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
			return line
		}
		j.follow <- recorded(1)
		if line := next(); line != `{"missed":2}`+"\n" {
			t.Errorf("the first line is %q", line)
		}
		if line := next(); !strings.Contains(line, `"id":"cb1"`) || strings.Contains(line, "body") || strings.Contains(line, "trace") {
			t.Errorf("the second line is %q", line)
		}
		beats := 0
		for next() == "\n" { // longer than any time limit of the server
			beats++
		}
		if took := time.Since(began); took < time.Hour || took > time.Hour+2*drainLook || beats != 240 {
			t.Errorf("ended after %v and %d signs of life, want an hour and one each %v", took, beats, heartbeat)
		}
	})
}

func TestTailWithBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &fakeJournal{follow: make(chan *journal.Callback)}
		lines := tail(t, admin(Options{Journal: j}), "/api/callbacks/tail?full=true")
		j.follow <- recorded(1)
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		if cb, err := journal.ParseExport(line); err != nil || len(cb.Callback.Body) == 0 || cb.Trace == nil {
			t.Errorf("%s is %+v, %v", line, cb, err)
		}
	})
}

func TestAnExportThatNobodyReadsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &fakeJournal{}
		big := recorded(1)
		big.Body, _ = json.Marshal(map[string]string{"x": strings.Repeat("x", 1<<20)})
		for range 64 {
			j.callbacks = append(j.callbacks, big)
		}
		ended := make(chan time.Time, 1)
		h := admin(Options{Journal: j})
		began := time.Now()
		tail(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { ended <- time.Now(); panic(recover()) }()
			h.ServeHTTP(w, r)
		}), "/api/callbacks/export")
		if took := (<-ended).Sub(began); took < slowest || took > 2*slowest {
			t.Errorf("ended after %v, want about %v", took, slowest)
		}
	})
}
