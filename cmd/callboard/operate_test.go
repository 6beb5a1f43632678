package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"callboard/internal/console"
	"callboard/internal/journal"
	"callboard/internal/queue"
	"callboard/internal/table"
)

// A standIn is a gateway's queue and journal behind the real admin API. It has three deliveries of one callback to three sinks, and
// some recorded callbacks.
type standIn struct {
	console.Queue
	console.Journal
	mu       sync.Mutex
	did      []string               // guarded by mu
	paused   string                 // guarded by mu: why archive is
	recorded []*journal.Callback    // oldest first
	follow   chan *journal.Callback // what Follow gives
}

var stood = time.Now().Add(-3 * time.Hour).Truncate(time.Millisecond)

func (s *standIn) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did = append(s.did, what)
}

func (s *standIn) noted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.did)
}

func (s *standIn) deliveries(f queue.Filter) []queue.Waiting {
	event := &queue.Event{Seq: 1, ID: "cb1", At: stood, Command: "callbackAfterSendGroupMsgCommand", OperationID: "op1", Targets: []queue.Target{
		{Sink: "archive", Key: "g1", Rules: []string{"archive-all"}}, {Sink: "crm"}, {Sink: "stats"},
	}}
	var found []queue.Waiting
	for _, row := range []queue.Row{
		{Ref: queue.Ref{Sink: "stats", Seq: 1}, State: queue.WaitingTurn},
		{Ref: queue.Ref{Sink: "crm", Seq: 1}, State: queue.Retrying, Due: time.Now().Add(time.Hour), Attempts: 7, Reason: "connection refused"},
		{Ref: queue.Ref{Sink: "archive", Seq: 1}, State: queue.Dead, Due: stood, Attempts: 1, Status: 404, Reason: "HTTP 404 " + strings.Repeat("no such page ", 20)},
	} {
		id := queue.DeliveryID("cb1", row.Sink)
		if (f.Sink == "" || f.Sink == row.Sink) && (len(f.IDs) == 0 || slices.Contains(f.IDs, id)) &&
			(len(f.States) == 0 || slices.Contains(f.States, row.State)) && (f.Since.IsZero() || !stood.Before(f.Since)) {
			found = append(found, queue.Waiting{Row: row, Event: event})
		}
	}
	return found
}

func (s *standIn) Deliveries(_ context.Context, f queue.Filter, before queue.Ref, n int) ([]queue.Waiting, error) {
	found := slices.DeleteFunc(s.deliveries(f), func(w queue.Waiting) bool { return before.Seq != 0 && w.Sink >= before.Sink })
	return found[:min(n, len(found))], nil
}

func (s *standIn) Count(_ context.Context, f queue.Filter) (int, error) {
	return len(s.deliveries(f)), nil
}

func (s *standIn) Event(context.Context, string) (*queue.Event, error) {
	return &queue.Event{Body: []byte(`{"groupID":"g1"}`)}, nil
}

func (s *standIn) Retry(_ context.Context, f queue.Filter) (int, error) {
	s.note("retry")
	return len(s.deliveries(f)), nil
}

func (s *standIn) Discard(_ context.Context, f queue.Filter) (int, error) {
	s.note("discard")
	return len(s.deliveries(f)), nil
}

func (s *standIn) Sinks() []queue.SinkStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	archive := queue.SinkStatus{Name: "archive", State: queue.Running, Waiting: 2, Dead: 1, Oldest: stood}
	if s.paused != "" {
		archive.State, archive.Why, archive.Since = queue.Paused, s.paused, stood
	}
	return []queue.SinkStatus{archive, {Name: "crm", State: queue.Running}, {Name: "stats", State: queue.Open, Why: "10 failures", Since: stood}}
}

func (s *standIn) Pause(_ context.Context, _, why string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = why
	return nil
}

func (s *standIn) Resume(context.Context, string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = ""
	return nil
}

func (s *standIn) Healthy() error { return nil }

func (s *standIn) Find(_ context.Context, f journal.Filter, oldestFirst bool, yield func(*journal.Callback) bool) error {
	found := slices.Clone(s.recorded)
	if !oldestFirst {
		slices.Reverse(found)
	}
	for _, cb := range found {
		if (f.GroupID == "" || f.GroupID == cb.GroupID) && (f.Verdict == "" || f.Verdict == cb.Verdict) && !yield(cb) {
			return nil
		}
	}
	return nil
}

func (s *standIn) Get(_ context.Context, id string) (*journal.Callback, []journal.Attempt, error) {
	for _, cb := range s.recorded {
		if cb.ID == id {
			return cb, []journal.Attempt{{DeliveryID: id + ".archive", Sink: "archive", Attempt: 1, At: stood, Status: 404, State: "dead", Answer: "who?"}}, nil
		}
	}
	return nil, nil, journal.ErrNotFound
}

func (s *standIn) Follow(ctx context.Context, _ journal.Filter, yield func(*journal.Callback, int) bool) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case cb := <-s.follow:
			if !yield(cb, 0) {
				return nil
			}
		}
	}
}

func (s *standIn) replay(_ context.Context, cb *journal.Callback, sinks []string, dryRun bool) ([]string, error) {
	if !dryRun {
		s.note("replay " + cb.ID + " to " + strings.Join(sinks, ","))
	}
	return []string{"archive"}, nil
}

func (s *standIn) handler() http.Handler {
	return console.New(console.Options{Status: func() table.Status { return table.Status{} }, Queue: s, Journal: s, Replay: s.replay})
}

// newStandIn has an allow, a refusal, and a callback without its body.
func newStandIn() *standIn {
	s := &standIn{follow: make(chan *journal.Callback)}
	for i, cb := range []journal.Callback{
		{ID: "cb1", Verdict: "allow", GroupID: "g1", Notified: []string{"archive", "crm", "stats"}, Body: sampleBody("groupID=g1")},
		{ID: "cb2", Verdict: "refuse", Code: 20403, GroupID: "announcements", SenderID: "u1", Rules: []string{"announcements-are-read-only"},
			Trace: json.RawMessage(`{"why":"a rule refused","message":"Only administrators","rules":[{"rule":"announcements-are-read-only","decision":"refuse"}],` +
				`"asked":[{"sink":"risk","vote":"refuse","code":7,"reason":"word","status":200,"attempts":2,"ms":3.1}],"notes":["a list was cut"]}`), Body: sampleBody("groupID=announcements")},
		{ID: "cb3", Verdict: "allow"},
	} {
		cb.At, cb.Command, cb.Source, cb.Path = stood.Add(time.Duration(i)*time.Minute), "callbackBeforeSendGroupMsgCommand", "prod", "/prod/callbackBeforeSendGroupMsgCommand"
		s.recorded = append(s.recorded, &cb)
	}
	return s
}

// sampleBody is what send --print prints.
func sampleBody(set string) []byte {
	var out bytes.Buffer
	run(context.Background(), []string{"send", "--print", "--command", "beforeSendGroupMsg", "--set", set}, nil, &out, io.Discard,
		func(string) (string, bool) { return "", false })
	return bytes.TrimSpace(out.Bytes())
}

// Each row is a command line: what it exits with and what it says. Text in braces must not be there.
func TestOperating(t *testing.T) {
	s := newStandIn()
	repeat := &journal.Callback{ID: "cb0", At: stood, Verdict: "allow", RepeatOf: "cb", GroupID: "g\x1b[31m\u202e1"} // and what a terminal would act on
	s.recorded = slices.Insert(s.recorded, 0, repeat)
	server := httptest.NewServer(s.handler())
	defer server.Close()
	env := map[string]string{"CALLBOARD_ADMIN": strings.TrimPrefix(server.URL, "http://")}
	for _, row := range []struct {
		line string
		code exitCode
		says []string // on either output
	}{
		{"deliveries list", 0, []string{"cb1.stats ", " waiting ", "3h", "afterSendGroupMsg", "in 59m", "connection refused", "HTTP 404 no such page", "…"}},
		{"deliveries list --state dead --state retrying", 0, []string{"cb1.archive", "cb1.crm", "{cb1.stats}"}},
		{"deliveries list --state dead,retrying --limit 1", 0, []string{"cb1.crm", "{cb1.archive}", "note: there are more than 1"}},
		{"deliveries list --since 2h", 0, []string{"no deliveries"}},
		{"deliveries list --sink archive --format json", 0, []string{`"id":"cb1.archive"`, `"state":"dead"`, `"key":"g1"`}},
		{"deliveries list --state lost", 2, []string{"must be one of"}},
		{"deliveries list --since yesterday", 2, []string{`"yesterday" is neither`}},
		{"deliveries list --status 7", 2, []string{"query.status: expected number >= 100"}},
		{"deliveries list --limit 0", 2, []string{"--limit"}},
		{"deliveries show cb1.archive", 0, []string{"dead for 3h", "archive-all", "who?", `"groupID": "g1"`, "op1"}},
		{"deliveries show cb1.crm", 0, []string{"in 59m"}},
		{"callbacks list --command beforSendGroupMsg --group g7", 0, []string{"no callbacks", `note: unknown command "beforSendGroupMsg"`, `did you mean "beforeSendGroupMsg"?`}},
		{"callbacks show cb0", 0, []string{"verdict ", "allow (repeat)", "repeat of ", "g\ufffd[31m\ufffd1", "{\x1b}", "{\u202e}"}},
		{"callbacks list", 0, []string{"allow (repeat)", "{\x1b}", "{\u202e}"}},
		{"deliveries show cb1.archive --format json", 0, []string{`"history":[{`}},
		{"deliveries show cb9.archive", 3, []string{"callboard deliveries show: no delivery cb9.archive waits", "hint: it was delivered"}},
		{"deliveries retry", 2, []string{"or else --all", "--dry-run"}},
		{"deliveries retry --all --sink archive", 2, []string{"or else --all"}},
		{"deliveries retry --sink archive --dry-run", 0, []string{"would retry 1 delivery\n"}},
		{"deliveries retry --all", 0, []string{"retrying 2 deliveries\n"}},
		{"deliveries retry cb1.archive cb1.nobody", 1, []string{"retrying 1 delivery\n", "nothing to do about 1 id of 2"}},
		{"deliveries retry cb1.archive cb1.archive --dry-run", 0, []string{"would retry 1 delivery\n"}},
		{"deliveries discard --state dead --format json", 0, []string{`{"count":1}`}},
		{"deliveries discard --all --dry-run", 0, []string{"would discard 3 deliveries\n"}},
		{"sinks list", 0, []string{"archive  running", "open 3h", "10 failures"}},
		{"sinks pause archive --why moving", 0, []string{"archive is paused, 2 deliveries to come\n"}},
		{"sinks list --format json", 0, []string{`"state":"paused","why":"moving"`}},
		{"sinks resume archive stats", 0, []string{"archive is running", "stats is open"}},
		{"sinks resume archiv", 3, []string{`name a sink "archiv"`, `hint: did you mean "archive"?`}},
		{"callbacks list", 0, []string{"cb3", "cb2", "cb1", "refuse 20403", "announcements-are-read-only", "archive,crm,stats"}},
		{"callbacks list --verdict refuse --format json", 0, []string{`"id":"cb2"`, "{cb1}", "{body}", "{trace}"}},
		{"callbacks list --limit 2", 0, []string{"cb3", "cb2", "{cb1}", "more than 2"}},
		{"callbacks list --verdict maybe", 2, []string{"query.verdict"}},
		{"callbacks list --group nobody", 0, []string{"no callbacks"}},
		{"callbacks show cb2", 0, []string{"verdict ", `refuse 20403 "Only administrators"`, "a rule refused", "a list was cut",
			"announcements-are-read-only  refuse", "risk   refuse 7  3.1ms  200     2         word", "who?", `"groupID": "announcements"`}},
		{"callbacks show cb9", 3, []string{"the journal has no callback cb9", "hint: "}},
		{"callbacks export --verdict refuse", 0, []string{`"id":"cb2"`, `"groupID":"announcements"`, "{cb1}"}},
		{"replay", 2, []string{"or else --all"}},
		{"replay --since 5h --dry-run", 0, []string{"would replay 2 callbacks: 2 deliveries\n", "skipped 1: its body was not kept", "skipped 1: it repeats another one (dedup)"}},
		{"replay --group g1 --sink archive --sink crm", 0, []string{"replayed 1 callback: 1 delivery\n"}},
		{"replay --file x.jsonl --since 2h", 2, []string{"--sink and --dry-run only"}},
		{"replay --file nowhere.jsonl", 3, []string{"nowhere.jsonl"}},
		{"health --ready", 1, []string{"no_rules", `"queue":{"ok":true}`}},
	} {
		code, stdout, stderr := runWith(t, env, strings.Fields(row.line)...)
		said := stdout + stderr
		if code != row.code {
			t.Errorf("callboard %s exits with %d, want %d:\n%s", row.line, code, row.code, said)
		}
		for _, text := range row.says {
			absent := strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") && !strings.Contains(text, `"`)
			if absent && strings.Contains(said, strings.Trim(text, "{}")) || !absent && !strings.Contains(said, text) {
				t.Errorf("callboard %s says\n%swant %s", row.line, said, text)
			}
		}
	}
	if want := []string{"retry", "retry", "discard", "replay cb1 to archive,crm"}; !slices.Equal(s.noted(), want) {
		t.Errorf("the gateway did %v, want %v", s.noted(), want)
	}
}

func TestOperatingWithoutAGatewayOrItsData(t *testing.T) {
	noData := httptest.NewServer(console.New(console.Options{Status: func() table.Status { return table.Status{} }}))
	defer noData.Close()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, line := range []string{"deliveries list", "deliveries show x", "deliveries discard --all", "sinks list", "sinks pause a", "callbacks list",
		"callbacks show x", "callbacks tail", "callbacks export", "replay --all", "replay --file -"} {
		for admin, want := range map[string]string{noData.URL: "hint: start serve with --data", other.URL: "404", gone.URL: "hint: is callboard serve running there?"} {
			code, stdout, stderr := runWith(t, nil, append(strings.Fields(line), "--admin", admin)...)
			if code != exitFailed || stdout != "" || !strings.Contains(stderr, want) {
				t.Errorf("callboard %s --admin %s exits with %d: %s%s, want %q", line, admin, code, stdout, stderr, want)
			}
		}
	}
}

func TestExportsAreReadByExplainSendAndReplay(t *testing.T) {
	s := newStandIn()
	server := httptest.NewServer(s.handler())
	defer server.Close()
	admin := []string{"--admin", server.URL}
	_, export, _ := runWith(t, nil, append([]string{"callbacks", "export"}, admin...)...)
	file := filepath.Join(t.TempDir(), "export.jsonl")
	if err := os.WriteFile(file, []byte(export), 0o600); err != nil {
		t.Fatal(err)
	}

	code, stdout, stderr := runWith(t, nil, "explain", "--rules", "../../examples/quickstart", file)
	if code != 0 || strings.Count(stdout, "callbackBeforeSendGroupMsgCommand (before) from prod\n") != 2 ||
		!strings.Contains(stderr, "export.jsonl:3: callback cb3 was recorded without its body") {
		t.Errorf("explain exits with %d:\n%s%s", code, stdout, stderr)
	}

	var got []string
	imserver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.URL.Path+" "+string(body))
		_, _ = io.WriteString(w, `{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":`+map[bool]string{true: "1", false: "0"}[len(got) == 1]+`}`)
	}))
	defer imserver.Close()
	code, stdout, stderr = runWith(t, nil, "send", "--url", imserver.URL, "--body", file)
	want := []string{"/prod/callbackBeforeSendGroupMsgCommand " + string(s.recorded[0].Body), "/prod/callbackBeforeSendGroupMsgCommand " + string(s.recorded[1].Body)}
	if code != exitFindings || !slices.Equal(got, want) {
		t.Errorf("send exits with %d after %q, want %q\n%s%s", code, got, want, stdout, stderr)
	}

	code, stdout, stderr = runWith(t, nil, append([]string{"replay", "--file", file, "--sink", "crm"}, admin...)...)
	if code != 0 || !strings.Contains(stdout, "replayed 2 callbacks") || !slices.Equal(s.noted(), []string{"replay cb1 to crm", "replay cb2 to crm"}) {
		t.Errorf("replay exits with %d after %v:\n%s%s", code, s.noted(), stdout, stderr)
	}

	empty := filepath.Join(t.TempDir(), "without.jsonl")
	if err := os.WriteFile(empty, []byte(strings.SplitAfter(export, "\n")[2]), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := runWith(t, nil, "explain", "--rules", "../../examples/quickstart", empty); code != exitFailed || !strings.Contains(stderr, "has no callback with a body") {
		t.Errorf("a file without a body: %d %s", code, stderr)
	}
}

// tailing runs tail in the background and returns its lines.
func tailing(t *testing.T, args ...string) (lines func() string, stop func() exitCode) {
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan exitCode, 1)
	go func() {
		ended <- run(ctx, append([]string{"callbacks", "tail"}, args...), nil, in, in, func(string) (string, bool) { return "", false })
		_ = in.Close()
	}()
	text := make(chan string)
	go func() {
		defer close(text)
		buffer := make([]byte, 64<<10) // a line is one write
		for {
			n, err := out.Read(buffer)
			if err != nil {
				return
			}
			text <- string(buffer[:n])
		}
	}()
	return func() string {
			select {
			case line := <-text:
				return line
			case <-time.After(patience):
				t.Fatal("tail said nothing")
				return ""
			}
		}, func() exitCode {
			cancel()
			for range text {
			}
			return <-ended
		}
}

func TestTailGoesOnWhenTheGatewayRestarts(t *testing.T) {
	s := newStandIn()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: s.handler()}
	go func() { _ = server.Serve(listener) }()
	next, stop := tailing(t, "--admin", listener.Addr().String())

	s.follow <- s.recorded[1]
	for _, part := range []string{"cb2", "beforeSendGroupMsg", "refuse 20403", "group announcements", "rules announcements-are-read-only"} {
		if line := next(); !strings.Contains(line, part) {
			t.Errorf("the line is %q, want %s in it", line, part)
		}
		s.follow <- s.recorded[1]
	}
	next()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if line := next(); !strings.Contains(line, "the gateway has gone") {
		t.Errorf("after the end tail says %q", line)
	}
	if listener, err = net.Listen("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	server = &http.Server{Handler: s.handler()}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	if line := next(); !strings.Contains(line, "the gateway is back") {
		t.Errorf("after the restart tail says %q", line)
	}
	s.follow <- s.recorded[0]
	if line := next(); !strings.Contains(line, "cb1") {
		t.Errorf("the line is %q", line)
	}
	if code := stop(); code != exitOK {
		t.Errorf("an interrupted tail exits with %d", code)
	}
}

func TestTailAsJSONCanBeExplained(t *testing.T) {
	s := newStandIn()
	server := httptest.NewServer(s.handler())
	defer server.Close()
	next, stop := tailing(t, "--admin", server.URL, "--format", "json")
	defer stop()
	s.follow <- s.recorded[1]
	if cb, err := journal.ParseExport([]byte(next())); err != nil || cb.ID != "cb2" || len(cb.Callback.Body) == 0 {
		t.Errorf("the line is %+v, %v", cb, err)
	}
}
