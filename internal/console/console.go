// Package console is the admin listener: health, readiness, metrics, profiles, and the API by which people and programs see and change
// what waits, what happened, and what serves.
//
// New makes the http.Handler; the types that the API speaks are exported for its clients. Answering callbacks is the
// business of package router, and happens on another listener.
package console

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"callboard/internal/diag"
	"callboard/internal/table"
)

// Options configures the admin handler. Status is required.
type Options struct {
	// Status tells how the rules folder and the serving table stand: table.Keeper.Status.
	Status func() table.Status
	// Reload reads the rules folder now and returns an error when its contents are not what serves:
	// table.Keeper.Load. Nil leaves out POST /api/reload.
	Reload func() ([]diag.Diagnostic, error)
	// Queue has the deliveries: a *queue.Queue. Nil means that there is none; the operations on deliveries and replay then
	// answer so. A nil pointer in the interface is not nil.
	Queue Queue
	// Journal has the recorded callbacks: a *journal.Journal. Nil means that there is none, as for Queue.
	Journal Journal
	// Replay sends a recorded callback again. Nil means that none can be. It is called for one callback at a time.
	Replay Replayer
	// Candidate is there with serve --shadow. Nil means that there is none; the operations on it then answer so.
	Candidate *CandidateOptions

	// Explain tells what the rules that serve make of a callback. Nil leaves out /api/explain.
	Explain Explainer
	// Draining reports whether shutdown has begun. Nil means never.
	Draining func() bool
	// Gatherer is what /metrics shows. Nil means prometheus.DefaultGatherer.
	Gatherer prometheus.Gatherer
	// Log receives what goes wrong here. Nil discards.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Draining == nil {
		o.Draining = func() bool { return false }
	}
	if o.Gatherer == nil {
		o.Gatherer = prometheus.DefaultGatherer
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

type console struct {
	Options
	replaying  sync.Mutex    // held while a replay runs
	explaining chan struct{} // full while a request explains
}

// New makes the admin handler:
//
//	GET  /healthz       200 while the process lives
//	GET  /readyz        200 while a table serves and shutdown has not begun, else 503; rejected rules and a full queue are in its details
//	GET  /metrics       Prometheus
//	GET  /debug/pprof/  Go's profiles, for go tool pprof
//	POST /api/reload    reads the rules folder now: 200 when its contents serve, 422 when they were rejected
//	     /api/…         what GET /api/openapi.json describes (OpenAPI 3.1; also .yaml)
//
// Requests that a browser makes on behalf of another site are refused.
func New(o Options) http.Handler {
	c := &console{Options: o.withDefaults(), explaining: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", c.health)
	mux.HandleFunc("GET /readyz", c.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(c.Gatherer, promhttp.HandlerOpts{
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelError),
		ErrorHandling:     promhttp.ContinueOnError,
		EnableOpenMetrics: true,
	}))
	addProfiles(mux)
	c.addAPI(mux)
	return http.NewCrossOriginProtection().Handler(mux)
}

// addProfiles adds what importing net/http/pprof puts into http.DefaultServeMux, which nobody serves here.
func addProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol) // go tool pprof asks so
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

func (c *console) health(w http.ResponseWriter, _ *http.Request) {
	c.write(w, http.StatusOK, map[string]string{"status": "ok"})
}

// write writes v as JSON; only a gone client makes that fail.
func (c *console) write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		c.Log.Debug("writing an admin answer failed", "err", err)
	}
}
