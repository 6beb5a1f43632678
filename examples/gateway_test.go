package examples

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
	"callboard/internal/table"
	"callboard/internal/testkit"
	"callboard/router"
	"callboard/rules"
)

// patience bounds waits that end by themselves unless something is broken.
const patience = 30 * time.Second

// A gateway is the real one behind a real listener, with scripted sinks and a queue in memory.
type gateway struct {
	url      string
	router   *router.Gateway
	sinks    map[string]*testkit.Sink
	traces   chan *router.Trace // of the first callbacks
	attempts chan queue.Attempt // at the first deliveries
}

// start serves an example. A sink without a script refuses to be asked.
func start(t *testing.T, folder string, scripts map[string]script) *gateway {
	t.Helper()
	g := &gateway{sinks: make(map[string]*testkit.Sink), traces: make(chan *router.Trace, 1), attempts: make(chan queue.Attempt, 1)}
	urls := make(map[string]string)
	files, err := table.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	set, found := rules.Load(files, rules.Options{})
	if set == nil {
		t.Fatalf("%s does not load: %v", folder, found)
	}
	for _, sink := range set.Sinks {
		steps, given := scripts[sink.Name]
		if !given {
			steps = script{testkit.Answer(500, "nobody was to ask "+sink.Name)}
		}
		g.sinks[sink.Name] = testkit.Script(steps...)
		server := httptest.NewServer(g.sinks[sink.Name])
		t.Cleanup(server.Close)
		urls[variable(sink.Name)] = server.URL
	}
	for name := range scripts {
		if g.sinks[name] == nil {
			t.Fatalf("%s has no sink %s", folder, name)
		}
	}

	deliveries := g.startQueue(t)
	g.router = router.New(router.Options{Queue: deliveries, OnTrace: func(trace *router.Trace) {
		select {
		case g.traces <- trace:
		default:
		}
	}})
	keeper := table.New(table.Options{
		Dir:     folder,
		Rules:   rules.Options{LookupEnv: func(name string) (string, bool) { url, ok := urls[name]; return url, ok }},
		Deliver: deliveries.SetSinks,
		Publish: g.router.Swap,
		Log:     slog.New(slog.DiscardHandler),
	})
	if found, err := keeper.Load(); err != nil {
		t.Fatalf("loading %s: %v: %v", folder, err, found)
	}
	server := httptest.NewServer(g.router)
	t.Cleanup(func() {
		g.drain(t)
		server.Close()
	})
	g.url = server.URL
	return g
}

// startQueue starts the real queue; the test's end ends it.
func (g *gateway) startQueue(t *testing.T) *queue.Queue {
	t.Helper()
	q, err := queue.New(t.Context(), queue.Options{Store: queuetest.NewMemory(), OnAttempt: func(a queue.Attempt) {
		select {
		case g.attempts <- a:
		default:
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, 0) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("ending the queue: %v", err)
		}
	})
	return q
}

// drain waits for the requests that go on after the answer.
func (g *gateway) drain(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := g.router.Drain(ctx); err != nil {
		t.Errorf("draining: %v", err)
	}
}

// post sends a callback as IMServer does and returns the reply.
func (g *gateway) post(t *testing.T, target string, body []byte) map[string]any {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}, Timeout: patience}
	defer client.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodPost, g.url+target, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Operationid", "example")
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, reply %q: %v", resp.StatusCode, text, err)
	}
	return got
}
