// Package router answers IMServer: it matches a callback against the current table, asks the
// sinks under one deadline, and writes the verdict.
//
// New makes a Gateway, an http.Handler; Tally is a policy as a pure function of the votes in
// hand. Reading rules and making sinks are the business of packages rules and sinks.
package router

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callboard/openim"
	"callboard/sinks"
)

// An Asker asks one sink. *sinks.Sink is one.
type Asker interface {
	// Ask returns soon after ctx ends: where only one sink is asked, the answer waits for it. It may be
	// called concurrently.
	Ask(ctx context.Context, r sinks.Request) sinks.Result
}

// Options configures a Gateway. The zero value is ready to use.
type Options struct {
	// Version is the IMServer line that replies are written for.
	Version openim.Version
	// AnswerWithin is the budget of a callback, from its arrival to the answer. Zero means 4 seconds,
	// against the 5 that IMServer waits by default.
	AnswerWithin time.Duration
	// RefuseOnTrouble refuses what cannot be handled (broken JSON, no rules yet …) instead of allowing it.
	RefuseOnTrouble bool
	// MaxBody bounds a callback's body in bytes. Zero means 8 MiB.
	MaxBody int64
	// MaxInFlight bounds the callbacks handled at one time; more are answered at once as trouble. Zero means 4096.
	MaxInFlight int
	// Log receives one line a callback (at info level) and what went wrong. Nil discards.
	Log *slog.Logger
	// Registerer receives the metrics. Nil registers nothing.
	Registerer prometheus.Registerer
	// Queue keeps what rules notify. Nil means that callbacks to be notified are trouble.
	Queue Queue
	// OnTrace is called after each answer with why it is what it is. It must return at once and may be
	// called concurrently. Nil means nobody looks.
	OnTrace func(*Trace)
}

func (o Options) withDefaults() Options {
	if o.AnswerWithin == 0 {
		o.AnswerWithin = 4 * time.Second
	}
	if o.MaxBody == 0 {
		o.MaxBody = 8 << 20
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 4096
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// A Gateway answers callbacks. It is an http.Handler, and safe for concurrent use.
type Gateway struct {
	o       Options
	log     *slog.Logger
	metrics *metrics
	table   atomic.Pointer[prepared]

	swapping  sync.Mutex // held while tables change
	candidate atomic.Pointer[candidate]

	inFlight atomic.Int64 // callbacks
	requests atomic.Int64 // to sinks, whether or not their answer is still awaited
	budgets  budgets
	dedup    dedup
}

// New makes a Gateway that has no table yet: until Swap, callbacks are trouble.
func New(o Options) *Gateway {
	o = o.withDefaults()
	g := &Gateway{o: o, log: o.Log}
	g.metrics = newMetrics(o.Registerer, g)
	return g
}

// Swap makes t the table of the requests that begin from now on; requests under way finish with the one
// they began with.
func (g *Gateway) Swap(t *Table) {
	g.swapping.Lock()
	defer g.swapping.Unlock()
	next := g.metrics.prepare(t)
	if old := g.table.Swap(next); old != nil {
		g.metrics.forget(old, next, g.candidate.Load().table())
	}
}

// Table returns the current table, nil before the first Swap.
func (g *Gateway) Table() *Table {
	if p := g.table.Load(); p != nil {
		return p.Table
	}
	return nil
}
