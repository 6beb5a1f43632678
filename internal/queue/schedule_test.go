package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
)

func TestRetryAfterIsHonouredUpToMaxBackoff(t *testing.T) {
	for _, c := range []struct {
		name              string
		asked, from, upTo time.Duration
	}{
		{"what it asks for", time.Minute, time.Minute, time.Minute + time.Second},
		{"more than MaxBackoff", time.Hour, 10 * time.Minute, 10*time.Minute + time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newReceiver(func(_ context.Context, d queue.Delivery) queue.Outcome {
					if d.Attempt == 1 {
						return queue.Outcome{Verdict: queue.Again, Status: 429, RetryAfter: c.asked}
					}
					return done
				})
				q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a})
				q.add(to("a"))
				settle(time.Hour)
				if got := a.attempts(); len(got) != 2 || got[1].After < c.from || got[1].After > c.upTo {
					t.Errorf("attempts = %+v, want the second between %v and %v", got, c.from, c.upTo)
				}
				q.stop()
			})
		})
	}
}

func TestConcurrencyAndRateAreBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newReceiver(takes(time.Second)), newReceiver(nil)
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, Concurrency: 3}, queue.Sink{Name: "b", Deliverer: b, Rate: 10, Burst: 5})
		for range 25 {
			q.add(to("a"), to("b"))
		}
		settle(1500 * time.Millisecond)
		if a.most != 3 || a.count() != 6 {
			t.Errorf("a had %d attempts, %d at the same time; want 6 and 3", a.count(), a.most)
		}
		if b.count() != 20 {
			t.Errorf("b had %d attempts after 1.5 s, want 5 and 10 a second", b.count())
		}
		q.SetSinks([]queue.Sink{{Name: "a", Deliverer: a, Concurrency: 10}, {Name: "b", Deliverer: b}})
		settle(time.Second)
		if a.most != 10 || b.count() != 25 {
			t.Errorf("with new settings a had %d at the same time and b %d attempts, want 10 and 25", a.most, b.count())
		}
		q.stop()
	})
}

func TestADueTimeThatNoClockMeantIsBroughtForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(failing(again, 1, 2))
		sink := queue.Sink{Name: "a", Deliverer: a, Backoff: 24 * time.Hour, MaxBackoff: 24 * time.Hour, For: 240 * time.Hour}
		a.answer = func(context.Context, queue.Delivery) queue.Outcome {
			return queue.Outcome{Verdict: queue.Again, RetryAfter: 24 * time.Hour} // as if the clock were then set back by a day
		}
		q := open(t, queue.Options{}, sink)
		for range 200 {
			q.add(to("a"))
		}
		settle(time.Second)
		q.stop()
		before := a.count()
		a.takesAll()
		sink.MaxBackoff, sink.Breaker.Off = time.Minute, true
		q = open(t, queue.Options{Store: q.store.Reopen()}, sink)
		settle(3 * time.Minute)
		if st := q.status("a"); st.Retrying+st.Waiting != 0 {
			t.Errorf("status = %+v after %d attempts more, want all due within MaxBackoff", st, a.count()-before)
		}
		q.stop()
	})
}

func TestACrashRepeatsOnlyWhatWasInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		a.answer = func(ctx context.Context, d queue.Delivery) queue.Outcome {
			if d.Seq == 1 {
				return hangs(ctx, d)
			}
			return done
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, Concurrency: 4})
		for range 10_000 {
			q.add(to("a"))
		}
		settle(3 * time.Second)
		b := newReceiver(nil)
		q = open(t, queue.Options{Store: q.crash()}, queue.Sink{Name: "a", Deliverer: b})
		settle(10 * time.Second)
		if got := b.seqs(); len(got) != 1 || got[0] != 1 {
			t.Errorf("after the crash came %d deliveries, first %v; want only the one in flight", len(got), got[:min(3, len(got))])
		}
		q.stop()
	})
}

func TestRetriesThatWaitAreNotInMemoryAndCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waiting = 5000
		store := queuetest.NewMemory()
		var reads atomic.Int64
		store.BeforeRead = func(string) error { reads.Add(1); return nil }
		a := newReceiver(func(context.Context, queue.Delivery) queue.Outcome {
			return queue.Outcome{Verdict: queue.Again, RetryAfter: 10 * time.Minute}
		})
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: a, Breaker: queue.Breaker{Off: true}})
		for range waiting {
			q.add(to("a"))
		}
		settle(time.Minute)
		if held, tracked := q.Held("a"); held != 0 || tracked != 0 || q.status("a").Retrying != waiting {
			t.Errorf("%d are held and %d tracked in memory, want none: %+v", held, tracked, q.status("a"))
		}
		before := reads.Load()
		settle(8 * time.Minute)
		if n := reads.Load() - before; n > 10 {
			t.Errorf("%d reads while all wait, want hardly any", n)
		}
		q.stop()
	})
}
