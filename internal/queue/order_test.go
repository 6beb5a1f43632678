package queue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/queue"
)

// failing answers some deliveries, by Seq, with an outcome, and takes all others.
func failing(o queue.Outcome, seqs ...uint64) func(context.Context, queue.Delivery) queue.Outcome {
	return func(_ context.Context, d queue.Delivery) queue.Outcome {
		for _, seq := range seqs {
			if d.Seq == seq {
				return o
			}
		}
		return done
	}
}

func TestAFailingKeyHoldsUpOnlyItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		a.answer = func(_ context.Context, d queue.Delivery) queue.Outcome {
			if d.Seq == 1 && d.Attempt < 4 {
				return again
			}
			return done
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a})
		for range 50 {
			q.add(keyed("a", "slow"))
			q.add(keyed("a", "quick"))
		}
		synctest.Wait()
		quick, slow := split(a.seqs())
		if len(quick) != 50 || !cmp.Equal(quick, sorted(append([]uint64{}, quick...))) {
			t.Errorf("the other key got %v, want all 50 in order", quick)
		}
		if !cmp.Equal(slow, []uint64{1}) {
			t.Errorf("the failing key got %v before its retry, want only the first", slow)
		}
		settle(time.Minute)
		if _, slow = split(a.seqs()); len(slow) != 53 || !cmp.Equal(slow, sorted(append([]uint64{}, slow...))) {
			t.Errorf("the failing key got %v, want 1 four times, then the others in order", slow)
		}
		q.stop()
	})
}

// split parts even from odd.
func split(seqs []uint64) (even, odd []uint64) {
	for _, seq := range seqs {
		if seq%2 == 0 {
			even = append(even, seq)
		} else {
			odd = append(odd, seq)
		}
	}
	return even, odd
}

func TestARefusedDeliveryBlocksItsKeyOrBecomesADeadLetter(t *testing.T) {
	for _, c := range []struct {
		name    string
		onStuck queue.OnStuck
		key     string
		got     []uint64
		want    queue.SinkStatus
	}{
		{"block: the key waits", queue.Block, "k", []uint64{1}, queue.SinkStatus{Stuck: 1, Blocked: 2}},
		{"dead letter: the key goes on", queue.DeadLetter, "k", []uint64{1, 2, 3}, queue.SinkStatus{Dead: 1}},
		{"block without a key: a dead letter", queue.Block, "", []uint64{1, 2, 3}, queue.SinkStatus{Dead: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newReceiver(failing(refused, 1))
				q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, OnStuck: c.onStuck, Concurrency: 1})
				for range 3 {
					q.add(keyed("a", c.key))
				}
				settle(time.Hour)
				if got := a.seqs(); !cmp.Equal(got, c.got) {
					t.Errorf("got %v, want %v", got, c.got)
				}
				st := q.status("a")
				if st.Stuck != c.want.Stuck || st.Blocked != c.want.Blocked || st.Dead != c.want.Dead || st.Waiting != 0 {
					t.Errorf("status = %+v, want %+v", st, c.want)
				}
				q.stop()
			})
		})
	}
}

func TestAStuckDeliveryMakesWayWhenTheSettingsSaySo(t *testing.T) {
	for name, now := range map[string]queue.Sink{
		"dead letters": {OnStuck: queue.DeadLetter},
		"fewer behind": {StuckLimit: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newReceiver(failing(refused, 1))
				q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a})
				for range 3 {
					q.add(keyed("a", "k"))
				}
				settle(time.Minute)
				now.Name, now.Deliverer = "a", a
				q.SetSinks([]queue.Sink{now})
				settle(time.Minute)
				if st := q.status("a"); !cmp.Equal(a.seqs(), []uint64{1, 2, 3}) || st.Dead != 1 || st.Stuck+st.Blocked != 0 {
					t.Errorf("got %v, status = %+v; want the stuck one dead and the others delivered", a.seqs(), st)
				}
				q.stop()
			})
		})
	}
}

func TestAStuckDeliveryMakesWayWhenTooManyWaitBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(failing(refused, 1))
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, StuckLimit: 20})
		for range 21 {
			q.add(keyed("a", "k"))
		}
		settle(time.Minute)
		if st := q.status("a"); st.Stuck != 1 || st.Blocked != 20 {
			t.Fatalf("status = %+v, want 20 behind a stuck one", st)
		}
		q.add(keyed("a", "k"))
		settle(time.Minute)
		if st := q.status("a"); st.Dead != 1 || st.Stuck+st.Blocked+st.Waiting != 0 || a.count() != 22 {
			t.Errorf("status = %+v after %d attempts, want one dead letter and all others delivered", st, a.count())
		}
		q.stop()
	})
}

func TestARetriedDeliveryKeepsItsPlaceHoweverManyWaitBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		begun := time.Now()
		a.answer = func(context.Context, queue.Delivery) queue.Outcome {
			if time.Since(begun) < time.Hour {
				return again
			}
			return done
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, StuckLimit: 20, Breaker: queue.Breaker{Off: true}})
		for range 50 {
			q.add(keyed("a", "k"))
			settle(30 * time.Second)
		}
		if st := q.status("a"); st.Dead+st.Stuck != 0 || st.Retrying != 1 || st.Blocked != 49 {
			t.Fatalf("status = %+v, want 49 behind one that is retried", st)
		}
		settle(2 * time.Hour)
		if st := q.status("a"); st.Dead+st.Stuck+st.Retrying+st.Blocked+st.Waiting != 0 {
			t.Errorf("status = %+v, want everything delivered", st)
		}
		q.stop()
	})
}

func TestAStuckKeyGoesOnWhenAPersonRetriesOrDiscards(t *testing.T) {
	for name, act := range map[string]func(*bench) (int, error){
		"retry": func(b *bench) (int, error) {
			return b.Retry(b.t.Context(), queue.Filter{Sink: "a", States: []queue.State{queue.Stuck}})
		},
		"discard": func(b *bench) (int, error) {
			return b.Discard(b.t.Context(), queue.Filter{Sink: "a", States: []queue.State{queue.Stuck}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newReceiver(nil)
				a.answer = func(_ context.Context, d queue.Delivery) queue.Outcome {
					if d.Seq == 1 && d.Attempt == 1 {
						return refused
					}
					return done
				}
				q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a})
				for range 40 {
					q.add(keyed("a", "k"))
				}
				settle(time.Minute)
				if n, err := act(q); n != 1 || err != nil {
					t.Fatalf("it changed %d deliveries, %v; want 1", n, err)
				}
				settle(time.Minute)
				got := a.seqs()[1:]
				if name == "retry" && (len(got) == 0 || got[0] != 1) {
					t.Errorf("after it came %v, want the stuck one first", got)
				}
				if !cmp.Equal(got, sorted(append([]uint64{}, got...))) || len(got) < 39 {
					t.Errorf("after it came %v, want the rest in order", got)
				}
				if st := q.status("a"); st.Stuck+st.Blocked+st.Retrying+st.Waiting != 0 {
					t.Errorf("status = %+v, want nothing left", st)
				}
				q.stop()
			})
		})
	}
}
