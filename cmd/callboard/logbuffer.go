package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	logShards   = 16                    // buffers that lines are spread over
	shardBytes  = 256 << 10             // of lines that may wait in one buffer; twice that in memory while it is written
	logInterval = 20 * time.Millisecond // how long a line may wait for company
)

// A logBuffer takes lines at once and writes them a little later, so that nobody who logs is ever
// held by the writer: a stuck terminal or pipe costs lines, not callbacks.
//
// Lines are spread over shards by chance; no two goroutines share a lock for longer than a copy
// of a line, and most share none. A shard that is full drops lines; the count is logged when
// writing works again. Lines of one goroutine are written in their order. Run must be running.
type logBuffer struct {
	w       io.Writer
	shards  [logShards]logShard
	waiting atomic.Bool   // whether the writer was told of lines
	wake    chan struct{} // tells it
	dropped atomic.Int64  // lines, ever
}

// A logShard is a part of the lines that wait.
type logShard struct {
	mu    sync.Mutex
	text  []byte    // guarded by mu, like the next
	lines []logLine // where they are in text
	_     [64]byte  // keeps shards on cache lines of their own
}

// A logLine is a line's place in its shard's text.
type logLine struct {
	time       int64 // of the record, nanoseconds
	start, end int
}

// newLogBuffer makes a buffer before w. Only Run writes to w.
func newLogBuffer(w io.Writer) *logBuffer {
	return &logBuffer{w: w, wake: make(chan struct{}, 1)}
}

// add takes a copy of a line, or drops it when its shard is full. A zero time counts as now.
func (b *logBuffer) add(at time.Time, line []byte) {
	if at.IsZero() {
		at = time.Now()
	}
	shard := &b.shards[rand.IntN(logShards)]
	shard.mu.Lock()
	if len(shard.text) > 0 && len(shard.text)+len(line) > shardBytes {
		shard.mu.Unlock()
		b.dropped.Add(1)
		return
	}
	start := len(shard.text)
	shard.text = append(shard.text, line...)
	shard.lines = append(shard.lines, logLine{time: at.UnixNano(), start: start, end: len(shard.text)})
	shard.mu.Unlock()

	if !b.waiting.Load() && b.waiting.CompareAndSwap(false, true) {
		select {
		case b.wake <- struct{}{}:
		default: // it is told already
		}
	}
}

// Dropped returns how many lines were dropped so far.
func (b *logBuffer) Dropped() int64 { return b.dropped.Load() }

// run writes lines until ctx ends, then what is left, and returns. notice formats the line that
// tells of dropped ones.
func (b *logBuffer) run(ctx context.Context, notice func(dropped int64) []byte) {
	var batch logBatch
	var told int64 // of dropped lines
	for ended := false; !ended; {
		select {
		case <-b.wake:
			select {
			case <-time.After(logInterval):
			case <-ctx.Done():
			}
		case <-ctx.Done():
			ended = true
		}
		b.waiting.Store(false) // before collecting: what comes after it wakes the writer again
		text := batch.collect(&b.shards)
		if dropped := b.dropped.Load(); dropped > told {
			text = append(text, notice(dropped-told)...)
			told = dropped
		}
		if len(text) > 0 {
			_, _ = b.w.Write(text) // there is nowhere left to tell of an error
		}
	}
}

// A logBatch is what one write carries. It is kept for its memory.
type logBatch struct {
	text  [logShards][]byte
	lines [logShards][]logLine
	order []orderedLine
	out   []byte
}

type orderedLine struct {
	time int64
	text []byte
}

// collect takes the lines of all shards and returns them in the order of their times. All shards
// are held at once, for the length of swapping their slices: otherwise a goroutine's earlier
// line could miss a batch that its later one is in.
func (c *logBatch) collect(shards *[logShards]logShard) []byte {
	for i := range shards {
		shards[i].mu.Lock()
	}
	for i := range shards {
		s := &shards[i]
		s.text, c.text[i] = c.text[i][:0], s.text
		s.lines, c.lines[i] = c.lines[i][:0], s.lines
	}
	for i := range shards {
		shards[i].mu.Unlock()
	}

	c.order, c.out = c.order[:0], c.out[:0]
	for i := range shards {
		for _, l := range c.lines[i] {
			c.order = append(c.order, orderedLine{time: l.time, text: c.text[i][l.start:l.end]})
		}
	}
	slices.SortStableFunc(c.order, func(a, b orderedLine) int { return int(min(max(a.time-b.time, -1), 1)) })
	for _, l := range c.order {
		c.out = append(c.out, l.text...)
	}
	return c.out
}

// A logHandler is a slog.Handler that formats into a logBuffer.
type logHandler struct {
	buffer *logBuffer
	make   func(io.Writer) slog.Handler // with the attributes and groups of With
	level  slog.Leveler
	pool   *sync.Pool // of *formatter
}

// A formatter formats one record at a time into its own memory.
type formatter struct {
	line    bytes.Buffer
	handler slog.Handler // writes to line
}

func newLogHandler(b *logBuffer, level slog.Leveler, make func(io.Writer) slog.Handler) *logHandler {
	return &logHandler{buffer: b, make: make, level: level, pool: &sync.Pool{New: func() any {
		f := new(formatter)
		f.handler = make(&f.line)
		return f
	}}}
}

// Enabled says whether the level is logged.
func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// Handle formats the record and leaves it to the buffer. It never waits for the writer.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	f := h.pool.Get().(*formatter)
	defer h.pool.Put(f)
	f.line.Reset()
	if err := f.handler.Handle(ctx, r); err != nil {
		return fmt.Errorf("formatting a log line: %w", err)
	}
	h.buffer.add(r.Time, f.line.Bytes())
	return nil
}

// WithAttrs returns a handler that adds the attributes to each line.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return newLogHandler(h.buffer, h.level, func(w io.Writer) slog.Handler { return h.make(w).WithAttrs(attrs) })
}

// WithGroup returns a handler that qualifies later attributes by the name.
func (h *logHandler) WithGroup(name string) slog.Handler {
	return newLogHandler(h.buffer, h.level, func(w io.Writer) slog.Handler { return h.make(w).WithGroup(name) })
}
