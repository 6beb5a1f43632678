package queue_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/queue"
)

func TestDiscardDoesWhatCountSaidWhereverDeliveriesAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(failing(refused, 1, 2))
		q := open(t, queue.Options{Window: 8}, queue.Sink{Name: "a", Deliverer: a})
		q.add(keyed("a", "stuck"))
		q.add(to("a"))
		q.add(keyed("a", "stuck"))
		settle(time.Second)
		if err := q.Pause(t.Context(), "a", "a test"); err != nil {
			t.Fatal(err)
		}
		for range 1500 { // in memory, and far beyond it
			q.add(to("a"))
		}
		settle(time.Second)
		counted, err := q.Count(t.Context(), queue.Filter{Sink: "a"})
		if err != nil || counted != 1503 {
			t.Fatalf("Count = %d, %v; want 1503", counted, err)
		}
		n, err := q.Discard(t.Context(), queue.Filter{Sink: "a"})
		if n != counted || err != nil {
			t.Errorf("Discard = %d, %v; want %d", n, err, counted)
		}
		if err := q.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		q.add(keyed("a", "stuck"))
		settle(10 * time.Second)
		if got := a.seqs(); !cmp.Equal(sorted(got), []uint64{1, 2, 1504}) {
			t.Errorf("got %v, want nothing that was discarded, and the new one of the key", got)
		}
		if st := q.status("a"); st.Dead+st.Stuck+st.Blocked+st.Retrying+st.Waiting != 0 || q.Usage().Events != 0 {
			t.Errorf("status = %+v and %d events, want nothing left", st, q.Usage().Events)
		}
		q.stop()
	})
}

func TestADeadLetterThatIsRetriedGetsAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(failing(again, 1))
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, For: time.Hour, Breaker: queue.Breaker{Off: true}})
		q.add(to("a"))
		settle(3 * time.Hour)
		if st := q.status("a"); st.Dead != 1 {
			t.Fatalf("status = %+v, want a dead letter past retry.for", st)
		}
		before := a.count()
		for range 2 {
			if n, err := q.Retry(t.Context(), queue.Filter{States: []queue.State{queue.Dead}}); n != 1 || err != nil {
				t.Fatalf("Retry = %d, %v; want 1", n, err)
			}
			settle(time.Hour)
		}
		if st := q.status("a"); a.count() != before+2 || st.Dead != 1 {
			t.Errorf("status = %+v after %d attempts more, want one for each retry, and a dead letter again", st, a.count()-before)
		}
		a.takesAll()
		if n, err := q.Retry(t.Context(), queue.Filter{}); n != 1 || err != nil {
			t.Fatalf("Retry = %d, %v; want 1", n, err)
		}
		settle(time.Second)
		if st := q.status("a"); st.Dead+st.Retrying != 0 || q.Usage().Events != 0 {
			t.Errorf("status = %+v, want it delivered", st)
		}
		q.stop()
	})
}

func TestRetryMakesWaitingRetriesDueAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		a.answer = func(_ context.Context, d queue.Delivery) queue.Outcome {
			if d.Attempt == 1 {
				return queue.Outcome{Verdict: queue.Again, Status: 503, RetryAfter: 10 * time.Minute}
			}
			return done
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, Breaker: queue.Breaker{Off: true}})
		for range 100 {
			q.add(to("a"))
		}
		settle(time.Second)
		if n, err := q.Retry(t.Context(), queue.Filter{Sink: "a"}); n != 100 || err != nil {
			t.Errorf("Retry = %d, %v; want 100", n, err)
		}
		settle(time.Second)
		if st := q.status("a"); a.count() != 200 || st.Retrying != 0 {
			t.Errorf("%d attempts, status = %+v; want each delivery twice", a.count(), st)
		}
		q.stop()
	})
}

// One changes by itself while they are looked for, so that there is a second look: it must leave the others alone.
func TestRetryCountsAndRetriesEachDeliveryOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a := newReceiver(func(_ context.Context, d queue.Delivery) queue.Outcome {
			if d.Seq == 1 && d.Attempt == 2 {
				<-release
			}
			return queue.Outcome{Verdict: queue.Again, Status: 503, RetryAfter: 10 * time.Minute}
		})
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, Breaker: queue.Breaker{Off: true}})
		first := q.add(to("a"))
		q.add(to("a"))
		q.add(to("a"))
		settle(time.Second)
		if n, err := q.Retry(t.Context(), queue.Filter{CallbackID: first.ID}); n != 1 || err != nil {
			t.Fatalf("Retry = %d, %v; want 1", n, err)
		}
		settle(time.Second)
		looks := 0
		q.store.BeforeRead = func(method string) error {
			if method != "Search" {
				return nil
			}
			switch looks++; looks {
			case 1:
				close(release)
				synctest.Wait()
			case 2:
				settle(time.Second) // what was retried has failed again
			}
			return nil
		}
		if n, err := q.Retry(t.Context(), queue.Filter{}); n != 3 || err != nil {
			t.Errorf("Retry = %d, %v; want 3", n, err)
		}
		settle(time.Second)
		if looks != 2 || a.count() != 7 {
			t.Errorf("%d looks and %d attempts, want 2 and 7: three of the first one, two of each other", looks, a.count())
		}
		q.stop()
	})
}

func TestPausingASinkThatNobodyKnowsIsNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: newReceiver(nil)})
		if err := q.Pause(t.Context(), "b", "a test"); !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("Pause = %v, want ErrNotFound", err)
		}
		if err := q.Resume(t.Context(), "a"); err != nil {
			t.Errorf("Resume of a running sink = %v, want nil", err)
		}
		q.stop()
	})
}

func TestWhatIsOlderThanMaxAgeBecomesADeadLetterAndThenGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(failing(refused, 1))
		q := open(t, queue.Options{MaxAge: time.Hour, Window: 4}, queue.Sink{Name: "a", Deliverer: a})
		q.add(keyed("a", "k"))
		settle(time.Second)
		if err := q.Pause(t.Context(), "a", "a test"); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			q.add(keyed("a", "k"))
		}
		settle(59 * time.Minute)
		if st := q.status("a"); st.Stuck != 1 || st.Waiting+st.Blocked != 10 {
			t.Errorf("status = %+v before MaxAge, want all as they were", st)
		}
		settle(3 * time.Minute)
		if st := q.status("a"); st.Dead != 11 || st.Stuck+st.Waiting+st.Blocked != 0 {
			t.Errorf("status = %+v after MaxAge, want dead letters", st)
		}
		settle(62 * time.Minute)
		if st := q.status("a"); st.Dead != 0 || q.Usage().Events != 0 {
			t.Errorf("status = %+v and %d events after twice MaxAge, want nothing", st, q.Usage().Events)
		}
		if err := q.Resume(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		q.add(keyed("a", "k"))
		settle(time.Second)
		if got := a.seqs(); !cmp.Equal(got, []uint64{1, 12}) {
			t.Errorf("got %v, want the key to go on", got)
		}
		q.stop()
	})
}
