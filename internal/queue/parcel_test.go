package queue_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"callboard/internal/queue"
)

const ms = time.Millisecond

// A depot is a sink that takes batches. It answers what its test says and remembers what came, with the time since it was made.
type depot struct {
	answer func(ctx context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome) // nil: takes everything at once

	began time.Time
	mu    sync.Mutex // guards all below
	got   []batch
	now   int // in flight
	most  int // at the same time
}

// A batch is the Seqs of one request.
type batch struct {
	Seqs  []uint64
	After time.Duration
}

func newDepot(answer func(ctx context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome)) *depot {
	return &depot{answer: answer, began: time.Now()}
}

func (d *depot) Deliver(context.Context, queue.Delivery) queue.Outcome {
	panic("a sink with batches got a delivery by itself")
}

func (d *depot) DeliverBatch(ctx context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome) {
	b := batch{After: time.Since(d.began)}
	for _, one := range ds {
		b.Seqs = append(b.Seqs, one.Seq)
	}
	d.mu.Lock()
	d.got = append(d.got, b)
	d.now++
	d.most = max(d.most, d.now)
	answer := d.answer
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		d.now--
		d.mu.Unlock()
	}()
	if answer == nil {
		return done, nil
	}
	return answer(ctx, ds)
}

func (d *depot) batches() []batch {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.got)
}

// answers has it answer otherwise from now on.
func (d *depot) answers(answer func(ctx context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

// peak returns how many batches were in flight at the same time at most.
func (d *depot) peak() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.most
}

// seqs returns the batches without their times.
func (d *depot) seqs() [][]uint64 {
	var all [][]uint64
	for _, b := range d.batches() {
		all = append(all, b.Seqs)
	}
	return all
}

// alike says the same of whole batches, whatever is in them.
func alike(o queue.Outcome) func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) {
	return func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) { return o, nil }
}

// each says of each delivery what of does.
func each(of func(d queue.Delivery) queue.Outcome) func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) {
	return func(_ context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome) {
		var all []queue.Outcome
		for _, d := range ds {
			all = append(all, of(d))
		}
		return done, all
	}
}

// refusesWith refuses every batch that has one of these deliveries.
func refusesWith(seqs ...uint64) func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) {
	return func(_ context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome) {
		if slices.ContainsFunc(ds, func(d queue.Delivery) bool { return slices.Contains(seqs, d.Seq) }) {
			return refused, nil
		}
		return done, nil
	}
}

// inBatches is a sink called "a" that gets batches of ten, after 50 ms at the latest, one after the other.
func inBatches(d *depot) queue.Sink {
	return queue.Sink{Name: "a", Deliverer: d, Concurrency: 1, Batching: queue.Batching{Max: 10, Wait: 50 * ms}}
}

// upTo returns the numbers from one to another.
func upTo(from, to uint64) []uint64 {
	var seqs []uint64
	for ; from <= to; from++ {
		seqs = append(seqs, from)
	}
	return seqs
}

// addMany adds so many deliveries to "a" at once, without keys.
func (b *bench) addMany(n int) {
	b.t.Helper()
	for range n {
		b.add(to("a"))
	}
}

func wantBatches(t *testing.T, d *depot, want ...[]uint64) {
	t.Helper()
	if diff := cmp.Diff(want, d.seqs()); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestABatchGoesWhenItIsFullOrHasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(nil)
		r := prometheus.NewRegistry()
		q := open(t, queue.Options{Registerer: r}, inBatches(d))
		q.add(to("a"))
		settle(50*ms - 1)
		if got := d.batches(); len(got) != 0 {
			t.Errorf("got %v before the wait was over", got)
		}
		settle(1)
		wantBatches(t, d, upTo(1, 1))
		q.addMany(9)
		settle(30 * ms)
		q.add(to("a"))
		settle(0)
		wantBatches(t, d, upTo(1, 1), upTo(2, 11))
		q.addMany(25)
		settle(49 * ms)
		wantBatches(t, d, upTo(1, 1), upTo(2, 11), upTo(12, 21), upTo(22, 31))
		settle(ms)
		wantBatches(t, d, upTo(1, 1), upTo(2, 11), upTo(12, 21), upTo(22, 31), upTo(32, 36))
		q.stop()
		if s := q.status("a"); s != (queue.SinkStatus{Name: "a", State: queue.Running}) {
			t.Errorf("status = %+v, want nothing left", s)
		}
		if n := testutil.CollectAndCount(r, "callboard_deliveries_batch_size"); n != 1 {
			t.Errorf("%d series of batch sizes, want 1", n)
		}
	})
}

func TestABatchIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(nil)
		sink := inBatches(d)
		sink.Batching.MaxBytes = 10 // a body has four
		q := open(t, queue.Options{}, sink)
		q.addMany(3)
		settle(0)
		wantBatches(t, d, upTo(1, 2))
		settle(50 * ms)
		wantBatches(t, d, upTo(1, 2), upTo(3, 3))
		sink.Batching.MaxBytes = 1
		q.SetSinks([]queue.Sink{sink})
		q.addMany(2)
		settle(0)
		wantBatches(t, d, upTo(1, 2), upTo(3, 3), upTo(4, 4), upTo(5, 5))
		q.stop()
	})
}

func TestEachOfABatchIsSettledByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []queue.Attempt // guarded by mu
		tell := func(a queue.Attempt) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, a)
		}
		d := newDepot(each(func(d queue.Delivery) queue.Outcome {
			switch {
			case d.Seq == 2 && d.Attempt < 3:
				return again
			case d.Seq == 3:
				return refused
			}
			return done
		}))
		q := open(t, queue.Options{OnAttempt: tell}, inBatches(d))
		q.addMany(4)
		settle(50 * ms)
		if s := q.status("a"); s.Retrying != 1 || s.Dead != 1 || s.Waiting != 0 || s.InFlight != 0 {
			t.Errorf("status = %+v, want one retried and one dead", s)
		}
		mu.Lock()
		first := slices.Clone(told)
		mu.Unlock()
		for i, a := range first {
			if a.Batch != 4 || a.Place != i+1 || a.Delivery.Seq != uint64(i+1) {
				t.Errorf("attempt at %d says %d of %d", a.Delivery.Seq, a.Place, a.Batch)
			}
		}
		settle(time.Minute)
		wantBatches(t, d, upTo(1, 4), upTo(2, 2), upTo(2, 2))
		q.stop()
	})
}

func TestABatchThatIsRefusedIsSplit(t *testing.T) {
	for _, c := range []struct {
		name   string
		poison []uint64
		n      int
		want   [][]uint64
		dead   int
	}{
		{"one in eight", []uint64{6}, 8, [][]uint64{upTo(1, 8), upTo(1, 4), upTo(5, 8), upTo(5, 6), upTo(5, 5), upTo(6, 6), upTo(7, 8)}, 1},
		{"the first in five", []uint64{1}, 5, [][]uint64{upTo(1, 5), upTo(1, 3), upTo(1, 2), upTo(1, 1), upTo(2, 2), upTo(3, 4), upTo(5, 5)}, 1},
		{"both", []uint64{1, 2}, 2, [][]uint64{upTo(1, 2), upTo(1, 1), upTo(2, 2)}, 2},
		{"a lone one", []uint64{1}, 1, [][]uint64{upTo(1, 1)}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDepot(refusesWith(c.poison...))
				q := open(t, queue.Options{}, inBatches(d))
				q.addMany(c.n)
				settle(50 * ms)
				wantBatches(t, d, c.want...)
				if s := q.status("a"); s.Dead != c.dead || s.Waiting+s.InFlight+s.Retrying != 0 {
					t.Errorf("status = %+v, want %d dead and nothing else", s, c.dead)
				}
				q.stop()
			})
		})
	}
}

func TestABatchOfOneKeyKeepsItsOrder(t *testing.T) {
	for _, c := range []struct {
		name    string
		onStuck queue.OnStuck
		first   queue.Outcome // of delivery 2; afterwards it is taken
		want    [][]uint64
		left    queue.SinkStatus
	}{
		{"all is well", queue.Block, done, [][]uint64{upTo(1, 4)}, queue.SinkStatus{}},
		{"one fails: those after it come again", queue.Block, again, [][]uint64{upTo(1, 4), upTo(2, 2), upTo(3, 4)}, queue.SinkStatus{}},
		{"one is refused: it blocks", queue.Block, refused, [][]uint64{upTo(1, 4)}, queue.SinkStatus{Stuck: 1, Blocked: 2}},
		{"one is refused and makes way", queue.DeadLetter, refused, [][]uint64{upTo(1, 4)}, queue.SinkStatus{Dead: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDepot(each(func(d queue.Delivery) queue.Outcome {
					if d.Seq == 2 && d.Attempt == 1 {
						return c.first
					}
					return done
				}))
				sink := inBatches(d)
				sink.OnStuck = c.onStuck
				q := open(t, queue.Options{}, sink)
				for range 4 {
					q.add(keyed("a", "k"))
				}
				settle(time.Minute)
				wantBatches(t, d, c.want...)
				c.left.Name, c.left.State = "a", queue.Running
				s := q.status("a")
				if s.Oldest = (time.Time{}); s != c.left {
					t.Errorf("status = %+v, want %+v", s, c.left)
				}
				q.stop()
			})
		})
	}
}

func TestAKeyFillsABatchByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(nil)
		sink := inBatches(d)
		sink.Batching.Max = 100
		q := open(t, queue.Options{}, sink)
		for range 100 {
			q.add(keyed("a", "k"))
		}
		settle(0)
		wantBatches(t, d, upTo(1, 100))
		q.stop()
	})
}

// A key that is busy fills batches by itself, and one after the other.
func TestBatchesOfABusyKeyTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) {
			time.Sleep(10 * ms)
			return done, nil
		})
		sink := inBatches(d)
		sink.Batching.Max = 100
		q := open(t, queue.Options{}, sink)
		for range 1000 {
			q.add(keyed("a", "k"))
		}
		settle(time.Minute)
		var all []uint64
		for _, b := range d.batches() {
			all = append(all, b.Seqs...)
		}
		if !slices.Equal(all, upTo(1, 1000)) || d.peak() != 1 || len(d.batches()) > 12 {
			t.Errorf("%d batches, %d at the same time, with %v; want about 10 one after the other with all in order", len(d.batches()), d.peak(), all)
		}
		q.stop()
	})
}

func TestAPoisonedKeyIsSplitInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(refusesWith(2))
		q := open(t, queue.Options{}, inBatches(d))
		for range 4 {
			q.add(keyed("a", "k"))
		}
		settle(time.Minute)
		wantBatches(t, d, upTo(1, 4), upTo(1, 2), upTo(1, 1), upTo(2, 2))
		if s := q.status("a"); s.Stuck != 1 || s.Blocked != 2 {
			t.Errorf("status = %+v, want one stuck with two behind it", s)
		}
		q.stop()
	})
}

func TestConcurrencyAndRateCountBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) {
			time.Sleep(time.Second)
			return done, nil
		})
		sink := inBatches(d)
		sink.Concurrency = 2
		q := open(t, queue.Options{}, sink)
		q.addMany(35)
		settle(0)
		if s := q.status("a"); s.InFlight != 20 || s.Waiting != 15 {
			t.Errorf("status = %+v, want two batches of ten in flight", s)
		}
		settle(time.Second)
		if got := len(d.batches()); got != 3 {
			t.Errorf("%d batches, want three: the last ones wait for company, since they can go", got)
		}
		settle(50 * ms)
		got := d.seqs() // two at a time, in any order
		slices.SortFunc(got, slices.Compare)
		if diff := cmp.Diff([][]uint64{upTo(1, 10), upTo(11, 20), upTo(21, 30), upTo(31, 35)}, got); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
		if d.peak() != 2 {
			t.Errorf("%d batches at the same time, want 2", d.peak())
		}
		settle(time.Minute)
		sink.Rate, sink.Burst = 1, 1
		d.answers(nil)
		q.SetSinks([]queue.Sink{sink})
		q.addMany(30)
		settle(0)
		if got := len(d.batches()); got != 5 {
			t.Errorf("%d batches, want one more at once", got)
		}
		settle(2 * time.Second)
		if got := len(d.batches()); got != 7 {
			t.Errorf("%d batches after two seconds, want one each second", got)
		}
		q.stop()
	})
}

func TestABatchIsOneAttemptToTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(alike(again))
		sink := inBatches(d)
		sink.Backoff, sink.MaxBackoff = time.Hour, 2*time.Hour
		sink.Breaker = queue.Breaker{Failures: 2, Delay: time.Minute}
		q := open(t, queue.Options{}, sink)
		q.addMany(40)
		settle(0)
		wantBatches(t, d, upTo(1, 10), upTo(11, 20))
		if s := q.status("a"); s.State != queue.Open || s.Retrying != 20 || s.Waiting != 20 {
			t.Errorf("status = %+v, want an open breaker after two batches", s)
		}
		settle(time.Minute)
		if got := d.seqs()[2:]; len(got) != 1 || len(got[0]) != 1 {
			t.Errorf("the probe was %v, want one delivery", got)
		}
		d.answers(each(func(d queue.Delivery) queue.Outcome { // only what is not in a batch of one would show that it is well
			if d.Seq == 40 {
				return done
			}
			return again
		}))
		settle(10 * time.Minute)
		if s := q.status("a"); s.State != queue.Open {
			t.Errorf("status = %+v: probes that fail one by one keep it open", s)
		}
		d.answers(nil)
		settle(5 * time.Hour)
		if s := q.status("a"); s != (queue.SinkStatus{Name: "a", State: queue.Running}) {
			t.Errorf("status = %+v, want all done", s)
		}
		q.stop()
	})
}

func TestABatchThatIsTakenInPartIsNoFailureToTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(each(func(d queue.Delivery) queue.Outcome {
			if d.Seq == 1 {
				return again
			}
			return done
		}))
		sink := inBatches(d)
		sink.Breaker.Failures = 1
		q := open(t, queue.Options{}, sink)
		q.addMany(2)
		settle(50 * ms)
		if s := q.status("a"); s.State != queue.Running || s.Retrying != 1 {
			t.Errorf("status = %+v, want one retried by a sink that runs", s)
		}
		q.stop()
	})
}

func TestWhatFailedTogetherComesAgainTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(alike(again))
		sink := inBatches(d)
		sink.Batching.Max, sink.MaxBackoff = 300, ms
		q := open(t, queue.Options{}, sink)
		q.addMany(300)
		settle(0)
		d.answers(nil)
		settle(time.Second)
		if got := d.batches(); len(got) != 2 || len(got[1].Seqs) != 300 {
			t.Errorf("%d batches, want the same 300 again in one", len(got))
		}
		q.stop()
	})
}

// Attempts that only split a batch make no wait longer.
func TestSplitsDoNotCountForTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(nil)
		d.answer = func(_ context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome) {
			switch {
			case slices.ContainsFunc(ds, func(d queue.Delivery) bool { return d.Seq == 1 }):
				return refused, nil
			case ds[0].Seq == 2 && ds[0].Attempt == 11:
				return again, nil
			}
			return done, nil
		}
		sink := inBatches(d)
		sink.Batching.Max = 1024
		q := open(t, queue.Options{}, sink)
		q.addMany(1024)
		settle(0)
		if s := q.status("a"); s.Retrying != 1 || s.Dead != 1 || s.Waiting != 0 {
			t.Errorf("status = %+v, want one dead and one retried", s)
		}
		settle(time.Second + 50*ms)
		if s := q.status("a"); s.Retrying != 0 {
			t.Errorf("status = %+v: after ten splits the first failure has a second's backoff", s)
		}
		q.stop()
	})
}

func TestWhatWaitsForCompanyObeysPeople(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(nil)
		sink := inBatches(d)
		sink.Batching.Wait = time.Minute
		q := open(t, queue.Options{}, sink)
		q.addMany(4)
		settle(time.Second)
		if n, err := q.Discard(t.Context(), queue.Filter{IDs: []string{queue.DeliveryID("cb000002", "a")}}); n != 1 || err != nil {
			t.Errorf("Discard = %d, %v", n, err)
		}
		if err := q.Pause(t.Context(), "a", "a test"); err != nil {
			t.Error(err)
		}
		settle(time.Hour)
		wantBatches(t, d)
		if err := q.Resume(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		settle(0)
		wantBatches(t, d, []uint64{1, 3, 4})
		q.stop()
	})
}

func TestWhatWaitsBehindItsKeyCanBeDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(nil)
		sink := inBatches(d)
		sink.Batching.Wait = time.Minute
		q := open(t, queue.Options{}, sink)
		for range 4 {
			q.add(keyed("a", "k"))
		}
		settle(time.Second)
		if n, err := q.Discard(t.Context(), queue.Filter{IDs: []string{queue.DeliveryID("cb000003", "a")}}); n != 1 || err != nil {
			t.Errorf("Discard = %d, %v", n, err)
		}
		settle(time.Minute)
		wantBatches(t, d, []uint64{1, 2, 4})
		q.stop()
		if held, tracked := q.Held("a"); held != 0 || tracked != 0 {
			t.Errorf("%d held and %d tracked at the end", held, tracked)
		}
	})
}

// Also while it is under way, in front of others or behind them.
func TestWhatIsUnderWayInABatchCanBeDiscarded(t *testing.T) {
	for name, discarded := range map[string]string{"the head of its key": "cb000001", "one in the middle": "cb000002", "the last": "cb000003"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDepot(func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) {
					time.Sleep(time.Second)
					return again, nil
				})
				q := open(t, queue.Options{}, inBatches(d))
				for range 3 {
					q.add(keyed("a", "k"))
				}
				settle(60 * ms)
				if n, err := q.Discard(t.Context(), queue.Filter{IDs: []string{queue.DeliveryID(discarded, "a")}}); n != 1 || err != nil {
					t.Errorf("Discard = %d, %v", n, err)
				}
				settle(time.Second)
				if s := q.status("a"); s.Retrying+s.Blocked+s.Waiting != 2 || s.InFlight != 0 {
					t.Errorf("status = %+v, want the other two", s)
				}
				d.answers(nil)
				settle(time.Hour)
				if s := q.status("a"); s != (queue.SinkStatus{Name: "a", State: queue.Running}) {
					t.Errorf("status = %+v, want nothing left", s)
				}
				q.stop()
			})
		})
	}
}

func TestTheEndDoesNotWaitForCompany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(nil)
		sink := inBatches(d)
		sink.Batching.Wait = time.Hour
		q := open(t, queue.Options{}, sink)
		q.addMany(3)
		settle(time.Second)
		begun := time.Now()
		q.stop()
		if took := time.Since(begun); took != 0 {
			t.Errorf("the end took %v", took)
		}
		wantBatches(t, d)
		q = open(t, queue.Options{Store: q.store.Reopen()}, sink)
		settle(time.Hour)
		wantBatches(t, d, upTo(1, 3))
		q.stop()
	})
}

func TestABatchThatIsCutShortGoesBackInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(func(ctx context.Context, _ []queue.Delivery) (queue.Outcome, []queue.Outcome) {
			<-ctx.Done()
			return again, nil
		})
		q := open(t, queue.Options{}, inBatches(d))
		for _, key := range []string{"k", "", "k", "l", "k"} {
			q.add(keyed("a", key))
		}
		settle(50 * ms)
		q.stop()
		wantBatches(t, d, []uint64{1, 3, 5, 2, 4})
		d.answers(nil)
		q = open(t, queue.Options{Store: q.store.Reopen()}, inBatches(d))
		settle(50 * ms)
		wantBatches(t, d, []uint64{1, 3, 5, 2, 4}, []uint64{1, 3, 5, 2, 4})
		q.stop()
	})
}

// What makes a sink fail without saying so takes others along only for so long.
func TestADeliveryThatFailsForLongGoesByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(func(_ context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome) {
			if slices.ContainsFunc(ds, func(d queue.Delivery) bool { return d.Seq == 3 }) {
				return again, nil
			}
			return done, nil
		})
		sink := inBatches(d)
		sink.Backoff, sink.MaxBackoff = ms, ms // so that all come back at the same time
		sink.Breaker.Off = true
		q := open(t, queue.Options{}, sink)
		q.addMany(6)
		settle(time.Minute)
		if s := q.status("a"); s.Retrying+s.InFlight+s.Waiting != 1 {
			t.Errorf("status = %+v, want only one left", s)
		}
		q.stop()
	})
}

func TestAReloadTurnsBatchesOnAndOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, lone := newDepot(nil), newReceiver(nil)
		q := open(t, queue.Options{}, inBatches(d))
		q.addMany(3)
		settle(ms)
		q.SetSinks([]queue.Sink{{Name: "a", Deliverer: lone, Batching: queue.Batching{Max: 10, Wait: time.Hour}}})
		settle(0)
		if got := sorted(lone.seqs()); !slices.Equal(got, upTo(1, 3)) {
			t.Errorf("got %v from a deliverer without batches, want all one by one", got)
		}
		q.addMany(2)
		settle(0)
		q.SetSinks([]queue.Sink{inBatches(d)})
		q.addMany(2)
		settle(50 * ms)
		if n := len(lone.seqs()); n != 5 {
			t.Errorf("%d went by themselves, want 5", n)
		}
		wantBatches(t, d, upTo(6, 7))
		q.stop()
	})
}

func TestAReloadWhileAttemptsAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, lone := newDepot(nil), newReceiver(takes(time.Second))
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: lone, Concurrency: 1})
		q.addMany(3)
		settle(0)
		q.SetSinks([]queue.Sink{inBatches(d)})
		settle(time.Second)
		wantBatches(t, d, upTo(2, 3))
		d.answers(func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) {
			time.Sleep(time.Second)
			return done, nil
		})
		q.addMany(2)
		settle(50 * ms)
		q.SetSinks([]queue.Sink{{Name: "a", Deliverer: lone}})
		q.addMany(1)
		settle(time.Minute)
		wantBatches(t, d, upTo(2, 3), upTo(4, 5))
		if got := lone.seqs(); !slices.Equal(got, []uint64{1, 6}) {
			t.Errorf("%v went by themselves, want 1 and 6", got)
		}
		q.stop()
	})
}

func TestABatchWhoseOutcomeIsNonsenseFails(t *testing.T) {
	for name, answer := range map[string]func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome){
		"a panic": func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) { panic(errors.New("oops")) },
		"too few of them": func(context.Context, []queue.Delivery) (queue.Outcome, []queue.Outcome) {
			return done, []queue.Outcome{done}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDepot(answer)
				q := open(t, queue.Options{}, inBatches(d))
				q.addMany(2)
				settle(50 * ms)
				if s := q.status("a"); s.Retrying != 2 {
					t.Errorf("status = %+v, want both retried", s)
				}
				q.stop()
			})
		})
	}
}

func TestGoneForABatchPausesTheSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDepot(alike(gone))
		q := open(t, queue.Options{}, inBatches(d))
		q.addMany(3)
		settle(time.Hour)
		wantBatches(t, d, upTo(1, 3))
		if s := q.status("a"); s.State != queue.Paused || s.Retrying != 3 {
			t.Errorf("status = %+v, want a pause that keeps all three", s)
		}
		q.stop()
	})
}
