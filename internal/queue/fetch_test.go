package queue_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
)

// retryOnce asks for a second attempt after a wait, and takes that.
func retryOnce(wait time.Duration) func(context.Context, queue.Delivery) queue.Outcome {
	return func(_ context.Context, d queue.Delivery) queue.Outcome {
		if d.Attempt == 1 {
			return queue.Outcome{Verdict: queue.Again, Status: 503, RetryAfter: wait}
		}
		return done
	}
}

func TestFreshDeliveriesAndThoseReadBackTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(retryOnce(time.Minute))
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, Concurrency: 1, Breaker: queue.Breaker{Off: true}})
		for range 40 {
			q.add(to("a"))
		}
		settle(time.Second)
		if err := q.Pause(t.Context(), "a", "a test"); err != nil {
			t.Fatal(err)
		}
		a.mu.Lock()
		a.answer = takes(time.Millisecond)
		a.mu.Unlock()
		for range 40 {
			q.add(to("a"))
		}
		settle(time.Hour)
		before := a.count()
		if err := q.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		fresh := 0
		for _, d := range a.attempts()[before : before+30] {
			if d.Attempt == 1 {
				fresh++
			}
		}
		if fresh < 12 || fresh > 18 {
			t.Errorf("%d of the first 30 attempts were fresh ones, want about half", fresh)
		}
		q.stop()
	})
}

// A sink that reads the log may come upon an event before it is told of it.
func TestAnEventThatWasReadAlreadyIsNotTakenInTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queuetest.NewMemory()
		store.AfterCommit = func(_ context.Context, b *queue.Batch) error {
			if len(b.Events) == 1 && b.Events[0].Seq == 13 {
				time.Sleep(time.Minute) // on disk, but nobody is told yet
			}
			return nil
		}
		a := newReceiver(takes(time.Second))
		q := open(t, queue.Options{Store: store, Window: 4}, queue.Sink{Name: "a", Deliverer: a, Concurrency: 1})
		for range 13 {
			q.add(to("a"))
		}
		settle(time.Hour)
		want := []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}
		if got := a.seqs(); !cmp.Equal(got, want) {
			t.Errorf("got %v, want each once", got)
		}
		if st := q.status("a"); st.Waiting != 0 {
			t.Errorf("status = %+v, want nothing left", st)
		}
		q.stop()
	})
}

func TestTheFloorOfASinkWithoutDeliveriesFollowsTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := open(t, queue.Options{}, queue.Sink{Name: "busy", Deliverer: newReceiver(nil)}, queue.Sink{Name: "idle", Deliverer: newReceiver(nil)})
		q.add(to("idle"))
		for range 2500 {
			q.add(to("busy"))
		}
		settle(3 * time.Second)
		snap, err := q.crash().Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range snap.Sinks {
			if s.Floor < 1501 {
				t.Errorf("the floor of sink %s is %d after 2501 events, want at most 1000 behind", s.Sink, s.Floor)
			}
		}
	})
}

func TestARowWhoseEndIsNotWrittenYetIsNotTakenInAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queuetest.NewMemory()
		var slow atomic.Bool
		store.BeforeCommit = func(context.Context, *queue.Batch) error {
			if slow.Load() {
				time.Sleep(10 * time.Second)
			}
			return nil
		}
		a := newReceiver(nil)
		a.answer = func(ctx context.Context, d queue.Delivery) queue.Outcome {
			return retryOnce(time.Duration(d.Seq)*time.Second)(ctx, d)
		}
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: a, Breaker: queue.Breaker{Off: true}})
		q.add(to("a"))
		q.add(to("a")) // due a second later, when the end of the first is on its way to the disk
		settle(500 * time.Millisecond)
		slow.Store(true)
		settle(time.Minute)
		if got, want := a.seqs(), []uint64{1, 2, 1, 2}; !cmp.Equal(sorted(got), sorted(want)) {
			t.Errorf("attempts at %v, want two at each", got)
		}
		slow.Store(false)
		q.stop()
	})
}

// Rows that are over, but not for the store, must not keep a processor busy with reading them.
func TestRowsWhoseEndCannotBeWrittenAreNotReadAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, broken := failingStore(errors.New("the disk is away"))
		var reads atomic.Int64
		store.BeforeRead = func(method string) error {
			if method == "Due" && reads.Add(1) > 1000 {
				time.Sleep(time.Second) // or the bubble's clock would stand still
			}
			return nil
		}
		a := newReceiver(retryOnce(time.Minute))
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: a, MaxBackoff: time.Minute, Breaker: queue.Breaker{Off: true}})
		for range 300 {
			q.add(to("a"))
		}
		settle(30 * time.Second)
		broken.Store(true)
		settle(10 * time.Minute)
		if n := reads.Load(); n > 200 {
			t.Errorf("%d reads of due rows in 10 minutes, want hardly any while nothing can be written", n)
		}
		broken.Store(false)
		settle(time.Minute)
		if st := q.status("a"); a.count() != 600 || st.Retrying+st.Waiting != 0 {
			t.Errorf("%d attempts, status = %+v; want two at each", a.count(), st)
		}
		q.stop()
	})
}

func TestReadingIsTriedAgainAfterAnError(t *testing.T) {
	for _, method := range []string{"Read", "Due", "Lane"} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := queuetest.NewMemory()
				var failed atomic.Int64
				var broken atomic.Bool
				store.BeforeRead = func(m string) error {
					if m == method && broken.Load() {
						failed.Add(1)
						return errors.New("cannot read")
					}
					return nil
				}
				a := newReceiver(func(ctx context.Context, d queue.Delivery) queue.Outcome {
					time.Sleep(10 * time.Millisecond)
					return retryOnce(10*time.Second)(ctx, d)
				})
				sink := queue.Sink{Name: "a", Deliverer: a, Concurrency: 1, Breaker: queue.Breaker{Off: true}}
				q := open(t, queue.Options{Store: store, Window: 4}, sink)
				broken.Store(true)
				for range 40 {
					q.add(keyed("a", "k"), to("b"))
				}
				for range 60 { // what else happens does not hurry it
					settle(900 * time.Millisecond)
					q.SetSinks([]queue.Sink{sink})
				}
				if n := failed.Load(); n == 0 || n > 70 {
					t.Errorf("%d reads failed in a minute, want about one a second", n)
				}
				broken.Store(false)
				settle(time.Hour)
				if st := q.status("a"); a.count() != 80 || st.Waiting+st.Retrying+st.Blocked != 0 {
					t.Errorf("%d attempts, status = %+v; want two at each", a.count(), st)
				}
				q.stop()
			})
		})
	}
}

// A kill may leave a key whose first delivery is done and whose others all stand blocked: nothing is due, and nothing comes.
func TestKeysWithoutAHeadGoOnAfterTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queuetest.NewMemory()
		b := &queue.Batch{Sinks: []queue.Cursor{{Sink: "a", Floor: 4, Accepted: 4, Settled: 4}}}
		for i, id := range []string{"cb1", "cb2", "cb3", "cb4"} {
			b.Events = append(b.Events, &queue.Event{ID: id, At: time.Now(), Targets: []queue.Target{keyed("a", "k")}})
			if i > 0 {
				b.Rows = append(b.Rows, queue.Row{Ref: queue.Ref{Sink: "a", Seq: uint64(i + 1)}, State: queue.Blocked, Lane: queue.LaneOf("k"), Due: time.Now()})
			}
		}
		if err := store.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		a := newReceiver(nil)
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: a})
		settle(time.Second)
		if got := a.seqs(); !cmp.Equal(got, []uint64{2, 3, 4}) {
			t.Errorf("got %v, want what was blocked, in order", got)
		}
		q.stop()
	})
}

// The first row is gone when its time comes: reading finds nothing, and only its answer says when the next one is due.
func TestARetryIsOnTimeThoughTheOneBeforeItIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queuetest.NewMemory()
		b := &queue.Batch{Sinks: []queue.Cursor{{Sink: "a", Floor: 2, Accepted: 2, Settled: 2}}}
		for i, due := range []time.Duration{9500 * time.Millisecond, 10300 * time.Millisecond} {
			e := &queue.Event{ID: string(rune('x' + i)), At: time.Now(), Targets: []queue.Target{to("a")}}
			b.Events = append(b.Events, e)
			ref := queue.Ref{Sink: "a", Seq: uint64(i + 1)}
			b.Rows = append(b.Rows, queue.Row{Ref: ref, State: queue.Retrying, Due: time.Now().Add(due), Attempts: 1})
		}
		if err := store.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		a := newReceiver(nil)
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: a})
		if n, err := q.Discard(t.Context(), queue.Filter{CallbackID: "x"}); n != 1 || err != nil {
			t.Fatalf("Discard = %d, %v; want 1", n, err)
		}
		settle(20 * time.Second)
		if got := a.attempts(); !cmp.Equal(got, []delivered{{2, 2, 10300 * time.Millisecond}}) {
			t.Errorf("got %v, want the second one when it was due", got)
		}
		q.stop()
	})
}

// An event of tomorrow, accepted before the clock was set back, or of last year, is retried and delivered as any other.
func TestAClockThatJumpedBetweenTwoRunsLosesNothing(t *testing.T) {
	for name, jump := range map[string]time.Duration{"back by a day": 24 * time.Hour, "on by an hour": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := queuetest.NewMemory()
				q := open(t, queue.Options{Store: store}) // no sink takes anything yet
				e := &queue.Event{ID: "x", At: time.Now().Add(jump), Targets: []queue.Target{to("a")}}
				if err := q.Append(t.Context(), e); err != nil {
					t.Fatal(err)
				}
				q.stop()
				a := newReceiver(nil)
				a.answer = func(_ context.Context, d queue.Delivery) queue.Outcome {
					if d.Attempt < 5 {
						return again
					}
					return done
				}
				q = open(t, queue.Options{Store: store.Reopen(), MaxAge: 3 * time.Hour}, queue.Sink{Name: "a", Deliverer: a, For: 2 * time.Hour})
				settle(10 * time.Minute)
				if st := q.status("a"); a.count() != 5 || st.Dead+st.Retrying+st.Waiting != 0 {
					t.Errorf("%d attempts, status = %+v; want it delivered with the fifth", a.count(), st)
				}
				q.stop()
			})
		})
	}
}
