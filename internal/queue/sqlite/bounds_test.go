package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"callboard/internal/queue"
)

// A writer that never pauses, a sink that never moves and one that follows: the write-ahead log stays near its limit, and the
// file near what the dead sink keeps.
func TestFilesStayBounded(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		const limit, body, rounds, perRound = 1 << 20, 2000, 150, 40
		s := openStore(t, Options{Path: filepath.Join(t.TempDir(), "queue.db"), Driver: driver, walLimit: limit})
		s.stop() // the background would checkpoint by the clock; here it is done by count
		s.background.Wait()
		var maxWAL int64
		for i := range rounds {
			b := &queue.Batch{}
			for j := range perRound {
				e := &queue.Event{ID: fmt.Sprintf("%d.%d", i, j), Targets: []queue.Target{{Sink: "follows"}}, Body: make([]byte, body)}
				if j == 0 {
					e.Targets = append(e.Targets, queue.Target{Sink: "dead"})
				}
				b.Events = append(b.Events, e)
			}
			b.Sinks = []queue.Cursor{{Sink: "follows", Floor: uint64(i * perRound)}}
			if err := s.Commit(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if i%5 == 4 {
				if err := s.checkpoint(context.Background()); err != nil {
					t.Fatal(err)
				}
				if _, err := s.Trim(t.Context(), 10*perRound); err != nil {
					t.Fatal(err)
				}
			}
			maxWAL = max(maxWAL, fileSize(t, s.o.Path+"-wal"))
		}
		const written = rounds * perRound * body
		if maxWAL > 3*limit {
			t.Errorf("the write-ahead log had %d bytes, its limit is %d", maxWAL, limit)
		}
		// What the dead sink keeps, the last rounds, and pages that are partly filled.
		const kept = rounds * 10_000
		if size := fileSize(t, s.o.Path); size > kept+freePages*s.pageSize {
			t.Errorf("the file has %d bytes, %d were written and about %d are kept", size, written, rounds*body)
		}
		for more := true; more; {
			var err error
			if more, err = s.Trim(t.Context(), 1000); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.Usage().Events; n != rounds+perRound-1 {
			t.Errorf("%d events are left, want %d", n, rounds+perRound-1)
		}
		if len(s.stale) != 0 {
			t.Errorf("Trim would look again at %v", s.stale)
		}
	})
}

// A file that was large gives space back, bit by bit, once it is mostly empty.
func TestSpaceIsGivenBack(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		s := openStore(t, Options{Path: filepath.Join(t.TempDir(), "queue.db"), Driver: driver})
		s.stop() // checkpoints come by hand
		s.background.Wait()
		for range 5 {
			if err := appendEvents(t, s, 200, 20_000); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		large := fileSize(t, s.o.Path)
		if err := s.Commit(t.Context(), &queue.Batch{Sinks: []queue.Cursor{{Sink: "a", Floor: 1000}}}); err != nil {
			t.Fatal(err)
		}
		for range 30 {
			if _, err := s.Trim(t.Context(), 1000); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		if small := fileSize(t, s.o.Path); large < 20_000_000 || small > (freePages+100)*s.pageSize {
			t.Errorf("the file had %d bytes and has %d, all of its events gone", large, small)
		}
	})
}

func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
