package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
)

func TestWhoeverHasLostTheQueueStopsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, lost := failingStore(fmt.Errorf("epoch 4: %w", queue.ErrLost))
		a := newReceiver(hangs)
		q := openOnly(t, queue.Options{Store: store})
		q.SetSinks([]queue.Sink{{Name: "a", Deliverer: a, Concurrency: 1}})
		ended := make(chan error, 1)
		go func() { ended <- q.Run(t.Context(), time.Hour) }()
		q.add(to("a"))
		q.add(to("a"))
		settle(time.Second)
		lost.Store(true)
		began := time.Now()
		if err := q.Append(t.Context(), &queue.Event{ID: "x", At: time.Now()}); !errors.Is(err, queue.ErrLost) {
			t.Errorf("Append = %v, want ErrLost", err)
		}
		if err := <-ended; !errors.Is(err, queue.ErrLost) || time.Since(began) > time.Second {
			t.Errorf("Run = %v after %v, want ErrLost at once", err, time.Since(began))
		}
		if err := q.Append(t.Context(), &queue.Event{ID: "y", At: time.Now()}); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("Append after it = %v, want ErrClosed", err)
		}
		if err := q.Healthy(); err == nil {
			t.Error("Healthy = nil")
		}
		if a.count() != 1 {
			t.Errorf("%d attempts, want none after the one that was cut short", a.count())
		}
	})
}

func TestAStoreThatHangsDoesNotHoldUpTheEndForEver(t *testing.T) {
	for name, c := range map[string]struct {
		commits, reads bool
		answer         func(context.Context, queue.Delivery) queue.Outcome
	}{
		"commits hang":                     {commits: true},
		"commits hang and attempts run on": {commits: true, answer: hangs},
		"reads hang":                       {reads: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := queuetest.NewMemory()
				hung := make(chan struct{})
				var commits, reads atomic.Bool
				store.BeforeCommit = func(context.Context, *queue.Batch) error {
					if commits.Load() {
						<-hung
					}
					return nil
				}
				store.BeforeRead = func(string) error {
					if reads.Load() {
						<-hung
					}
					return nil
				}
				q := openOnly(t, queue.Options{Store: store})
				q.SetSinks([]queue.Sink{{Name: "a", Deliverer: newReceiver(c.answer)}})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- q.Run(ctx, 2*time.Second) }()
				q.add(to("a"))
				commits.Store(c.commits)
				reads.Store(c.reads)
				go func() { _ = q.Append(ctx, &queue.Event{ID: "x", At: time.Now(), Targets: []queue.Target{to("a")}}) }()
				settle(time.Second)
				cancel()
				began := time.Now()
				err := <-ended
				if took := time.Since(began); err == nil || took > 7*time.Second {
					t.Errorf("Run = %v after %v, want an error within the grace of 2 s and 5 s", err, took)
				}
				close(hung)
			})
		})
	}
}

// Failures of long ago are no reason to give up what became of deliveries at the end.
func TestTheEndKeepsWhatIsSettledOnceTheDiskIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, broken := failingStore(errors.New("the disk is away"))
		a := newReceiver(takes(time.Second))
		sink := queue.Sink{Name: "a", Deliverer: a}
		q := open(t, queue.Options{Store: store}, sink)
		q.add(to("a"))
		broken.Store(true)
		settle(time.Hour)
		broken.Store(false)
		began := time.Now()
		q.stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end took %v", took)
		}
		q = open(t, queue.Options{Store: store.Reopen()}, sink)
		settle(time.Minute)
		if a.count() != 1 {
			t.Errorf("%d attempts, want none after the restart", a.count())
		}
		q.stop()
	})
}

// Callers that are still told so must not make the last tries as rare as those before the end.
func TestADiskThatFailsDoesNotHoldUpTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queuetest.NewMemory()
		var broken atomic.Bool
		store.BeforeCommit = func(context.Context, *queue.Batch) error {
			if broken.Load() {
				time.Sleep(100 * time.Millisecond)
				return errors.New("the disk is away")
			}
			return nil
		}
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: newReceiver(takes(time.Second))})
		q.add(to("a"))
		broken.Store(true)
		settle(time.Hour)
		for _, id := range []string{"x", "y"} { // the second one waits while the first one is tried
			go func() {
				if err := q.Append(t.Context(), &queue.Event{ID: id, At: time.Now(), Targets: []queue.Target{to("a")}}); err == nil {
					t.Error("Append: no error")
				}
			}()
			time.Sleep(50 * time.Millisecond)
		}
		q.crashed = true
		began := time.Now()
		q.stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}

// Where events do not fit, the ends of deliveries may: only these make room again, and calls that go on must not keep them out.
func TestWhatIsSettledIsWrittenWhileNewEventsDoNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queuetest.NewMemory()
		var full atomic.Bool
		store.BeforeCommit = func(_ context.Context, b *queue.Batch) error {
			if full.Load() && len(b.Events) > 0 {
				return queue.ErrFull
			}
			return nil
		}
		a := newReceiver(takes(time.Second))
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: a})
		for range 10 {
			q.add(to("a"))
		}
		full.Store(true)
		for range 300 {
			if err := q.Append(t.Context(), &queue.Event{ID: "x", At: time.Now(), Targets: []queue.Target{to("a")}}); !errors.Is(err, queue.ErrFull) {
				t.Fatalf("Append = %v, want ErrFull", err)
			}
			if !errors.Is(q.Healthy(), queue.ErrFull) {
				t.Fatalf("Healthy = %v while events are refused", q.Healthy())
			}
			settle(10 * time.Millisecond)
			if !errors.Is(q.Healthy(), queue.ErrFull) {
				t.Fatalf("Healthy = %v because something smaller was taken", q.Healthy())
			}
		}
		settle(3 * time.Second)
		if !errors.Is(q.Healthy(), queue.ErrFull) {
			t.Errorf("Healthy = %v soon after the last event was refused", q.Healthy())
		}
		if n := q.Usage().Events; n != 0 {
			t.Errorf("%d events are left, want all removed", n)
		}
		full.Store(false)
		q.add(to("a"))
		if err := q.Healthy(); err != nil {
			t.Errorf("Healthy = %v after an event was taken", err)
		}
		q.stop()
	})
}
