// Package console is the admin listener: health, readiness, metrics, profiles, and reloading on demand.
//
// New makes the http.Handler. Answering callbacks is the business of package router, and happens on another listener.
package console

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/pprof"

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

type console struct{ Options }

// New makes the admin handler:
//
//	GET  /healthz       200 while the process lives
//	GET  /readyz        200 while a table serves and shutdown has not begun, else 503; rejected rules are in its details
//	GET  /metrics       Prometheus
//	POST /api/reload    reads the rules folder now: 200 when its contents serve, 422 when they were rejected
//	GET  /debug/pprof/  Go's profiles, for go tool pprof
//
// Requests that a browser makes on behalf of another site are refused.
func New(o Options) http.Handler {
	c := console{o.withDefaults()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", c.health)
	mux.HandleFunc("GET /readyz", c.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(c.Gatherer, promhttp.HandlerOpts{
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelError),
		ErrorHandling:     promhttp.ContinueOnError,
		EnableOpenMetrics: true,
	}))
	if c.Reload != nil {
		mux.HandleFunc("POST /api/reload", c.reload)
	}
	addProfiles(mux)
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

func (c console) health(w http.ResponseWriter, _ *http.Request) {
	c.write(w, http.StatusOK, map[string]string{"status": "ok"})
}

// write writes v as JSON; only a gone client makes that fail.
func (c console) write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		c.Log.Debug("writing an admin answer failed", "err", err)
	}
}
