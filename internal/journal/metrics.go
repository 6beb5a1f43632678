package journal

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics tell whether the journal keeps up, and how far back it goes.
type metrics struct {
	callbacks, attempts               prometheus.Counter
	callbacksDropped, attemptsDropped prometheus.Counter
	writtenBytes                      prometheus.Counter
	writeErrors                       prometheus.Counter
	missed                            prometheus.Counter
}

// stats are what gauges show.
type stats struct {
	chunks atomic.Int64
	bytes  atomic.Int64
	oldest atomic.Int64 // milliseconds, 0 when there is nothing
}

// note takes over how many chunks are written and how old the first is.
func (s *stats) note(written []meta) {
	s.chunks.Store(int64(len(written)))
	oldest := int64(0)
	if len(written) > 0 {
		oldest = min(written[0].since, written[0].newest)
	}
	s.oldest.Store(oldest)
}

func newMetrics(r prometheus.Registerer, j *Journal) *metrics {
	f := promauto.With(r)
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: "callboard_journal_" + name, Help: help})
	}
	byKind := func(name, help string) (callbacks, attempts prometheus.Counter) {
		v := f.NewCounterVec(prometheus.CounterOpts{Name: "callboard_journal_" + name, Help: help}, []string{"kind"})
		return v.WithLabelValues("callback"), v.WithLabelValues("attempt")
	}
	gauge := func(name, help string, value func() float64) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: "callboard_journal_" + name, Help: help}, value)
	}
	m := &metrics{
		writtenBytes: counter("written_bytes_total", "Bytes written to the journal, compressed, with what is written again when small chunks are merged."),
		writeErrors:  counter("write_errors_total", "Writes to the journal that failed."),
		missed:       counter("missed_total", "Callbacks that somebody who follows live was too slow for."),
	}
	m.callbacks, m.attempts = byKind("records_total", "Records that the journal took, by kind: callback or attempt.")
	m.callbacksDropped, m.attemptsDropped = byKind("dropped_total", "Records that were dropped because too many waited to be written, by kind: callback or attempt.")
	gauge("buffer_bytes", "Bytes that wait to be written, about.", func() float64 { return float64(j.inbox.used()) })
	gauge("chunks", "Chunks in the journal.", func() float64 { return float64(j.stats.chunks.Load()) })
	gauge("size_bytes", "Size of the journal's file.", func() float64 { return float64(j.stats.bytes.Load()) })
	gauge("oldest_age_seconds", "Age of the oldest record in the journal.", func() float64 {
		if ms := j.stats.oldest.Load(); ms != 0 {
			return time.Since(time.UnixMilli(ms)).Seconds()
		}
		return 0
	})
	return m
}
