// Package journal keeps what happened: every callback with its trace, every attempt at a delivery. It is searchable, and
// bounded in age and size.
//
// Open makes a Journal; Callback and Attempt record, Find, Get and Follow look. Recording never waits: what the journal cannot
// keep up with is dropped and counted.
//
// Records are kept by the hundred: a chunk holds what arrived within about a second, or a megabyte of it, encoded (wire.go)
// and compressed (chunk.go) in one row of an SQLite file (store.go), beside a list of what can be found in it (terms.go). So
// a record costs a fraction of what a row and six indexes of its own would.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"

	"callboard/internal/dbfile"
)

// Options configures Open. Path is required.
type Options struct {
	// Path is the database file; it is made where it is missing. Its folder must exist.
	Path string
	// Driver is the name of a database/sql driver for SQLite. "" means that of github.com/ncruces/go-sqlite3.
	Driver string
	// MaxAge bounds how long records are kept, about. Zero means 72 hours.
	MaxAge time.Duration
	// MaxBytes bounds the file, about; its write-ahead log comes on top, some 8 MiB. Zero means 10 GiB.
	MaxBytes int64
	// Buffer bounds the bytes that wait to be written, about; what comes on top is dropped. Zero means 32 MiB.
	Buffer int
	// WithoutBodies keeps message contents out: bodies of callbacks and what sinks answered. Traces are kept as they are
	// given: whoever makes them sees to it that they hold none.
	WithoutBodies bool
	// Log receives what people must see. Nil discards.
	Log *slog.Logger
	// Registerer receives the metrics. Nil registers nothing.
	Registerer prometheus.Registerer
}

func (o Options) withDefaults() Options {
	if o.Driver == "" {
		o.Driver = dbfile.DefaultDriver
	}
	if o.MaxAge == 0 {
		o.MaxAge = 72 * time.Hour
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 10 << 30
	}
	if o.Buffer == 0 {
		o.Buffer = 32 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Errors that callers branch on.
var (
	// ErrNotFound means that the journal has no such callback, or no longer.
	ErrNotFound = errors.New("not in the journal")
	// ErrClosed means that Run has ended.
	ErrClosed = errors.New("the journal is closed")
)

// A Journal is safe for concurrent use.
type Journal struct {
	o          Options
	chunkBytes int // records that make a chunk full
	metrics    *metrics
	inbox      inbox
	dropped    atomic.Int64 // records, ever
	stats      stats
	done       chan struct{} // closed when Run has ended

	mu         sync.Mutex // guards what follows; held while writing, so never taken on the way in
	store      *store     // nil between a damaged file and the next
	written    []meta     // chunks in the store, by ascending id
	waiting    []*chunk   // full, not yet written
	open       *chunk     // being filled
	spares     []*chunk   // empty, their memory is used again
	lastID     int64      // of a chunk, ever
	follows    []*follower
	searches   int // under way: meanwhile chunks are not merged
	enc        encoder
	compressor *zstd.Encoder
	packed     []byte    // what it made last
	retryAt    time.Time // after a write failed, else zero
	lostAt     int64     // what dropped was then
	keptAt     time.Time // when keepHouse last looked
	closed     bool
}

// Open opens the journal and reads what it needs to know. A file that is damaged is moved aside (its name gets
// ".damaged-" and the time) and a new one begun: the journal is not worth a gateway that does not start. Only one process
// may have a journal open.
func Open(ctx context.Context, o Options) (*Journal, error) {
	o = o.withDefaults()
	j := &Journal{o: o, done: make(chan struct{}), open: new(chunk), compressor: newCompressor()}
	j.open.reset()
	j.inbox.init(o.Buffer)
	j.enc.withoutBodies = o.WithoutBodies
	// A small journal has small chunks, so that it forgets in small steps.
	j.chunkBytes = int(min(max(o.MaxBytes/64, 16<<10), 1<<20))
	if err := j.openStore(ctx); err != nil {
		return nil, fmt.Errorf("opening journal %s: %w", o.Path, err)
	}
	j.metrics = newMetrics(o.Registerer, j)
	return j, nil
}

// Callback records a callback, or drops it. It never waits.
func (j *Journal) Callback(c *Callback) {
	if j.inbox.put(item{callback: c, cost: c.cost()}) {
		j.metrics.callbacks.Inc()
		return
	}
	j.dropped.Add(1)
	j.metrics.callbacksDropped.Inc()
}

// Attempt records an attempt, or drops it. It never waits. The attempt must not change any more.
func (j *Journal) Attempt(a *Attempt) {
	if j.inbox.put(item{attempt: a, cost: a.cost()}) {
		j.metrics.attempts.Inc()
		return
	}
	j.dropped.Add(1)
	j.metrics.attemptsDropped.Inc()
}
