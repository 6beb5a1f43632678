package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/queue"
)

func TestAHungSinkCostsTheOthersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waiting, both = 100_000, 5000 // both: events that the good sink gets too, when the hung one is far behind
		hung, good := newReceiver(hangs), newReceiver(nil)
		var late []time.Duration
		good.answer = func(_ context.Context, d queue.Delivery) queue.Outcome {
			if wait := time.Since(d.At); wait > 0 {
				late = append(late, wait)
			}
			return done
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "hung", Deliverer: hung, Concurrency: 8},
			queue.Sink{Name: "good", Deliverer: good, Concurrency: 1})
		for i := 0; i < waiting-both; {
			var waits []func(context.Context) error
			for range 1000 { // at the same time, since one after the other takes the race detector long
				i++
				waits = append(waits, q.Submit(&queue.Event{ID: fmt.Sprint(i), At: time.Now(), Targets: []queue.Target{keyed("hung", fmt.Sprint(i))}}))
			}
			for _, wait := range waits {
				if err := wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		settle(time.Second)
		for i := range both {
			q.add(keyed("hung", fmt.Sprint(-i)), keyed("good", "k"))
		}
		synctest.Wait()
		got := good.seqs()
		for i, seq := range got {
			if seq != uint64(waiting-both+i+1) {
				t.Fatalf("delivery %d of the good sink is %d", i, seq)
			}
		}
		if len(got) != both || len(late) > 0 {
			t.Errorf("the good sink has %d deliveries, %d of them late", len(got), len(late))
		}
		if st := q.status("hung"); st.InFlight != 8 || st.Waiting+st.Retrying != waiting-8 {
			t.Errorf("status = %+v, want 8 in flight and the others waiting", st)
		}
		if held, tracked := q.Held("hung"); held > 1024 || tracked > 4096 {
			t.Errorf("%d wait in memory and %d are tracked, want at most the window", held, tracked)
		}
		q.stop()
	})
}

func TestSinksThatFailAreLeftAloneUntilAProbeSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var healthy atomic.Bool
		a := newReceiver(nil)
		a.answer = func(context.Context, queue.Delivery) queue.Outcome {
			if healthy.Load() {
				return done
			}
			return again
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, Concurrency: 1, Backoff: time.Millisecond, MaxBackoff: time.Millisecond,
			Breaker: queue.Breaker{Failures: 3, Delay: 10 * time.Second, MaxDelay: 30 * time.Second}})
		for range 20 {
			q.add(to("a"))
		}
		settle(2 * time.Minute)
		var at []time.Duration
		for _, d := range a.attempts()[2:] {
			at = append(at, d.After.Round(time.Second))
		}
		want := []time.Duration{0, 10 * time.Second, 30 * time.Second, 60 * time.Second, 90 * time.Second, 120 * time.Second}
		if !cmp.Equal(at, want) {
			t.Errorf("the last failure and the probes came at %v, want %v", at, want)
		}
		if st := q.status("a"); st.State != queue.Open || st.Why != "busy" || st.Waiting+st.Retrying != 20 {
			t.Errorf("status = %+v, want an open breaker and all deliveries kept", st)
		}
		healthy.Store(true)
		settle(time.Minute)
		if st := q.status("a"); st.State != queue.Running || st.Waiting+st.Retrying != 0 {
			t.Errorf("status = %+v, want all delivered", st)
		}
		q.stop()
	})
}

// A delivery that could not even be sent is no sign that the sink answers again, nor that it does not.
func TestWhatIsNotSentTellsTheBreakerNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(func(_ context.Context, d queue.Delivery) queue.Outcome {
			if d.Seq%2 == 0 {
				return queue.Outcome{Verdict: queue.Refused, Reason: "not sent"}
			}
			return again
		})
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, Concurrency: 1, Backoff: time.Hour, MaxBackoff: time.Hour,
			Breaker: queue.Breaker{Failures: 3, Delay: 10 * time.Second, MaxDelay: 10 * time.Second}})
		for range 9 {
			q.add(to("a"))
		}
		settle(time.Second) // 1 3 5 fail, 2 4 are not sent between them
		if st := q.status("a"); st.State != queue.Open || a.count() != 5 {
			t.Errorf("after %d attempts status = %+v, want it open after 5", a.count(), st)
		}
		settle(10 * time.Second) // 6 would be the probe, then 7 is
		if st := q.status("a"); st.State != queue.Open || a.count() != 7 {
			t.Errorf("after %d attempts status = %+v, want it open after 7", a.count(), st)
		}
		q.stop()
	})
}

// The breaker opens while a delivery waits for the rate: from then on nobody waits for that. (An alarm set again and again
// for a moment that is past would let no time go by here.)
func TestASinkWithARateThatIsLeftAloneCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		a.answer = func(ctx context.Context, d queue.Delivery) queue.Outcome {
			if d.Seq == 1 && d.Attempt == 1 {
				time.Sleep(500 * time.Millisecond)
				return again
			}
			return done
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, Rate: 1, Breaker: queue.Breaker{Failures: 1}})
		q.add(to("a"))
		q.add(to("a"))
		settle(5 * time.Second)
		if st := q.status("a"); a.count() != 1 || st.State != queue.Open {
			t.Errorf("%d attempts, status = %+v; want one, and the breaker open", a.count(), st)
		}
		settle(time.Minute)
		if a.count() != 3 {
			t.Errorf("%d attempts, want both delivered", a.count())
		}
		q.stop()
	})
}

func TestGonePausesTheSinkOverRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(failing(gone, 1))
		sink := queue.Sink{Name: "a", Deliverer: a, Concurrency: 1}
		q := open(t, queue.Options{}, sink)
		for range 3 {
			q.add(keyed("a", "k"))
		}
		settle(time.Second)
		q.stop()
		q = open(t, queue.Options{Store: q.store.Reopen()}, sink)
		settle(time.Hour)
		if st := q.status("a"); st.State != queue.Paused || st.Why != "it answered 410 Gone" || st.Since.IsZero() || a.count() != 1 {
			t.Fatalf("status = %+v after %d attempts, want one, then a pause", st, a.count())
		}
		a.takesAll()
		if err := q.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		if got, want := a.seqs(), []uint64{1, 1, 2, 3}; !cmp.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		q.stop()
	})
}

func TestASinkThatNoRulesNameParksItsDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		q := open(t, queue.Options{Window: 4})
		for range 10 {
			q.add(keyed("a", "k"))
		}
		settle(time.Hour)
		if st := q.status("a"); st.State != queue.Parked || st.Waiting != 10 {
			t.Errorf("status = %+v, want 10 parked", st)
		}
		q.SetSinks([]queue.Sink{{Name: "a", Deliverer: a}})
		settle(time.Second)
		if got := a.seqs(); len(got) != 10 || !cmp.Equal(got, sorted(append([]uint64{}, got...))) {
			t.Errorf("got %v, want all 10 in order", got)
		}
		q.SetSinks(nil)
		if st := q.status("a"); st.Name != "" {
			t.Errorf("status = %+v, want nothing of a sink without rules and deliveries", st)
		}
		q.stop()
	})
}

func TestAPanicIsAFailedAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(func(_ context.Context, d queue.Delivery) queue.Outcome {
			if d.Attempt == 1 {
				panic("oops")
			}
			return done
		})
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a})
		q.add(to("a"))
		settle(time.Minute)
		if a.count() != 2 {
			t.Errorf("%d attempts, want 2", a.count())
		}
		q.stop()
	})
}

func TestAnErrorOfTheStoreReachesTheCallerAndSettlementsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, broken := failingStore(fmt.Errorf("no space left: %w", queue.ErrFull))
		a := newReceiver(failing(again, 1))
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: a, Backoff: time.Hour, MaxBackoff: time.Hour})
		broken.Store(true)
		err := q.Append(t.Context(), &queue.Event{ID: "x", At: time.Now(), Targets: []queue.Target{to("a")}})
		if !errors.Is(err, queue.ErrFull) || !errors.Is(q.Healthy(), queue.ErrFull) {
			t.Errorf("Append = %v, Healthy = %v; want ErrFull", err, q.Healthy())
		}
		broken.Store(false)
		settle(10 * time.Second)
		if err := q.Healthy(); err != nil {
			t.Errorf("Healthy = %v once there is room", err)
		}
		q.add(to("a"))
		broken.Store(true) // what becomes of it cannot be written
		settle(time.Minute)
		broken.Store(false)
		settle(10 * time.Second)
		ws, err := q.Deliveries(t.Context(), queue.Filter{}, queue.Ref{}, 10)
		if err != nil || len(ws) != 1 || ws[0].State != queue.Retrying || ws[0].Attempts != 1 {
			t.Errorf("the store has %+v, %v; want the retry", ws, err)
		}
		q.stop()
	})
}

func TestMaxBytesRefusesUntilThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		q := open(t, queue.Options{MaxBytes: 2600}, queue.Sink{Name: "a", Deliverer: a})
		if err := q.Pause(t.Context(), "a", "a test"); err != nil {
			t.Fatal(err)
		}
		var err error
		n := 0
		for ; err == nil && n < 100; n++ {
			err = q.Append(t.Context(), &queue.Event{ID: fmt.Sprint(n), At: time.Now(), Targets: []queue.Target{to("a")}})
		}
		if !errors.Is(err, queue.ErrFull) || n != 12 {
			t.Errorf("event %d: %v, want ErrFull at the 12th", n, err)
		}
		if err := q.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		settle(10 * time.Second)
		if err := q.Healthy(); err != nil || a.count() != n-1 {
			t.Errorf("Healthy = %v after %d deliveries, want nil after %d", err, a.count(), n-1)
		}
		q.add(to("a"))
		q.stop()
	})
}

func TestWhoeverStopsWaitingBeforeTheBatchTakesTheEventBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		q := openOnly(t, queue.Options{})
		q.SetSinks([]queue.Sink{{Name: "a", Deliverer: a}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := q.Append(ctx, &queue.Event{ID: "x", At: time.Now(), Targets: []queue.Target{to("a")}})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Append before Run = %v, want the context's error", err)
		}
		q.run(time.Second)
		q.add(to("a"))
		settle(time.Second)
		if got := a.seqs(); !cmp.Equal(got, []uint64{1}) || q.Usage().Commits == 0 {
			t.Errorf("got %v, want only the second event", got)
		}
		q.stop()
		if err := q.Append(t.Context(), &queue.Event{}); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("Append after Run = %v, want ErrClosed", err)
		}
	})
}

func TestAttemptsInFlightHaveGraceAndGoBackAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		a.answer = func(ctx context.Context, d queue.Delivery) queue.Outcome {
			if d.Seq == 1 {
				return takes(500*time.Millisecond)(ctx, d)
			}
			return hangs(ctx, d)
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a})
		q.add(to("a"))
		q.add(to("a"))
		synctest.Wait()
		began := time.Now()
		q.stop()
		if took := time.Since(began); took != time.Second {
			t.Errorf("stopping took %v, want the grace of 1s", took)
		}
		b := newReceiver(nil)
		q = open(t, queue.Options{Store: q.store.Reopen()}, queue.Sink{Name: "a", Deliverer: b})
		settle(time.Second)
		if got := b.attempts(); len(got) != 1 || got[0].Seq != 2 || got[0].Attempt != 1 {
			t.Errorf("after the restart came %+v, want delivery 2 with attempt 1", got)
		}
		q.stop()
	})
}
