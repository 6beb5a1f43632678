package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"callboard/internal/queue"
)

const benchBody = 1200

// BenchmarkAppend has callers that each wait for their event to be on disk, over a committer that takes whatever waits: the
// store, and beside it a plain file that the same bytes are appended to.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 16, 128} {
		for _, to := range []string{"ncruces", "modernc", "file"} {
			b.Run(fmt.Sprintf("callers=%d/to=%s", callers, to), func(b *testing.B) {
				path := filepath.Join(b.TempDir(), "queue.db")
				var commit func([]*queue.Event) error
				if to == "file" {
					commit = appendToFile(b, path)
				} else {
					s := openStore(b, Options{Path: path, Driver: drivers[to]})
					floor := uint64(0)
					commit = func(events []*queue.Event) error {
						batch := &queue.Batch{Events: events}
						for _, sink := range []string{"a", "b", "c"} {
							batch.Sinks = append(batch.Sinks, queue.Cursor{Sink: sink, Floor: floor})
						}
						err := s.Commit(b.Context(), batch)
						floor = events[len(events)-1].Seq
						return err
					}
				}
				benchmarkCommits(b, callers, commit)
			})
		}
	}
}

func appendToFile(b *testing.B, path string) func([]*queue.Event) error {
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	var buffer []byte
	return func(events []*queue.Event) error {
		buffer = buffer[:0]
		for _, e := range events {
			buffer = append(append(append(buffer, e.ID...), e.Command...), e.Body...)
		}
		if _, err := f.Write(buffer); err != nil {
			return err
		}
		return syscall.Fdatasync(int(f.Fd()))
	}
}

func benchmarkCommits(b *testing.B, callers int, commit func([]*queue.Event) error) {
	type waiter struct {
		e    *queue.Event
		done chan error
	}
	waiting := make(chan waiter, callers)
	commits := 0
	var committer sync.WaitGroup
	committer.Go(func() {
		for w := range waiting {
			batch := []waiter{w}
			for more := true; more; {
				select {
				case w, ok := <-waiting:
					if more = ok; ok {
						batch = append(batch, w)
					}
				default:
					more = false
				}
			}
			events := make([]*queue.Event, len(batch))
			for i := range batch {
				events[i] = batch[i].e
			}
			err := commit(events)
			commits++
			for _, w := range batch {
				w.done <- err
			}
		}
	})
	body := []byte(strings.Repeat(`{"sendID":"u1"}`, benchBody/15))
	targets := []queue.Target{{Sink: "a", Rules: []string{"keep-everything"}}, {Sink: "b", Key: "group-1", Rules: []string{"orders"}}, {Sink: "c"}}
	todo := make(chan int, callers)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			done := make(chan error)
			for i := range todo {
				waiting <- waiter{&queue.Event{
					ID: fmt.Sprintf("01jz%022d", i), At: time.Now(), Command: "callbackAfterSendGroupMsgCommand", OperationID: "1750000000",
					MessageID: "5f2f0c1c9d9a4a5bb0b5e1", Hops: 1, Targets: targets, Body: body,
				}, done}
				if err := <-done; err != nil {
					b.Error(err)
				}
			}
		})
	}
	cpu, written, began := processCPU(), processWritten(), time.Now()
	n := 0
	for b.Loop() {
		todo <- n
		n++
	}
	close(todo)
	wg.Wait()
	close(waiting)
	committer.Wait()
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "appends/s")
	b.ReportMetric(float64(commits)/float64(n), "fsyncs/append")
	b.ReportMetric(float64((processCPU()-cpu).Microseconds())/float64(n), "cpu-µs/append")
	b.ReportMetric(float64(processWritten()-written)/float64(n), "bytes/append")
}

func processCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// processWritten is what this process caused to be written to disks; 0 where the system does not tell.
func processWritten() (n int64) {
	b, _ := os.ReadFile("/proc/self/io")
	for line := range strings.Lines(string(b)) {
		_, _ = fmt.Sscanf(line, "write_bytes: %d", &n)
	}
	return n
}

// BenchmarkSettle commits batches without events, which need not be synced.
func BenchmarkSettle(b *testing.B) {
	for name, driver := range drivers {
		b.Run(name, func(b *testing.B) {
			s := openStore(b, Options{Path: filepath.Join(b.TempDir(), "queue.db"), Driver: driver})
			floor := uint64(0)
			for b.Loop() {
				floor++
				if err := s.Commit(b.Context(), &queue.Batch{Sinks: []queue.Cursor{{Sink: "a", Floor: floor}}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkGrowth shows how large the files get when nothing ever pauses: run it with -benchtime 3m. One event of a thousand stays,
// for a sink that is dead.
func BenchmarkGrowth(b *testing.B) {
	s := openStore(b, Options{Path: filepath.Join(b.TempDir(), "queue.db")})
	var maxWAL, maxFile int64
	began, said, head := time.Now(), time.Now(), uint64(0)
	for i := 0; b.Loop(); i++ {
		batch := &queue.Batch{Sinks: []queue.Cursor{{Sink: "a", Floor: head}, {Sink: "b", Floor: head - min(head, 1000)}}}
		for j := range 32 {
			e := &queue.Event{
				ID: fmt.Sprintf("01jz%022d", i*32+j), At: time.Now(), Targets: []queue.Target{{Sink: "a"}, {Sink: "b"}},
				Body: make([]byte, 500+i*j%3000),
			}
			if (i*32+j)%1000 == 0 {
				e.Targets = append(e.Targets, queue.Target{Sink: "dead"})
			}
			batch.Events = append(batch.Events, e)
		}
		if err := s.Commit(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		head = batch.Events[31].Seq
		if i%50 == 0 {
			if _, err := s.Trim(b.Context(), 5000); err != nil {
				b.Fatal(err)
			}
			maxWAL, maxFile = max(maxWAL, fileSize(b, s.o.Path+"-wal")), max(maxFile, fileSize(b, s.o.Path))
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			b.Logf("%3.0f s: %8d events, %d in the log, file %d MB, write-ahead log %d MB", time.Since(began).Seconds(), head,
				s.Usage().Events, fileSize(b, s.o.Path)>>20, fileSize(b, s.o.Path+"-wal")>>20)
		}
	}
	b.ReportMetric(float64(maxWAL>>20), "max-wal-MB")
	b.ReportMetric(float64(maxFile>>20), "max-file-MB")
}

// BenchmarkMillion opens a store with a million waiting events, and one with a million rows.
func BenchmarkMillion(b *testing.B) {
	for _, rows := range []bool{false, true} {
		path := filepath.Join(b.TempDir(), "queue.db")
		s := openStore(b, Options{Path: path})
		for i := 0; i < 1_000_000; i += 1000 {
			batch := &queue.Batch{}
			for j := range 1000 {
				batch.Events = append(batch.Events, &queue.Event{
					ID: fmt.Sprintf("01jz%022d", i+j), At: time.UnixMilli(int64(i)), Targets: []queue.Target{{Sink: "a", Key: fmt.Sprint(j)}}, Body: make([]byte, 2048),
				})
			}
			if rows && i > 0 {
				for j := range 1000 {
					batch.Rows = append(batch.Rows, queue.Row{
						Ref: queue.Ref{Sink: "a", Seq: uint64(i - 1000 + j + 1)}, State: queue.Retrying, Lane: uint64(j + 1),
						Due: time.Unix(int64(j), 0), Reason: "answered 503",
					})
				}
			}
			if err := s.Commit(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		name := "waiting"
		if rows {
			name = "rows"
		}
		b.Run(name+"/load", func(b *testing.B) {
			for b.Loop() {
				s := openStore(b, Options{Path: path})
				if _, err := s.Load(b.Context()); err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
		s = openStore(b, Options{Path: path})
		b.Run(name+"/read100", func(b *testing.B) {
			after := uint64(0)
			for b.Loop() {
				events, upTo, err := s.Read(b.Context(), "a", after, 100, 1<<20)
				if err != nil || !rows && len(events) == 0 && upTo < 1_000_000 {
					b.Fatal(len(events), err)
				}
				after = upTo % 1_000_000
			}
		})
		b.Run(name+"/search50", func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Search(b.Context(), queue.Filter{Sink: "a"}, queue.Ref{}, 50); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/due100", func(b *testing.B) {
			for b.Loop() {
				if _, _, err := s.Due(b.Context(), "a", time.Unix(1, 0), maxSeq, 100); err != nil {
					b.Fatal(err)
				}
			}
		})
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
