package queue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
)

// A story is one run of the property: what happens to a queue, and what an honest witness saw.
type story struct {
	t       *testing.T
	store   *queuetest.Memory
	sinks   []queue.Sink
	o       queue.Options
	steps   []step
	q       *queue.Queue
	stop    func()
	crashes int
	n       int

	mu       sync.Mutex // guards all below
	accepted map[string][]accepted
	took     map[string][]uint64 // sink → Seq of what it took, in order
}

// A step is something that happens.
type step struct {
	kind   string
	sink   string
	wait   time.Duration
	events [][]string // keys by sink; "none" where it is no target
}

// accepted is one delivery that Append promised.
type accepted struct {
	seq uint64
	key string
}

// TestEveryDeliveryArrivesInOrderOrIsAccountedFor plays random stories with failures, pauses, and crashes.
func TestEveryDeliveryArrivesInOrderOrIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawStory(rt) // whole: rapid's draws must not end a bubble
		var trouble string
		synctest.Test(t, func(t *testing.T) {
			s.t = t
			s.run()
			for _, st := range s.steps {
				s.play(st)
			}
			trouble = s.end()
		})
		if trouble != "" {
			rt.Fatal(trouble)
		}
	})
}

func drawStory(t *rapid.T) *story {
	s := &story{store: queuetest.NewMemory(), accepted: map[string][]accepted{}, took: map[string][]uint64{}}
	s.o = queue.Options{Window: rapid.IntRange(1, 12).Draw(t, "window"), WindowBytes: rapid.IntRange(8, 200).Draw(t, "bytes")}
	for i := range rapid.IntRange(1, 3).Draw(t, "sinks") {
		name := fmt.Sprintf("s%d", i)
		s.sinks = append(s.sinks, queue.Sink{
			Name: name, Deliverer: &witness{s, name},
			Concurrency: rapid.IntRange(1, 4).Draw(t, "concurrency"),
			OnStuck:     queue.OnStuck(rapid.IntRange(0, 1).Draw(t, "on stuck")),
			StuckLimit:  rapid.IntRange(1, 20).Draw(t, "stuck limit"),
			MaxBackoff:  time.Minute,
			Breaker:     queue.Breaker{Failures: 3, Off: rapid.Bool().Draw(t, "no breaker")},
		})
	}
	keys := rapid.SliceOfN(rapid.SampledFrom([]string{"none", "", "a", "a", "b"}), len(s.sinks), len(s.sinks))
	kinds := rapid.SampledFrom([]string{"append", "append", "append", "wait", "pause", "resume", "crash", "restart", "retry"})
	for range rapid.IntRange(1, 30).Draw(t, "steps") {
		st := step{kind: kinds.Draw(t, "step"), sink: s.sinks[rapid.IntRange(0, len(s.sinks)-1).Draw(t, "sink")].Name}
		switch st.kind {
		case "append":
			st.events = rapid.SliceOfN(keys, 1, 30).Draw(t, "events")
		case "wait":
			st.wait = time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond
		}
		s.steps = append(s.steps, st)
	}
	return s
}

// run opens the store and starts.
func (s *story) run() {
	o := s.o
	o.Store = s.store
	q, err := queue.New(context.Background(), o)
	s.must(err)
	q.SetSinks(s.sinks)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = q.Run(ctx, time.Second) // after a crash it cannot write
	}()
	s.q, s.stop = q, func() { cancel(); <-ended }
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) play(st step) {
	ctx := context.Background()
	switch st.kind {
	case "append":
		for _, keys := range st.events {
			s.append(keys)
		}
	case "wait":
		time.Sleep(st.wait)
	case "pause":
		s.must(s.q.Pause(ctx, st.sink, "a test"))
	case "resume":
		s.must(s.q.Resume(ctx, st.sink))
	case "crash":
		s.crashes++
		old := s.stop
		s.store = s.store.Reopen()
		old()
		s.run()
	case "restart":
		s.stop()
		s.store = s.store.Reopen()
		s.run()
	case "retry":
		_, err := s.q.Retry(ctx, queue.Filter{Sink: st.sink, States: inOrder})
		s.must(err)
	}
}

// inOrder are the states from which a retry keeps the order; dead letters have lost their place.
var inOrder = []queue.State{queue.Retrying, queue.Stuck}

func (s *story) append(keys []string) {
	s.n++
	e := &queue.Event{ID: fmt.Sprintf("cb%d", s.n), At: time.Now(), Body: []byte("0123456789")}
	for i, key := range keys {
		if key != "none" {
			e.Targets = append(e.Targets, queue.Target{Sink: s.sinks[i].Name, Key: key})
		}
	}
	s.must(s.q.Append(context.Background(), e))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range e.Targets {
		s.accepted[t.Sink] = append(s.accepted[t.Sink], accepted{e.Seq, t.Key})
	}
}

// A witness is a sink whose answers depend on the delivery alone: some fail a few times, some for good.
type witness struct {
	s    *story
	name string
}

func (w *witness) Deliver(ctx context.Context, d queue.Delivery) queue.Outcome {
	fate := rand.New(rand.NewPCG(d.Seq, uint64(w.name[1])))
	failures := max(0, fate.IntN(8)-4)
	spoiled := fate.IntN(40) == 0
	select {
	case <-time.After(time.Duration(fate.IntN(50)) * time.Millisecond):
	case <-ctx.Done():
		return again
	}
	switch {
	case spoiled:
		return refused
	case d.Attempt <= failures:
		return again
	}
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.s.took[w.name] = append(w.s.took[w.name], d.Seq)
	return done
}

// end lets everything come to rest and says what is wrong, "" when nothing is.
func (s *story) end() string {
	for _, sink := range s.sinks {
		_ = s.q.Resume(context.Background(), sink.Name)
	}
	time.Sleep(5 * time.Hour)
	synctest.Wait()
	left, err := s.q.Deliveries(context.Background(), queue.Filter{}, queue.Ref{}, 1_000_000)
	if err != nil {
		return err.Error()
	}
	status := s.q.Sinks()
	s.stop()
	if trouble := s.checkLeft(left, status); trouble != "" {
		return trouble
	}
	for _, sink := range s.sinks {
		if trouble := s.checkOrder(sink.Name, left); trouble != "" {
			return trouble
		}
	}
	return ""
}

// checkLeft: what is left waits for a person, and the counts say the same.
func (s *story) checkLeft(left []queue.Waiting, status []queue.SinkStatus) string {
	stuck := map[string]bool{}
	counts := map[string]queue.SinkStatus{}
	for _, w := range left {
		c := counts[w.Sink]
		switch w.State {
		case queue.Stuck:
			stuck[fmt.Sprint(w.Sink, w.Lane)] = true
			c.Stuck++
		case queue.Dead:
			c.Dead++
		case queue.Blocked:
			c.Blocked++
		}
		counts[w.Sink] = c
	}
	for _, w := range left {
		if w.State == queue.Blocked && stuck[fmt.Sprint(w.Sink, w.Lane)] || w.State == queue.Stuck || w.State == queue.Dead {
			continue
		}
		return fmt.Sprintf("delivery %d to %s is %v at the end", w.Seq, w.Sink, w.State)
	}
	for _, st := range status {
		c := counts[st.Name]
		if st.Waiting != 0 || st.InFlight != 0 || st.Retrying != 0 || st.Stuck != c.Stuck || st.Dead != c.Dead || st.Blocked != c.Blocked {
			return fmt.Sprintf("status = %+v, but the store has %d stuck, %d dead, %d blocked", st, c.Stuck, c.Dead, c.Blocked)
		}
	}
	return ""
}

// checkOrder: everything accepted was taken or is left; first occurrences of a key are in order; nothing came twice where
// nothing crashed.
func (s *story) checkOrder(sink string, left []queue.Waiting) string {
	key := map[uint64]string{}
	for _, a := range s.accepted[sink] {
		key[a.seq] = a.key
		isLeft := slices.ContainsFunc(left, func(w queue.Waiting) bool { return w.Sink == sink && w.Seq == a.seq })
		if took := slices.Contains(s.took[sink], a.seq); took == isLeft {
			return fmt.Sprintf("delivery %d to %s: taken is %v, left is %v", a.seq, sink, took, isLeft)
		}
	}
	seen := map[uint64]bool{}
	last := map[string]uint64{}
	for _, seq := range s.took[sink] {
		k := key[seq]
		switch {
		case seen[seq] && s.crashes == 0:
			return fmt.Sprintf("delivery %d to %s came twice", seq, sink)
		case !seen[seq] && k != "" && seq < last[k]:
			return fmt.Sprintf("delivery %d to %s came after %d, which has the same key", seq, sink, last[k])
		}
		seen[seq] = true
		last[k] = max(last[k], seq)
	}
	return ""
}
