// Package shadow proves a candidate, another set of rules, on live callbacks before it counts.
//
// New makes a Shadow; Serving and Candidate give it tables, Observe the trace of each answered callback. It tells in the
// background how each would have ended with the other table. A share of the callbacks, the canary's, may be decided by the
// candidate; where that goes beyond bounds, the share is taken back. Reading folders is the business of package table,
// answering that of package router.
package shadow

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/client_golang/prometheus"

	"callboard/internal/compare"
	"callboard/openim"
	"callboard/router"
	"callboard/rules/when"
)

// Options configures a Shadow. SetCandidate is required.
type Options struct {
	// SetCandidate puts a table beside the serving one, or takes it away: router.Gateway.SetCandidate.
	SetCandidate func(t *router.Table, takes func(*openim.Callback) bool)
	// Rehearsal is how callbacks are rehearsed; Version and AnswerWithin count.
	Rehearsal router.Options
	// Share is the canary's share of the callbacks that have a key, 0 to 1. Zero means that the candidate only watches.
	Share float64
	// Key is the expression that callbacks are shared out by: those with the same key have the same fate, and those without one
	// are not the canary's. "" means groupID.
	Key string
	// Bounds are what the canary may do before it is rolled back.
	Bounds Bounds
	// Buffer bounds the bytes of callbacks that wait to be compared, about; what comes on top is dropped. Zero means 16 MiB.
	Buffer int64
	// Log receives what people must see. Nil discards.
	Log *slog.Logger
	// Registerer receives the metrics. Nil registers nothing.
	Registerer prometheus.Registerer
}

const (
	maxWaiting = 4096 // callbacks that wait to be compared
	maxEntries = 1000 // differences that are kept apart
	maxSamples = 5    // of each

	defaultBuffer = 16 << 20
)

// A Shadow compares a candidate with what serves. It is safe for concurrent use.
type Shadow struct {
	o       Options
	metrics *metrics
	key     *when.Key
	env     *when.Env

	active  atomic.Bool // whether there are two tables to compare
	waiting chan *router.Trace
	bytes   atomic.Int64  // of those that wait
	share   atomic.Uint64 // of the canary, as math.Float64bits

	mu         sync.Mutex // guards what follows
	serving    *compare.Side
	candidate  *compare.Side
	table      *router.Table // the candidate's, also while it is discarded
	discarded  bool
	wanted     float64 // the canary's share unless it was rolled back
	rolledBack *Rollback
	since      time.Time // when the comparison was begun
	report     *compare.Report
	compared   int64 // callbacks, as places of samples
	window     window
}

// New makes a Shadow without tables, or says what is wrong with the key.
func New(o Options) (*Shadow, error) {
	if o.Key == "" {
		o.Key = "groupID"
	}
	if o.Buffer == 0 {
		o.Buffer = defaultBuffer
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Bounds = o.Bounds.withDefaults()
	key, problems := when.CompileKey(o.Key, nil)
	if key == nil {
		return nil, fmt.Errorf("compiling the canary's key %q: %s", o.Key, problems[0].Message)
	}
	s := &Shadow{o: o, key: key, env: when.NewEnv(nil, key), waiting: make(chan *router.Trace, maxWaiting)}
	s.metrics = newMetrics(o.Registerer, s)
	s.setShareLocked(o.Share)
	s.clearLocked()
	return s, nil
}

// Serving takes each table that serves.
func (s *Shadow) Serving(t *router.Table) {
	side := compare.NewSide(t.Rules, s.o.Rehearsal)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving = side
	s.clearLocked()
}

// Candidate takes each table of the candidate's folder. A canary that was rolled back begins anew with it, and so does one that
// was discarded.
func (s *Shadow) Candidate(t *router.Table) {
	side := compare.NewSide(t.Rules, s.o.Rehearsal)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.candidate, s.table, s.discarded = side, t, false
	s.rolledBack = nil
	s.setShareLocked(s.wanted)
	s.clearLocked()
	s.o.SetCandidate(t, s.takes)
}

// clearLocked begins the comparison anew.
func (s *Shadow) clearLocked() {
	s.active.Store(s.serving != nil && s.candidate != nil && !s.discarded)
	s.report = &compare.Report{Samples: maxSamples, MaxEntries: maxEntries}
	s.since = time.Now()
	s.window = newWindow(s.o.Bounds.Window)
	s.metrics.clear()
}

// takes reports whether a callback is the canary's.
func (s *Shadow) takes(cb *openim.Callback) bool {
	share := math.Float64frombits(s.share.Load())
	if share == 0 {
		return false
	}
	scope := s.env.Bind(cb, time.Time{}) // keys read no time
	key, err := scope.Key(s.key)
	scope.Release()
	if err != nil {
		s.metrics.keyErrors.Inc()
	}
	return key != "" && place(key) < share
}

// place is where a key stands between 0 and 1: the same for ever and on every gateway.
func place(key string) float64 { return float64(xxhash.Sum64String(key)>>11) / (1 << 53) }

// Observe takes the trace of an answered callback. It never waits: what the comparison cannot keep up with is dropped and
// counted. Nobody else may use the trace's Callback afterwards, save its exported fields.
func (s *Shadow) Observe(t *router.Trace) {
	if !s.active.Load() || t.Revision == "" || t.RepeatOf != "" || t.ReplayOf != "" {
		return // nothing to compare with, or no rules have decided it
	}
	if t.Canary {
		s.metrics.decided(t)
	}
	size := sizeOf(t)
	if s.bytes.Add(size) > s.o.Buffer {
		s.drop(size)
		return
	}
	select {
	case s.waiting <- t:
	default:
		s.drop(size)
	}
}

// traceBytes is what a trace is taken to occupy beside the body, the reply, and what sinks have set.
const traceBytes = 2 << 10

func sizeOf(t *router.Trace) int64 {
	size := traceBytes + len(t.Reply)
	if t.Callback != nil { // otherwise deciding it panicked
		size += len(t.Callback.Body)
	}
	for i := range t.Asked {
		for j := range t.Asked[i].Answer.Fields {
			size += len(t.Asked[i].Answer.Fields[j].Raw)
		}
	}
	return int64(size)
}

func (s *Shadow) drop(size int64) {
	s.bytes.Add(-size)
	s.metrics.dropped.Inc()
}

// slow is what one comparison may take before there is a pause after it.
const slow = time.Millisecond

// Run compares until ctx ends. A candidate that takes long gets half of a core: callbacks need the others, and there may be one.
func (s *Shadow) Run(ctx context.Context) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	<-pause.C
	for {
		select {
		case <-ctx.Done():
			return nil
		case t := <-s.waiting:
			s.bytes.Add(-sizeOf(t))
			begun := time.Now()
			s.compareSafely(t)
			if took := time.Since(begun); took > slow {
				pause.Reset(took)
				select {
				case <-pause.C:
				case <-ctx.Done():
				}
			}
		}
	}
}

// compareSafely keeps a rule that makes the comparison panic from ending the gateway.
func (s *Shadow) compareSafely(t *router.Trace) {
	defer func() {
		if p := recover(); p != nil {
			s.metrics.skipped.Inc()
			s.o.Log.Error("comparing a callback with the candidate panicked", "callback", t.ID, "panic", fmt.Sprint(p))
		}
	}()
	s.compare(t)
}
