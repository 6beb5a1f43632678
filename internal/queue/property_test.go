package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
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

	batched map[string]bool // sink → it ever got batches

	broken atomic.Pointer[error] // what the disk says, nil for nothing

	mu       sync.Mutex // guards all below
	accepted map[string][]accepted
	came     map[string][]uint64 // sink → Seq of what arrived, in order
	took     map[string][]uint64 // sink → Seq of what it took, in order
	given    map[string]int      // sink → how many deliveries Discard said it gave up
	unsure   map[string]bool     // sink → a discard ended with an error
	died     map[string]bool     // delivery id → it was ever a dead letter, but for its age
}

// A step is something that happens.
type step struct {
	kind   string
	sink   string
	wait   time.Duration
	events [][]string // keys by sink; "none" where it is no target
	states []queue.State
	how    queue.Batching
}

// maxAge is the bound where there is one: less than a story waits at its end, and more than half of it, so that nothing is
// removed for its age that died of it.
const maxAge = 3 * time.Hour

var states = []queue.State{queue.WaitingTurn, queue.Retrying, queue.Blocked, queue.Stuck, queue.Dead}

// accepted is one delivery that Append promised.
type accepted struct {
	seq uint64
	key string
	id  string
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
	s := &story{store: queuetest.NewMemory(), accepted: map[string][]accepted{}, came: map[string][]uint64{}, took: map[string][]uint64{},
		given: map[string]int{}, batched: map[string]bool{}, unsure: map[string]bool{}, died: map[string]bool{}}
	s.store.BeforeCommit = func(context.Context, *queue.Batch) error {
		if err := s.broken.Load(); err != nil {
			return *err
		}
		return nil
	}
	s.o = queue.Options{Window: rapid.IntRange(1, 12).Draw(t, "window"), WindowBytes: rapid.IntRange(8, 200).Draw(t, "bytes"), Log: slog.New(deaths{s})}
	if rapid.IntRange(0, 3).Draw(t, "bounded age") == 0 {
		s.o.MaxAge = maxAge
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "sinks") {
		name := fmt.Sprintf("s%d", i)
		s.sinks = append(s.sinks, queue.Sink{
			Name: name, Deliverer: &witness{s, name},
			Concurrency: rapid.IntRange(1, 4).Draw(t, "concurrency"),
			OnStuck:     queue.OnStuck(rapid.IntRange(0, 1).Draw(t, "on stuck")),
			StuckLimit:  rapid.IntRange(1, 20).Draw(t, "stuck limit"),
			MaxBackoff:  time.Minute,
			Breaker:     queue.Breaker{Failures: 3, Off: rapid.Bool().Draw(t, "no breaker")},
			Batching:    drawBatching(t),
		})
	}
	for _, k := range s.sinks {
		s.batched[k.Name] = k.Batching.Max > 0
	}
	keys := rapid.SliceOfN(rapid.SampledFrom([]string{"none", "", "a", "a", "b"}), len(s.sinks), len(s.sinks))
	kinds := rapid.SampledFrom([]string{"append", "append", "append", "append", "append", "append", "wait", "wait", "pause", "resume", "crash", "crash",
		"restart", "retry", "retry", "discard", "vanish", "return", "batches", "full", "broken", "mended", "mended"})
	for range rapid.IntRange(1, 30).Draw(t, "steps") {
		st := step{kind: kinds.Draw(t, "step"), sink: s.sinks[rapid.IntRange(0, len(s.sinks)-1).Draw(t, "sink")].Name}
		switch st.kind {
		case "append":
			st.events = rapid.SliceOfN(keys, 1, 30).Draw(t, "events")
		case "wait":
			st.wait = time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond
		case "retry", "discard":
			st.states = rapid.SliceOfN(rapid.SampledFrom(states), 0, 2).Draw(t, "states")
		case "batches":
			st.how = drawBatching(t)
		}
		s.steps = append(s.steps, st)
	}
	return s
}

func drawBatching(t *rapid.T) queue.Batching {
	return queue.Batching{
		Max:      rapid.SampledFrom([]int{0, 0, 1, 4, 20}).Draw(t, "batch"),
		MaxBytes: rapid.IntRange(5, 100).Draw(t, "batch bytes"),
		Wait:     time.Duration(rapid.IntRange(0, 200).Draw(t, "batch wait")) * time.Millisecond,
	}
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
		s.mustUnlessBroken(s.q.Pause(ctx, st.sink, "a test"))
	case "resume":
		s.mustUnlessBroken(s.q.Resume(ctx, st.sink))
	case "crash":
		s.crashes++
		old := s.stop
		s.store = s.store.Reopen()
		old()
		s.run()
	case "restart":
		if s.broken.Load() != nil {
			s.crashes++ // what became of deliveries cannot be kept
		}
		s.stop()
		s.store = s.store.Reopen()
		s.run()
	case "retry":
		_, err := s.q.Retry(ctx, queue.Filter{Sink: st.sink, States: st.states})
		s.mustUnlessBroken(err)
	case "discard":
		n, err := s.q.Discard(ctx, queue.Filter{Sink: st.sink, States: st.states})
		s.mustUnlessBroken(err)
		s.given[st.sink] += n
		// Its key went on, and whether it stays discarded over a crash nobody has promised.
		s.unsure[st.sink] = s.unsure[st.sink] || err != nil
	case "vanish":
		s.q.SetSinks(slices.DeleteFunc(slices.Clone(s.sinks), func(k queue.Sink) bool { return k.Name == st.sink }))
	case "return":
		s.q.SetSinks(s.sinks)
	case "batches":
		i := slices.IndexFunc(s.sinks, func(k queue.Sink) bool { return k.Name == st.sink })
		s.sinks[i].Batching = st.how
		s.batched[st.sink] = s.batched[st.sink] || st.how.Max > 0
		s.q.SetSinks(s.sinks)
	case "full":
		s.broken.Store(&queue.ErrFull)
	case "broken":
		s.broken.Store(&errDisk)
	case "mended":
		s.broken.Store(nil)
	}
}

var errDisk = errors.New("the disk is away")

// mustUnlessBroken lets pass what the disk says, or has just said, and that nobody knows a sink that vanished.
func (s *story) mustUnlessBroken(err error) {
	s.t.Helper()
	if !errors.Is(err, queue.ErrFull) && !errors.Is(err, errDisk) && !errors.Is(err, queue.ErrNotFound) {
		s.must(err)
	}
}

// deaths hears of dead letters by the log, like people do: they may come out of order later, or be removed for their age.
type deaths struct{ s *story }

func (d deaths) Enabled(context.Context, slog.Level) bool { return true }
func (d deaths) WithAttrs([]slog.Attr) slog.Handler       { return d }
func (d deaths) WithGroup(string) slog.Handler            { return d }

func (d deaths) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "a delivery has become a dead letter" {
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == "id" {
				d.s.mu.Lock()
				defer d.s.mu.Unlock()
				d.s.died[a.Value.String()] = true
			}
			return true
		})
	}
	return nil
}

func (s *story) append(keys []string) {
	s.n++
	e := &queue.Event{ID: fmt.Sprintf("cb%d", s.n), At: time.Now(), Body: []byte("0123456789")}
	for i, key := range keys {
		if key != "none" {
			e.Targets = append(e.Targets, queue.Target{Sink: s.sinks[i].Name, Key: key})
		}
	}
	if err := s.q.Append(context.Background(), e); err != nil {
		s.mustUnlessBroken(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range e.Targets {
		s.accepted[t.Sink] = append(s.accepted[t.Sink], accepted{e.Seq, t.Key, queue.DeliveryID(e.ID, t.Sink)})
	}
}

// A witness is a sink whose answers depend on the delivery alone: some fail a few times, some for good.
type witness struct {
	s    *story
	name string
}

func (w *witness) Deliver(ctx context.Context, d queue.Delivery) queue.Outcome {
	if o, ok := w.ponder(ctx, d); !ok {
		return o
	}
	return w.take(d)
}

// DeliverBatch takes a batch one by one. Some batches are refused or fail as a whole: where one in them is spoiled, or nobody knows
// why.
func (w *witness) DeliverBatch(ctx context.Context, ds []queue.Delivery) (queue.Outcome, []queue.Outcome) {
	mood := rand.New(rand.NewPCG(ds[0].Seq, uint64(ds[0].Attempt))).IntN(6)
	if o, ok := w.ponder(ctx, ds[0]); !ok {
		return o, nil
	}
	if mood == 0 {
		return again, nil
	}
	if mood < 4 && slices.ContainsFunc(ds, func(d queue.Delivery) bool { _, spoiled := w.fate(d); return spoiled }) {
		return refused, nil
	}
	var each []queue.Outcome
	for _, d := range ds {
		each = append(each, w.take(d))
	}
	return done, each
}

// fate is how often a delivery fails, and whether it does so for good.
func (w *witness) fate(d queue.Delivery) (failures int, spoiled bool) {
	fate := rand.New(rand.NewPCG(d.Seq, uint64(w.name[1])))
	return max(0, fate.IntN(8)-4), fate.IntN(40) == 0
}

// ponder takes its time; it reports false when that was cut short.
func (w *witness) ponder(ctx context.Context, d queue.Delivery) (queue.Outcome, bool) {
	select {
	case <-time.After(time.Duration(d.Seq*7%50) * time.Millisecond):
		return done, true
	case <-ctx.Done():
		return again, false
	}
}

func (w *witness) take(d queue.Delivery) queue.Outcome {
	failures, spoiled := w.fate(d)
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.s.came[w.name] = append(w.s.came[w.name], d.Seq)
	switch {
	case spoiled:
		return refused
	case d.Attempt <= failures:
		return again
	}
	w.s.took[w.name] = append(w.s.took[w.name], d.Seq)
	return done
}

// end lets everything come to rest and says what is wrong, "" when nothing is.
func (s *story) end() string {
	s.broken.Store(nil)
	s.q.SetSinks(s.sinks)
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
		if w.State == queue.Dead || s.o.MaxAge == 0 && (w.State == queue.Blocked && stuck[fmt.Sprint(w.Sink, w.Lane)] || w.State == queue.Stuck) {
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

// checkOrder: everything accepted was taken, or is left, or was given up; those of a key first came in order; nothing was taken
// twice where nothing crashed, but for what went in a batch behind one with the same key that failed.
func (s *story) checkOrder(sink string, left []queue.Waiting) string {
	batches := s.batched[sink]
	key, id := map[uint64]string{}, map[uint64]string{}
	leftOver := func(seq uint64) bool {
		return slices.ContainsFunc(left, func(w queue.Waiting) bool { return w.Sink == sink && w.Seq == seq })
	}
	missing := 0
	for _, a := range s.accepted[sink] {
		key[a.seq], id[a.seq] = a.key, a.id
		isLeft := leftOver(a.seq)
		switch took := slices.Contains(s.took[sink], a.seq); {
		case took && isLeft && s.crashes == 0 && (!batches || a.key == ""):
			return fmt.Sprintf("delivery %d to %s was taken and is left", a.seq, sink)
		case !took && !isLeft && !(s.o.MaxAge > 0 && s.died[a.id]):
			missing++
		}
	}
	if missing > s.given[sink] {
		return fmt.Sprintf("%d deliveries to %s neither came nor are left; %d were discarded", missing, sink, s.given[sink])
	}
	exempt := func(seq uint64) bool { return key[seq] == "" || s.died[id[seq]] || s.unsure[sink] }
	seen := map[uint64]bool{}
	last := map[string]uint64{}
	for _, seq := range s.came[sink] {
		if k := key[seq]; !seen[seq] && !exempt(seq) && seq < last[k] {
			return fmt.Sprintf("delivery %d to %s came after %d, which has the same key", seq, sink, last[k])
		}
		seen[seq] = true
		last[key[seq]] = max(last[key[seq]], seq)
	}
	clear(seen)
	clear(last)
	for _, seq := range s.took[sink] {
		if seen[seq] && s.crashes == 0 && (!batches || key[seq] == "") {
			return fmt.Sprintf("delivery %d to %s came twice", seq, sink)
		}
		seen[seq] = true
	}
	if s.crashes > 0 || s.given[sink] > 0 {
		return ""
	}
	// What was taken before one with the same key that failed in the same batch, came again after it.
	clear(seen)
	for _, seq := range slices.Backward(s.took[sink]) {
		k := key[seq]
		if seen[seq] || exempt(seq) || leftOver(seq) {
			continue
		}
		if last[k] != 0 && seq > last[k] {
			return fmt.Sprintf("delivery %d to %s was taken for good after %d, which has the same key", last[k], sink, seq)
		}
		seen[seq], last[k] = true, seq
	}
	return ""
}
