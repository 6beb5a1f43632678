package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// BenchmarkRecord is all that a callback with a body of 1 KB, a trace of 1.5 KB and three attempts costs: on the way in, and
// in the background up to the page cache of the operating system.
func BenchmarkRecord(b *testing.B) {
	o := Options{Path: filepath.Join(b.TempDir(), "journal.db"), MaxBytes: 1 << 30}
	j := open(b, o)
	const many = 8192
	callbacks, attempts := make([]*Callback, many), make([][]*Attempt, many)
	for n := range many {
		callbacks[n] = sample(noon.Add(time.Duration(n)*time.Millisecond), n)
		attempts[n] = sampleAttempts(callbacks[n], n)
	}
	before, n := cpu(), 0
	b.ReportAllocs()
	for b.Loop() {
		j.Callback(callbacks[n%many])
		for _, a := range attempts[n%many] {
			j.Attempt(a)
		}
		if n++; n%500 == 0 { // 50 ms at 10,000 callbacks a second
			j.round(b.Context())
		}
	}
	j.round(b.Context())
	if j.dropped.Load() > 0 {
		b.Errorf("%d dropped", j.dropped.Load())
	}
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(n), "cpu-ns/op")
	if j.stats.bytes.Load() < o.MaxBytes*3/4 {
		b.ReportMetric(float64(fileSize(b, o.Path))/float64(n), "disk-B/op")
	}
}

// BenchmarkHandOver is what of this the request path pays, with as many callers as there are cores.
func BenchmarkHandOver(b *testing.B) {
	j := open(b, Options{Path: filepath.Join(b.TempDir(), "journal.db")})
	c := sample(noon, 1)
	as := sampleAttempts(c, 1)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() { // empties the inbox, and does no more
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-j.inbox.many:
				items := j.inbox.take()
				for _, it := range items {
					j.inbox.free(it.cost)
				}
				clear(items)
			}
		}
	}()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			j.Callback(c)
			for _, a := range as {
				j.Attempt(a)
			}
		}
	})
	close(stop)
	<-done
}

// BenchmarkFind searches a journal of CALLBOARD_BENCH_CALLBACKS callbacks (default 20,000; 1,000,000 take a minute to make).
func BenchmarkFind(b *testing.B) {
	total, _ := strconv.Atoi(os.Getenv("CALLBOARD_BENCH_CALLBACKS"))
	if total == 0 {
		total = 20_000
	}
	o := Options{Path: filepath.Join(b.TempDir(), "journal.db")}
	j := open(b, o)
	start := time.Now().Add(-time.Duration(total) * time.Millisecond)
	for n := range total {
		c := sample(start.Add(time.Duration(n)*time.Millisecond), n)
		j.Callback(c)
		for _, a := range sampleAttempts(c, n) {
			j.Attempt(a)
		}
		if n%1000 == 999 {
			j.round(b.Context())
		}
	}
	write(b, j)
	size := fmt.Sprintf("%d callbacks in %d chunks, %d bytes each", total, len(j.written), fileSize(b, o.Path)/int64(total))
	b.Log(size)
	middle := sample(start, total/2)
	at := start.Add(time.Duration(total/2) * time.Millisecond)
	run := func(name string, want int, f Filter) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				if err := j.Find(context.Background(), f, false, func(*Callback) bool { n++; return n < want }); err != nil {
					b.Fatal(err)
				}
				if n != want {
					b.Fatalf("%d found, want %d", n, want)
				}
			}
		})
	}
	run("operationID", 1, Filter{OperationID: middle.OperationID})
	run("operationID that is not there", 0, Filter{OperationID: "nobody's"})
	run("group, the last 20", 20, Filter{GroupID: middle.GroupID})
	run("group, all", (total-1-total/2%977)/977+1, Filter{GroupID: middle.GroupID})
	run("the last 50", 50, Filter{})
	run("a second of them", 1000, Filter{Since: at, Until: at.Add(time.Second)})
	b.Run("Get", func(b *testing.B) {
		id := ulid(at, total/2)
		for b.Loop() {
			if _, as, err := j.Get(context.Background(), id); err != nil || len(as) != 3 {
				b.Fatal(len(as), err)
			}
		}
	})
	shut(b, j)
	b.Run("Open", func(b *testing.B) {
		for b.Loop() {
			j, err := Open(context.Background(), o)
			if err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			shut(b, j)
			b.StartTimer()
		}
	})
}

// BenchmarkTrace compares ways to make the JSON of a trace.
func BenchmarkTrace(b *testing.B) {
	var e encoder
	text := sampleTrace(1)
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		b.Fatal(err)
	}
	b.Run("AppendJSON", func(b *testing.B) {
		for b.Loop() {
			e.traceJSON(text)
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		for b.Loop() {
			e.traceJSON(value)
		}
	})
	b.Logf("%d bytes", len(text))
}

// cpu is what this process has used, in all threads.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
