package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
)

func TestCallersAtTheSameTimeShareACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queuetest.NewMemory()
		store.BeforeCommit = func(context.Context, *queue.Batch) error { time.Sleep(5 * time.Millisecond); return nil }
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: newReceiver(nil)})
		var callers sync.WaitGroup
		for i := range 100 {
			callers.Go(func() {
				e := &queue.Event{ID: fmt.Sprint(i), At: time.Now(), Targets: []queue.Target{to("a")}}
				if err := q.Append(t.Context(), e); err != nil || e.Seq == 0 {
					t.Errorf("Append = %v, Seq %d", err, e.Seq)
				}
			})
		}
		callers.Wait()
		if n := q.Usage().Commits; n > 3 {
			t.Errorf("%d commits for 100 callers at the same time, want one or two", n)
		}
		q.stop()
	})
}

func TestALoneCallerDoesNotWaitForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: newReceiver(nil)})
		began := time.Now()
		for range 100 {
			q.add(to("a"))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("100 appends one after the other waited %v, want no wait but for the disk", took)
		}
		q.stop()
	})
}

func TestADiskThatHangsCannotEatTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queuetest.NewMemory()
		hung := make(chan struct{})
		store.BeforeCommit = func(context.Context, *queue.Batch) error { <-hung; return nil }
		q := open(t, queue.Options{Store: store})
		body := make([]byte, 1<<20)
		var waits []func(context.Context) error
		for range 200 {
			waits = append(waits, q.Submit(&queue.Event{At: time.Now(), Body: body}))
		}
		if err := waits[199](t.Context()); !errors.Is(err, queue.ErrFull) || !errors.Is(q.Healthy(), queue.ErrFull) {
			t.Errorf("the last of 200 MiB got %v, Healthy = %v; want ErrFull at once", err, q.Healthy())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, wait := range waits[:199] {
			if err := wait(ctx); err == nil {
				t.Error("a wait ended without error before the disk took anything")
			}
		}
		close(hung)
		settle(time.Second)
		if n := q.Usage().Events; n > 100 {
			t.Errorf("%d events of 1 MiB were kept for a disk that hung, want a bound", n)
		}
		if err := q.Healthy(); err != nil {
			t.Errorf("Healthy = %v when the disk is back", err)
		}
		q.stop()
	})
}

func TestAnEventWithASinkTwiceIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := open(t, queue.Options{})
		if err := q.Append(t.Context(), &queue.Event{Targets: []queue.Target{to("a"), to("a")}}); err == nil {
			t.Error("Append = nil, want an error")
		}
		q.stop()
	})
}
