package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// lines splits what was logged.
func lines(text string) []string {
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func TestLogKeepsEveryLineAndTheOrderOfAGoroutine(t *testing.T) {
	var out bytes.Buffer // only the writing goroutine writes it
	log, end := logFlags{LogLevel: "info", LogFormat: "json"}.start(&out, prometheus.NewRegistry())
	const writers, each = 8, 500
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			log := log.With("writer", w).WithGroup("g")
			for n := range each {
				log.Info("line", "n", n)
			}
		})
	}
	wg.Wait()
	end()

	next := make(map[int]int) // writer → number of its next line
	for _, line := range lines(out.String()) {
		var got struct {
			Msg    string
			Writer int
			G      struct{ N int }
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if got.G.N != next[got.Writer] {
			t.Fatalf("writer %d: got line %d, want %d", got.Writer, got.G.N, next[got.Writer])
		}
		next[got.Writer]++
	}
	for w := range writers {
		if next[w] != each {
			t.Errorf("writer %d: %d lines of %d", w, next[w], each)
		}
	}
}

func TestLogHandlerKeepsTheRulesOfSlog(t *testing.T) {
	var out bytes.Buffer
	ctx, end := context.WithCancel(t.Context())
	buffer := newLogBuffer(&out)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer.run(ctx, func(int64) []byte { return nil })
	}()
	h := newLogHandler(buffer, slog.LevelInfo, func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) })
	err := slogtest.TestHandler(h, func() []map[string]any {
		end()
		<-done
		var all []map[string]any
		for _, line := range lines(out.String()) {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatalf("line %q: %v", line, err)
			}
			all = append(all, m)
		}
		return all
	})
	if err != nil {
		t.Error(err)
	}
}

// A stuckWriter takes nothing until it is released, then everything.
type stuckWriter struct {
	entered chan struct{} // closed at the first write
	release chan struct{}
	once    sync.Once
	bytes.Buffer
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.entered) })
	<-w.release
	return w.Buffer.Write(p)
}

func TestLogIsNotHeldByAStuckWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &stuckWriter{entered: make(chan struct{}), release: make(chan struct{})}
		reg := prometheus.NewRegistry()
		log, end := logFlags{LogLevel: "info", LogFormat: "text"}.start(w, reg)
		log.Info("first")
		<-w.entered

		began := time.Now()
		long := strings.Repeat("x", 1000)
		const sent = 2 * logShards * shardBytes / 1000
		for range sent {
			log.Info("more", "text", long)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("logging to a stuck writer waited %v", waited)
		}
		close(w.release)
		end()

		var dropped int
		for _, line := range lines(w.String()) {
			if _, n, ok := strings.Cut(line, `msg="log lines dropped" n=`); ok {
				if _, err := fmt.Sscan(n, &dropped); err != nil {
					t.Fatal(err)
				}
			}
		}
		if kept := strings.Count(w.String(), "msg=more"); dropped == 0 || kept+dropped != sent {
			t.Errorf("%d lines kept and %d said to be dropped of %d", kept, dropped, sent)
		}
		want := fmt.Sprintf("# HELP callboard_log_lines_dropped_total Log lines dropped because standard error did not take them.\n"+
			"# TYPE callboard_log_lines_dropped_total counter\ncallboard_log_lines_dropped_total %d\n", dropped)
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "callboard_log_lines_dropped_total"); err != nil {
			t.Error(err)
		}
	})
}

func TestLogEndsThoughItsWriterIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &stuckWriter{entered: make(chan struct{}), release: make(chan struct{})}
		log, end := logFlags{LogLevel: "info", LogFormat: "text"}.start(w, prometheus.NewRegistry())
		log.Info("first")
		<-w.entered
		began := time.Now()
		end()
		if waited := time.Since(began); waited != logExit {
			t.Errorf("ending took %v, want %v", waited, logExit)
		}
		close(w.release) // lets the goroutine go before the bubble ends
	})
}

func TestLogWritesAQuietLineSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		log, end := logFlags{LogLevel: "warn", LogFormat: "text"}.start(w, prometheus.NewRegistry())
		began := time.Now()
		log.Info("not at this level")
		log.Warn("alone")
		buf := make([]byte, 200)
		n, err := r.Read(buf)
		if err != nil || !strings.Contains(string(buf[:n]), "msg=alone") || strings.Contains(string(buf[:n]), "not at") {
			t.Errorf("read %q, %v", buf[:n], err)
		}
		if waited := time.Since(began); waited != logInterval {
			t.Errorf("the line came after %v, want %v", waited, logInterval)
		}
		end()
	})
}

func BenchmarkLogLine(b *testing.B) {
	buffer := newLogBuffer(io.Discard)
	ctx, end := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() { buffer.run(ctx, func(int64) []byte { return nil }) })
	log := slog.New(newLogHandler(buffer, slog.LevelInfo, func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) }))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			log.LogAttrs(ctx, slog.LevelInfo, "callback", slog.String("command", "callbackBeforeSendGroupMsgCommand"), slog.Int("ms", 12))
		}
	})
	end()
	wg.Wait()
}
