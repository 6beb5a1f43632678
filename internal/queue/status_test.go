package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
)

// What is done above the floor has no row, and the store alone would take it for waiting.
func TestWhatIsDoneIsNeitherListedNorCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		a.answer = func(ctx context.Context, d queue.Delivery) queue.Outcome {
			if d.Seq == 1 {
				return hangs(ctx, d)
			}
			return done
		}
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a})
		for range 10 {
			q.add(to("a"), to("b"))
		}
		synctest.Wait()
		f := queue.Filter{Sink: "a"}
		n, err := q.Count(t.Context(), f)
		if n != 1 || err != nil {
			t.Errorf("Count = %d, %v; want only the one in flight", n, err)
		}
		ws, err := q.Deliveries(t.Context(), f, queue.Ref{}, 100)
		if len(ws) != 1 || ws[0].Seq != 1 || err != nil {
			t.Errorf("Deliveries = %+v, %v; want only the one in flight", ws, err)
		}
		if n, err = q.Discard(t.Context(), f); n != 1 || err != nil {
			t.Errorf("Discard = %d, %v; want 1", n, err)
		}
		q.stop()
	})
}

// A store that cannot be written still tells what it knows, and soon.
func TestListingDoesNotWaitForADiskThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queuetest.NewMemory()
		hung := make(chan struct{})
		store.BeforeCommit = func(_ context.Context, b *queue.Batch) error {
			if len(b.Events) == 0 {
				<-hung
			}
			return nil
		}
		q := open(t, queue.Options{Store: store}, queue.Sink{Name: "a", Deliverer: newReceiver(nil)})
		q.add(to("a"))
		settle(time.Second)
		began := time.Now()
		if n, err := q.Count(t.Context(), queue.Filter{}); n != 1 || err != nil || time.Since(began) > time.Second {
			t.Errorf("Count = %d, %v after %v; want what the store knows after a second", n, err, time.Since(began))
		}
		close(hung)
		q.stop()
	})
}

func TestTheOldestIsTheOldestThatStillWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(retryOnce(10 * time.Minute))
		q := open(t, queue.Options{}, queue.Sink{Name: "a", Deliverer: a, Breaker: queue.Breaker{Off: true}})
		settle(39500 * time.Millisecond) // far from a full minute
		first := q.add(to("a")).At
		settle(3 * time.Second)
		second := q.add(to("a")).At
		settle(5 * time.Second)
		oldestIs := func(want time.Time) {
			t.Helper()
			if got := q.status("a").Oldest; got.After(want) || want.Sub(got) > time.Second {
				t.Errorf("Oldest = %v, want %v to the second", got, want)
			}
		}
		oldestIs(first)
		settle(time.Until(first) + 10*time.Minute + time.Second)
		oldestIs(second)
		settle(time.Minute)
		if got := q.status("a").Oldest; !got.IsZero() {
			t.Errorf("Oldest = %v when nothing waits", got)
		}
		q.stop()
	})
}

func TestMetricsSayWhatHappenedAndHowThingsStand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newReceiver(nil)
		a.answer = func(_ context.Context, d queue.Delivery) queue.Outcome {
			switch d.Seq {
			case 1, 2:
				return done
			case 3:
				return refused // and 4 waits behind it
			case 5:
				return queue.Outcome{Verdict: queue.Again, RetryAfter: time.Hour}
			}
			return refused
		}
		r := prometheus.NewRegistry()
		q := open(t, queue.Options{Registerer: r, MaxAge: 2 * time.Hour}, queue.Sink{Name: "a", Deliverer: a, MaxBackoff: 3 * time.Hour})
		for _, key := range []string{"", "", "k", "k", "", ""} {
			q.add(keyed("a", key))
		}
		if err := q.Append(t.Context(), &queue.Event{Targets: []queue.Target{to("a"), to("a")}}); err == nil {
			t.Error("an event with a sink twice was accepted")
		}
		settle(10 * time.Second)
		want := []string{
			`callboard_deliveries{sink=a,state=blocked} 1`,
			`callboard_deliveries{sink=a,state=dead} 1`,
			`callboard_deliveries{sink=a,state=retrying} 1`,
			`callboard_deliveries{sink=a,state=stuck} 1`,
			`callboard_deliveries_accepted_total{sink=a} 6`,
			`callboard_deliveries_attempts_total{result=again,sink=a} 1`,
			`callboard_deliveries_attempts_total{result=done,sink=a} 2`,
			`callboard_deliveries_attempts_total{result=refused,sink=a} 2`,
			`callboard_deliveries_dead_total{sink=a} 1`,
			`callboard_deliveries_delivered_total{sink=a} 2`,
			`callboard_deliveries_oldest_seconds{sink=a} 10`,
			`callboard_deliveries_sink_state{sink=a,state=running} 1`,
			`callboard_queue_accepting 1`,
			`callboard_queue_append_errors_total 1`,
			`callboard_queue_bytes 1040`,
			`callboard_queue_commit_events_count 6`,
			`callboard_queue_commit_events_sum 6`,
			`callboard_queue_commit_seconds_count 6`,
			`callboard_queue_events 4`,
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, gathered(t, r)); diff != "" {
			t.Errorf("metrics (-want +got):\n%s", diff)
		}
		settle(5 * time.Hour)
		got := gathered(t, r)
		for _, line := range []string{
			`callboard_deliveries_expired_total{sink=a} 2`, // by age: 3 and 4; 5 had its second attempt first
			`callboard_deliveries_removed_total{sink=a} 4`,
			`callboard_deliveries_dead_total{sink=a} 4`,
		} {
			if !slices.Contains(got, line) {
				t.Errorf("no %q in the end; got\n%s", line, strings.Join(got, "\n"))
			}
		}
		q.stop()
	})
}

// gathered returns metrics as "name{label=value} value", without those that are 0.
func gathered(t *testing.T, r *prometheus.Registry) (lines []string) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := ""
			for _, l := range m.GetLabel() {
				labels += "," + l.GetName() + "=" + l.GetValue()
			}
			if labels != "" {
				labels = "{" + labels[1:] + "}"
			}
			add := func(suffix string, v float64) {
				if v != 0 {
					lines = append(lines, fmt.Sprint(f.GetName(), suffix, labels, " ", v))
				}
			}
			add("", m.GetCounter().GetValue()+m.GetGauge().GetValue())
			add("_count", float64(m.GetHistogram().GetSampleCount()))
			add("_sum", m.GetHistogram().GetSampleSum())
		}
	}
	slices.Sort(lines)
	return lines
}
