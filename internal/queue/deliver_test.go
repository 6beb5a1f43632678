package queue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/queue"
)

func TestAnAcceptedEventReachesItsSinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newReceiver(nil), newReceiver(nil)
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a}, queue.Sink{Name: "b", Deliverer: b})
		q.add(to("a"), to("b"))
		q.add(to("b"))
		synctest.Wait()
		if got, want := a.seqs(), []uint64{1}; !cmp.Equal(got, want) {
			t.Errorf("a got %v, want %v", got, want)
		}
		if got, want := sorted(b.seqs()), []uint64{1, 2}; !cmp.Equal(got, want) {
			t.Errorf("b got %v, want %v", got, want)
		}
		settle(2 * time.Second)
		if n := q.Usage().Events; n != 0 {
			t.Errorf("%d events are left in the store, want none", n)
		}
		q.stop()
	})
}

func TestAFailedAttemptIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := 5
		a := newReceiver(nil)
		a.answer = func(_ context.Context, d queue.Delivery) queue.Outcome {
			if d.Attempt <= fails {
				return again
			}
			return done
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a})
		q.add(to("a"))
		settle(time.Minute)
		got := a.attempts()
		if len(got) != fails+1 {
			t.Fatalf("%d attempts, want %d: %v", len(got), fails+1, got)
		}
		for i := 1; i < len(got); i++ {
			if wait, most := got[i].After-got[i-1].After, time.Second<<(i-1)+50*time.Millisecond; wait > most || got[i].Attempt != i+1 {
				t.Errorf("attempt %d came after %v, want at most %v", got[i].Attempt, wait, most)
			}
		}
		if st := q.status("a"); st.Retrying != 0 || st.Waiting != 0 {
			t.Errorf("status = %+v, want nothing left", st)
		}
		q.stop()
	})
}
