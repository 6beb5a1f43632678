package queue_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
)

// A delivered is one attempt as a receiver saw it.
type delivered struct {
	Seq     uint64
	Attempt int
	After   time.Duration // since the receiver was made
}

// failingStore is a store whose commits fail with err while broken says so.
func failingStore(err error) (store *queuetest.Memory, broken *atomic.Bool) {
	store, broken = queuetest.NewMemory(), new(atomic.Bool)
	store.BeforeCommit = func(context.Context, *queue.Batch) error {
		if broken.Load() {
			return err
		}
		return nil
	}
	return store, broken
}

// A receiver is a sink that does what its test says, and remembers.
type receiver struct {
	answer func(ctx context.Context, d queue.Delivery) queue.Outcome // nil: takes everything at once

	began time.Time
	mu    sync.Mutex // guards all below
	got   []delivered
	now   int // attempts in flight
	most  int // at the same time
}

func newReceiver(answer func(ctx context.Context, d queue.Delivery) queue.Outcome) *receiver {
	return &receiver{answer: answer, began: time.Now()}
}

func (r *receiver) Deliver(ctx context.Context, d queue.Delivery) queue.Outcome {
	r.mu.Lock()
	r.got = append(r.got, delivered{d.Seq, d.Attempt, time.Since(r.began)})
	r.now++
	r.most = max(r.most, r.now)
	answer := r.answer
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.now--
		r.mu.Unlock()
	}()
	if answer == nil {
		return done
	}
	return answer(ctx, d)
}

// takesAll lets it take everything from now on.
func (r *receiver) takesAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = nil
}

// seqs returns what arrived, in order.
func (r *receiver) seqs() []uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	seqs := []uint64{}
	for _, d := range r.got {
		seqs = append(seqs, d.Seq)
	}
	return seqs
}

func (r *receiver) attempts() []delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivered{}, r.got...)
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

var (
	done    = queue.Outcome{Verdict: queue.Done, Status: 200}
	again   = queue.Outcome{Verdict: queue.Again, Status: 503, Reason: "busy"}
	refused = queue.Outcome{Verdict: queue.Refused, Status: 404, Reason: "no such thing"}
	gone    = queue.Outcome{Verdict: queue.Gone, Status: 410, Reason: "gone"}
)

// takes answers each delivery after so long.
func takes(wait time.Duration) func(context.Context, queue.Delivery) queue.Outcome {
	return func(ctx context.Context, d queue.Delivery) queue.Outcome {
		select {
		case <-time.After(wait):
			return done
		case <-ctx.Done():
			return queue.Outcome{Verdict: queue.Again, Reason: "cut short"}
		}
	}
}

// hangs answers nothing before it must.
func hangs(ctx context.Context, _ queue.Delivery) queue.Outcome {
	<-ctx.Done()
	return queue.Outcome{Verdict: queue.Again, Reason: "cut short"}
}

// A bench is a queue at work in a bubble.
type bench struct {
	*queue.Queue
	t     *testing.T
	store *queuetest.Memory
	stop  func() // ends Run in order, and waits for it
	next  int

	crashed bool // what Run returns is of no interest
}

// crash leaves the queue behind as a killed process would, and returns what is on its disk.
func (b *bench) crash() *queuetest.Memory {
	store := b.store.Reopen()
	b.crashed = true
	b.stop()
	return store
}

// open starts a queue over a store; the zero store is a new one.
func open(t *testing.T, o queue.Options, sinks ...queue.Sink) *bench {
	t.Helper()
	b := openOnly(t, o)
	b.SetSinks(sinks)
	b.run(time.Second)
	return b
}

// openOnly does not run it.
func openOnly(t *testing.T, o queue.Options) *bench {
	t.Helper()
	if o.Store == nil {
		o.Store = queuetest.NewMemory()
	}
	q, err := queue.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	m, _ := o.Store.(*queuetest.Memory)
	return &bench{Queue: q, t: t, store: m}
}

func (b *bench) run(grace time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx, grace) }()
	var once sync.Once
	b.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil && !b.crashed {
				b.t.Errorf("Run: %v", err)
			}
		})
	}
	b.t.Cleanup(b.stop)
}

// add appends an event for a sink.
func (b *bench) add(targets ...queue.Target) *queue.Event {
	b.t.Helper()
	b.next++
	e := &queue.Event{ID: fmt.Sprintf("cb%06d", b.next), At: time.Now(), Command: "c", Body: []byte("body"), Targets: targets}
	if err := b.Append(b.t.Context(), e); err != nil {
		b.t.Fatalf("Append: %v", err)
	}
	return e
}

// to is a target without a key.
func to(sink string) queue.Target { return queue.Target{Sink: sink} }

// keyed is a target with one.
func keyed(sink, key string) queue.Target { return queue.Target{Sink: sink, Key: key} }

// status returns how a sink stands.
func (b *bench) status(sink string) queue.SinkStatus {
	b.t.Helper()
	for _, s := range b.Sinks() {
		if s.Name == sink {
			return s
		}
	}
	return queue.SinkStatus{}
}

// sorted is for deliveries without a key, which arrive in any order.
func sorted(seqs []uint64) []uint64 {
	slices.Sort(seqs)
	return seqs
}

// settle lets time pass.
func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
