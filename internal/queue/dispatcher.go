package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"sync/atomic"
	"time"
)

// A Queue delivers. It is safe for concurrent use.
//
// An event passes through it like this: Append hands it to the committer (append.go, commit.go), the one goroutine that writes;
// once it is in the store its sinks take it into memory (window.go), where it waits for its turn (lane.go) and is attempted
// (worker.go; in batches, parcel.go). What becomes of it (settle.go) is written with the next batch (rows.go). Whatever left memory, or never had
// room there, is read back when its time comes (fetch.go). What is done or too old goes in the background (sweep.go, expire.go).
type Queue struct {
	o       Options
	store   Store
	log     *slog.Logger
	metrics *metrics
	started time.Time // with a monotonic reading: see now

	fed     atomic.Uint64 // head of the log, as far as sinks have been told
	full    atomic.Bool   // MaxBytes is reached
	trouble atomic.Pointer[trouble]

	wakeup chan struct{} // of the committer
	trims  chan struct{} // of the trimmer

	spare sync.Pool // of appendings whose caller has heard how it ended

	mu           sync.Mutex // guards what waits for the committer
	appends      []*appending
	waiting      int // of appends, without those taken back
	waitingBytes int
	dirty        []*sink
	dirtyAt      time.Time // since when
	urgent       bool
	closed       bool // nothing is accepted any more
	finishing    bool // nothing more comes: the committer ends when all is settled

	sinksMu sync.RWMutex     // guards what follows
	sinks   map[string]*sink // sink name → what is known of it
	running bool             // attempts may begin

	acting sync.Mutex // held by whoever changes deliveries by filter

	lost atomic.Bool   // Commit has returned ErrLost
	over chan struct{} // closed then

	// For attempts, reading from the store, and all goroutines that sinks begin. Set by New.
	delivering context.Context
	cancel     context.CancelFunc
	reading    context.Context
	stopReads  context.CancelFunc
	work       sync.WaitGroup
}

const (
	defaultConcurrency = 64
	defaultBackoff     = time.Second
	defaultMaxBackoff  = 10 * time.Minute
	defaultFor         = 24 * time.Hour
	defaultStuckLimit  = 10_000
	defaultWindow      = 1024
	defaultWindowBytes = 8 << 20
	defaultFailures    = 10
	defaultDelay       = 5 * time.Second
	defaultMaxDelay    = time.Minute
	defaultBatchBytes  = 1 << 20
	mostInBatch        = 10_000
)

// New makes a Queue and loads how things stand. It delivers nothing before Run.
func New(ctx context.Context, o Options) (*Queue, error) {
	if o.Window <= 0 {
		o.Window = defaultWindow
	}
	if o.WindowBytes <= 0 {
		o.WindowBytes = defaultWindowBytes
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	snap, err := o.Store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("loading the queue: %w", err)
	}
	q := &Queue{
		o: o, store: o.Store, log: o.Log, started: time.Now(),
		wakeup: make(chan struct{}, 1), trims: make(chan struct{}, 1),
		sinks: make(map[string]*sink), over: make(chan struct{}),
	}
	q.metrics = newMetrics(o.Registerer, q)
	q.delivering, q.cancel = context.WithCancel(context.WithoutCancel(ctx))
	q.reading, q.stopReads = context.WithCancel(context.WithoutCancel(ctx))
	q.fed.Store(snap.Head)
	for i := range snap.Sinks {
		s := &snap.Sinks[i]
		q.sinks[s.Sink] = newSink(q, s.Sink, s, snap.Head)
	}
	q.checkRoom()
	return q, nil
}

// sinkOf returns what the queue knows of a sink, making it where it is new.
func (q *Queue) sinkOf(name string) *sink {
	if s := q.sinkNamed(name); s != nil {
		return s
	}
	q.sinksMu.Lock()
	defer q.sinksMu.Unlock()
	s := q.sinks[name]
	if s == nil {
		s = newSink(q, name, nil, q.fed.Load())
		s.stopped = !q.running
		q.sinks[name] = s
	}
	return s
}

// sinkNamed returns nil for an unknown sink.
func (q *Queue) sinkNamed(name string) *sink {
	q.sinksMu.RLock()
	defer q.sinksMu.RUnlock()
	return q.sinks[name]
}

// everySink returns the sinks there are.
func (q *Queue) everySink() []*sink {
	q.sinksMu.RLock()
	defer q.sinksMu.RUnlock()
	all := make([]*sink, 0, len(q.sinks))
	for _, s := range q.sinks {
		all = append(all, s)
	}
	return all
}

// SetSinks says how deliveries are made from the next attempt on: also those that wait already. Sinks that are no longer
// there park their deliveries. Deliverers whose settings stay the same should be given again, breakers and rates then carry over.
func (q *Queue) SetSinks(sinks []Sink) {
	given := make(map[string]bool, len(sinks))
	for _, how := range sinks {
		given[how.Name] = true
		q.sinkOf(how.Name).configure(how.withDefaults())
	}
	for _, s := range q.everySink() {
		if !given[s.name] {
			s.configure(nil)
		}
	}
}

// withDefaults returns a copy that says everything.
func (s Sink) withDefaults() *Sink {
	orElse(&s.Concurrency, defaultConcurrency)
	orElse(&s.Backoff, defaultBackoff)
	orElse(&s.MaxBackoff, defaultMaxBackoff)
	orElse(&s.For, defaultFor)
	orElse(&s.StuckLimit, defaultStuckLimit)
	orElse(&s.Breaker.Failures, defaultFailures)
	orElse(&s.Breaker.Delay, defaultDelay)
	orElse(&s.Breaker.MaxDelay, defaultMaxDelay)
	s.Breaker.MaxDelay = max(s.Breaker.MaxDelay, s.Breaker.Delay)
	orElse(&s.Burst, max(1, int(s.Rate)))
	if _, ok := s.Deliverer.(BatchDeliverer); !ok {
		s.Batching = Batching{}
	}
	orElse(&s.Batching.MaxBytes, defaultBatchBytes)
	s.Batching.Max = min(s.Batching.Max, mostInBatch)
	return &s
}

// batches says whether deliveries go in batches; a parked sink has none.
func (s *Sink) batches() bool { return s != nil && s.Batching.Max > 0 }

func orElse[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// sameDeliverer compares two, where they can be compared.
func sameDeliverer(a, b Deliverer) bool {
	ta := reflect.TypeOf(a)
	return ta == reflect.TypeOf(b) && (ta == nil || ta.Comparable() && a == b)
}

// Run delivers until ctx ends. Then nothing more is accepted and no attempt begun; attempts in flight have grace to finish
// (their outcome is kept), are cancelled after that and go back to the queue; the store gets what is known. It closes the
// store.
//
// Run ends by itself, in the same way but with attempts in flight cancelled at once, when the store says ErrLost: its error
// is that. A store that does not answer holds up the end no longer than patience after the grace: what is at work on it is
// then left behind and the store is not closed, so the process should end. What it has not kept is delivered again.
func (q *Queue) Run(ctx context.Context, grace time.Duration) error {
	c := &committer{q: q}
	var parts sync.WaitGroup
	parts.Go(func() { c.run(context.WithoutCancel(ctx)) })
	background, stop := context.WithCancel(ctx)
	parts.Go(func() { q.trim(background) })
	parts.Go(func() { q.sweep(background) })
	q.begin()

	select {
	case <-ctx.Done():
	case <-q.over:
	}
	ended := make(chan error, 1)
	go func() { ended <- q.end(c, grace, &parts, stop) }()
	select {
	case err := <-ended:
		return err
	case <-q.delivering.Done(): // the grace is over
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		return errHangs
	}
}

// patience is how long the end waits for the store when nothing else is left to wait for.
const patience = 5 * time.Second

var errHangs = errors.New("the queue's store does not answer: what it has not kept is delivered again")

// end stops the parts of Run and closes the store.
func (q *Queue) end(c *committer, grace time.Duration, parts *sync.WaitGroup, stop func()) error {
	q.stop(grace)
	stop()
	q.acting.Lock() // whoever changes deliveries by hand ends first
	q.mu.Lock()
	q.finishing = true
	for _, s := range q.everySink() {
		q.listLocked(s)
	}
	q.mu.Unlock()
	q.acting.Unlock()
	q.wake()
	parts.Wait()
	q.failAppends(ErrClosed)
	var errs []error
	switch {
	case q.lost.Load():
		errs = append(errs, c.err)
	case c.errs > 0:
		errs = append(errs, fmt.Errorf("writing what is settled: %w", c.err))
	}
	if err := q.store.Close(); err != nil {
		errs = append(errs, fmt.Errorf("closing the queue: %w", err))
	}
	return errors.Join(errs...)
}

// begin lets attempts begin.
func (q *Queue) begin() {
	q.sinksMu.Lock()
	q.running = true
	q.sinksMu.Unlock()
	for _, s := range q.everySink() {
		s.start()
	}
}

// stop accepts nothing more and ends all attempts and reads, within grace.
func (q *Queue) stop(grace time.Duration) {
	q.halt()
	timer := time.AfterFunc(grace, q.cancel)
	defer timer.Stop()
	q.stopReads()
	q.work.Wait()
	q.cancel()
}

// CutOff ends the grace of a Run whose ctx has ended: attempts in flight are cancelled and go back to the queue.
func (q *Queue) CutOff() { q.cancel() }

// halt accepts nothing more and lets no further attempt begin.
func (q *Queue) halt() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.sinksMu.Lock()
	q.running = false
	q.sinksMu.Unlock()
	for _, s := range q.everySink() {
		s.stop()
	}
}

// now is the time by a clock that does not jump while the process runs. Across restarts it is the wall clock.
func (q *Queue) now() time.Time { return q.started.Add(time.Since(q.started)) }

// age is how long ago something was accepted, by whichever clock says less: a jump must not age deliveries.
func (q *Queue) age(at int64) time.Duration {
	accepted := time.UnixMilli(at)
	return min(q.now().Sub(accepted), time.Since(accepted))
}
