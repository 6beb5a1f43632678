package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// running opens a journal inside a bubble and runs it; stop ends that.
func running(t *testing.T, o Options) (j *Journal, stop func()) {
	t.Helper()
	j, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	return j, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func TestRunWritesWithinASecondOrSo(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "journal.db")}
	synctest.Test(t, func(t *testing.T) {
		j, stop := running(t, o)
		j.Callback(&Callback{ID: "a", At: time.Now()})
		time.Sleep(900 * time.Millisecond)
		if n := len(chunkIDs(j)); n != 0 {
			t.Errorf("%d chunks after 900 ms, want 0", n)
		}
		time.Sleep(200 * time.Millisecond)
		if n := len(chunkIDs(j)); n != 1 {
			t.Errorf("%d chunks after 1.1 s, want 1", n)
		}
		j.Callback(&Callback{ID: "b", At: time.Now()})
		stop()
		j.Callback(&Callback{ID: "c", At: time.Now()})
		if n := j.dropped.Load(); n != 1 {
			t.Errorf("%d records dropped after the end, want 1", n)
		}
		j, stop = running(t, o)
		if got, want := ids(find(t, j, Filter{}, true)), []string{"a", "b"}; !slices.Equal(got, want) {
			t.Errorf("after opening again %v, want %v", got, want)
		}
		stop()
	})
}

func TestMuchIsWrittenAtOnce(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "journal.db")}
	synctest.Test(t, func(t *testing.T) {
		j, stop := running(t, o)
		defer stop()
		for range 8 {
			j.Callback(&Callback{At: time.Now(), Body: make([]byte, 600<<10)})
		}
		time.Sleep(gather + time.Millisecond)
		if n := len(chunkIDs(j)); n < 3 {
			t.Errorf("%d chunks, want those that are full", n)
		}
	})
}

func TestQuietTimesMakeFewChunks(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "journal.db")}
	synctest.Test(t, func(t *testing.T) {
		j, stop := running(t, o)
		const seconds = 2000
		start := time.Now()
		for n := range seconds {
			j.Callback(sample(time.Now(), n))
			time.Sleep(time.Second)
		}
		if n := len(chunkIDs(j)); n > seconds/100+fewChunks {
			t.Errorf("%d chunks for %d seconds", n, seconds)
		}
		if got := find(t, j, Filter{}, true); len(got) != seconds || got[0].ID != ulid(start, 0) {
			t.Errorf("%d callbacks, want %d", len(got), seconds)
		}
		f := Filter{OperationID: sample(start, 77).OperationID}
		if got := ids(find(t, j, f, true)); len(got) != 1 {
			t.Errorf("%v found by a term of a merged chunk, want one", got)
		}
		stop()
		t.Logf("%d bytes a callback, %d chunks", fileSize(t, o.Path)/seconds, len(j.written))
	})
}

// A search knows chunks by their ids, so these must stay while it lasts.
func TestChunksAreNotMergedUnderASearch(t *testing.T) {
	j := open(t, Options{Path: filepath.Join(t.TempDir(), "journal.db")})
	var want []string
	for n := range fewChunks - 1 {
		j.Callback(&Callback{ID: fmt.Sprintf("%03d", n), At: noon.Add(time.Duration(n) * time.Second)})
		want = append(want, fmt.Sprintf("%03d", n))
		write(t, j)
	}
	var got []string
	err := j.Find(t.Context(), Filter{}, true, func(c *Callback) bool {
		if len(got) == 0 {
			for range 10 {
				j.Callback(&Callback{ID: "later", At: noon.Add(time.Hour)})
				write(t, j)
			}
		}
		got = append(got, c.ID)
		return true
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want the %d that were there at the beginning", got, err, len(want))
	}
	j.Callback(&Callback{ID: "after", At: noon.Add(time.Hour)})
	write(t, j)
	if n := len(chunkIDs(j)); n > 20 {
		t.Errorf("%d chunks after the search, want them merged", n)
	}
	if n := len(find(t, j, Filter{}, true)); n != len(want)+11 {
		t.Errorf("%d callbacks, want %d", n, len(want)+11)
	}
}

func TestFollow(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "journal.db")}
	synctest.Test(t, func(t *testing.T) {
		j, stop := running(t, o)
		j.Callback(&Callback{ID: "before", GroupID: "g", At: time.Now()})
		type event struct {
			id     string
			missed int
		}
		var quick, slow []event
		first := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 3)
		go func() {
			ended <- j.Follow(ctx, Filter{GroupID: "g"}, func(c *Callback, missed int) bool {
				quick = append(quick, event{c.ID, missed})
				return true
			})
		}()
		go func() {
			ended <- j.Follow(t.Context(), Filter{}, func(c *Callback, missed int) bool {
				slow = append(slow, event{c.ID, missed})
				if len(slow) == 1 {
					<-first
				}
				return true
			})
		}()
		go func() {
			ended <- j.Follow(t.Context(), Filter{}, func(*Callback, int) bool { return false })
		}()
		synctest.Wait()
		j.Callback(&Callback{ID: "0", At: time.Now()})
		time.Sleep(time.Second)
		if err := <-ended; err != nil {
			t.Errorf("Follow until yield returned false: %v", err)
		}
		for n := range followRecords + 10 {
			c := &Callback{ID: fmt.Sprint(n + 1), At: time.Now()}
			if n == 100 {
				c.GroupID = "g"
			}
			j.Callback(c)
		}
		time.Sleep(time.Second)
		close(first)
		synctest.Wait()
		j.Callback(&Callback{ID: "last", At: time.Now()})
		time.Sleep(time.Second)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Follow until ctx ended: %v", err)
		}
		stop()
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("Follow until the journal ended: %v", err)
		}
		if want := []event{{"101", 0}}; !slices.Equal(quick, want) {
			t.Errorf("with a filter: %v, want %v", quick, want)
		}
		if len(slow) != followRecords+2 || slow[followRecords+1] != (event{"last", 10}) {
			t.Errorf("the slow one got %d, at last %v; want %d and 10 missed", len(slow), slow[len(slow)-1], followRecords+2)
		}
	})
}

func TestWhatDoesNotFitIsDroppedAndCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	j := open(t, Options{Path: filepath.Join(t.TempDir(), "journal.db"), Buffer: 100 << 10, Registerer: reg})
	for range 50 {
		j.Callback(&Callback{ID: "big", At: noon, Body: make([]byte, 7<<10)}) // 10 KiB each
	}
	j.Attempt(&Attempt{CallbackID: "big", At: noon, Answer: strings.Repeat("x", 50<<10)})
	if n := len(find(t, j, Filter{}, true)); n != 10 {
		t.Errorf("%d callbacks are there, want 10", n)
	}
	write(t, j)
	j.Callback(&Callback{ID: "room again", At: noon})
	want := `
		# HELP callboard_journal_dropped_total Records that were dropped because too many waited to be written, by kind: callback or attempt.
		# TYPE callboard_journal_dropped_total counter
		callboard_journal_dropped_total{kind="attempt"} 1
		callboard_journal_dropped_total{kind="callback"} 40
		# HELP callboard_journal_records_total Records that the journal took, by kind: callback or attempt.
		# TYPE callboard_journal_records_total counter
		callboard_journal_records_total{kind="attempt"} 0
		callboard_journal_records_total{kind="callback"} 11
		# HELP callboard_journal_buffer_bytes Bytes that wait to be written, about.
		# TYPE callboard_journal_buffer_bytes gauge
		callboard_journal_buffer_bytes 3072
		# HELP callboard_journal_chunks Chunks in the journal.
		# TYPE callboard_journal_chunks gauge
		callboard_journal_chunks 1
		`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "callboard_journal_dropped_total", "callboard_journal_records_total",
		"callboard_journal_buffer_bytes", "callboard_journal_chunks"); err != nil {
		t.Error(err)
	}
}

// fill makes the disk full for a journal, or not.
func (j *Journal) fill(t *testing.T, full bool) {
	t.Helper()
	pages := 1 << 30
	if full {
		pages = 1 // which means: no more than there are
	}
	if _, err := j.store.w.Exec(fmt.Sprintf("PRAGMA max_page_count=%d", pages)); err != nil {
		t.Fatal(err)
	}
}

func TestAFullDiskIsSaidOnceAndForgiven(t *testing.T) {
	for _, driver := range drivers {
		t.Run(driver, func(t *testing.T) {
			o := Options{Path: filepath.Join(t.TempDir(), "journal.db"), Driver: driver, Buffer: 5 << 20}
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				o.Log = slog.New(slog.NewTextHandler(&log, nil))
				j, stop := running(t, o)
				j.fill(t, true)
				noise := make([]byte, 1_000_000)
				rand.NewChaCha8([32]byte{}).Read(noise)
				big := func(id string) {
					j.Callback(&Callback{ID: id, At: time.Now(), Body: noise})
					time.Sleep(2 * time.Second)
				}
				for n := range 7 {
					big(fmt.Sprint(n))
				}
				if got, want := ids(find(t, j, Filter{}, true)), []string{"0", "1", "2", "3", "4"}; !slices.Equal(got, want) {
					t.Errorf("while the disk is full %v are found, want %v", got, want)
				}
				if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "writing the journal failed") {
					t.Errorf("the log says %q, want one line", log.String())
				}
				j.fill(t, false)
				time.Sleep(2 * time.Second)
				big("again")
				if !strings.Contains(log.String(), "written again") || !strings.Contains(log.String(), "dropped=2") || strings.Count(log.String(), "\n") != 2 {
					t.Errorf("the log says %q, want that it is written again, and that two were lost", log.String())
				}
				stop()
				j, stop = running(t, o)
				if got, want := ids(find(t, j, Filter{}, true)), []string{"0", "1", "2", "3", "4", "again"}; !slices.Equal(got, want) {
					t.Errorf("at last %v are found, want %v", got, want)
				}
				stop()
			})
		})
	}
}

func TestAllAtTheSameTime(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "journal.db"), MaxBytes: 4 << 20}
	j := open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	const writers, each = 4, 1500
	var writing, reading sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := range each {
				c := sample(noon.Add(time.Duration(n)*time.Second), w*each+n)
				j.Callback(c)
				j.Attempt(&Attempt{CallbackID: c.ID, At: c.At})
				if n%100 == 0 {
					if _, as, err := j.Get(ctx, c.ID); err != nil || len(as) != 1 {
						t.Errorf("just recorded: %d attempts, %v", len(as), err)
					}
				}
			}
		})
	}
	reads, stop := context.WithCancel(ctx)
	reading.Go(func() {
		for reads.Err() == nil {
			find(t, j, Filter{GroupID: "group-1"}, false)
		}
	})
	followed := 0
	reading.Go(func() {
		_ = j.Follow(reads, Filter{}, func(_ *Callback, missed int) bool { followed += 1 + missed; return true }) // ends with reads
	})
	writing.Wait()
	if got := find(t, j, Filter{}, true); len(got) != writers*each {
		t.Errorf("%d callbacks, want %d", len(got), writers*each)
	}
	stop()
	reading.Wait()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if followed > writers*each {
		t.Errorf("%d callbacks followed or missed, of %d", followed, writers*each)
	}
	t.Logf("%d followed or missed", followed)
}
