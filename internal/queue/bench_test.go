package queue_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
	"callboard/internal/queue/sqlite"
)

// BenchmarkDispatch brings an event to three sinks that take everything at once, with 32 callers at work.
func BenchmarkDispatch(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchmarkDispatch(b, queuetest.NewMemory(), queue.Batching{}) })
	b.Run("memory in batches", func(b *testing.B) {
		benchmarkDispatch(b, queuetest.NewMemory(), queue.Batching{Max: 100, Wait: time.Millisecond})
	})
	b.Run("sqlite", func(b *testing.B) {
		s, err := sqlite.Open(b.Context(), sqlite.Options{Path: filepath.Join(b.TempDir(), "queue.db")})
		if err != nil {
			b.Fatal(err)
		}
		benchmarkDispatch(b, s, queue.Batching{})
	})
}

// instant takes everything, and counts.
type instant struct{ n atomic.Int64 }

func (i *instant) Deliver(context.Context, queue.Delivery) queue.Outcome {
	i.n.Add(1)
	return queue.Outcome{Verdict: queue.Done, Status: 200}
}

func (i *instant) DeliverBatch(_ context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome) {
	i.n.Add(int64(len(ds)))
	return queue.Outcome{Verdict: queue.Done, Status: 200}, nil
}

func benchmarkDispatch(b *testing.B, store queue.Store, batching queue.Batching) {
	q, err := queue.New(b.Context(), queue.Options{Store: store})
	if err != nil {
		b.Fatal(err)
	}
	var sink instant
	q.SetSinks([]queue.Sink{
		{Name: "a", Deliverer: &sink, Batching: batching}, {Name: "b", Deliverer: &sink, Batching: batching}, {Name: "c", Deliverer: &sink, Batching: batching},
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- q.Run(ctx, time.Second) }()
	var targets [64][]queue.Target
	for i := range targets {
		targets[i] = []queue.Target{{Sink: "a", Key: id(int64(i))}, {Sink: "b"}, {Sink: "c"}}
	}
	body := make([]byte, 1200)
	var n atomic.Int64
	b.SetParallelism(16) // 32 callers on two cores
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			e := &queue.Event{ID: id(i), At: time.Now(), Command: "callbackAfterSendGroupMsgCommand", Targets: targets[i%64], Body: body}
			if err := q.Append(ctx, e); err != nil {
				b.Error(err)
				return
			}
		}
	})
	for sink.n.Load() < 3*n.Load() {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

// id makes an id that is as long as a real one.
func id(n int64) string {
	b := []byte("01j00000000000000000000000")
	for i := len(b) - 1; n > 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b)
}
