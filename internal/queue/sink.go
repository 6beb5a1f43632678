package queue

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A sink is what the queue knows of one: its deliveries in memory, its place in the log, and who is at work for it.
// Deliveries arrive from the committer (window.go) or are read back (fetch.go), wait for their key (lane.go), are attempted
// (worker.go), and what becomes of them is kept until the next batch (rows.go).
type sink struct {
	q       *Queue
	name    string
	metrics *sinkMetrics

	listed   bool    // among Queue.dirty; guarded by Queue.mu
	batched  bool    // in the batch being made; the committer's
	arriving []*item // in the batch being made; the committer's

	mu      sync.Mutex // guards all below
	stopped bool       // nothing begins: before Run, and at its end
	how     *Sink      // nil: parked
	limiter *rate.Limiter
	breaker *breaker
	pausing

	log      place
	exact    bool             // the next batch says what is done of all, not only up to the floor: somebody asks
	ready    deque[*item]     // fresh ones and heads of lanes, mostly in the order of the log
	due      deque[*item]     // read back from rows
	dueTurn  bool             // whose turn it is, where both have some
	held     int              // that wait in memory
	bytes    int              // of their bodies
	inFlight int              // deliveries
	requests int              // in flight: as many, but where deliveries go in batches
	idle     []worker         // the one that became idle last is the last
	working  map[uint64]*item // Seq → a delivery in memory that has a row
	lanes    map[uint64]*lane // lane → the one that has more than one delivery, or a row
	loads    deque[laneLoad]  // lanes to be read
	fetching bool             // a goroutine reads from the store
	fetchAt  time.Time        // not before: reading failed
	rows     rows
	written  chan struct{}   // closed after the next batch that it has a part in; nil when nobody waits
	notTaken error           // why the store did not take the last one
	touched  map[uint64]bool // Seq → whose row changed while a person's operation looks; nil when none does
	stale    map[uint64]bool // Seq → whose row changed, or was stored, since fetch began to read; nil when it does not
	alarm    alarm
	rateAt   time.Time // when there is a token again; zero when there is one

	gatherSince time.Time // since when a batch may wait for company; zero when nothing does
	gatherAt    time.Time // when it stops to; zero when it does not
}

// An item is a delivery in memory.
type item struct {
	event    *Event // nil once the delivery has left memory
	seq      uint64
	at       int64 // of acceptance, Unix milliseconds
	lane     uint64
	attempts int
	row      State // of its row, 0 when it never had one
	tracked  bool  // in place.track
	inFlight bool
	probe    bool   // its attempt finds out whether the breaker may close
	over     bool   // nothing is to be done about it any more
	splits   uint8  // attempts that only split a batch
	together uint16 // with how many it may go in a batch since then, itself included; 0 for as many as there may be
}

// settled says whether the floor may pass it.
func (it *item) settled() bool { return it.over || it.row != 0 }

func newSink(q *Queue, name string, snap *SinkSnapshot, head uint64) *sink {
	s := &sink{q: q, name: name, metrics: q.metrics.sink(name), stopped: true}
	s.working = make(map[uint64]*item)
	s.lanes = make(map[uint64]*lane)
	s.rows.changes = make(map[uint64]change)
	s.log.floor, s.log.next = head, head
	if snap == nil {
		return s
	}
	s.pausing = pausing{snap.Paused, snap.PausedAt}
	s.log = place{floor: snap.Floor, next: snap.Floor, behind: snap.Floor < head, missed: head, known: head,
		accepted: snap.Accepted, settled: snap.Settled}
	for state, n := range snap.Rows {
		if state < states {
			s.rows.counts[state] = n
		}
		if state.waits() {
			s.rows.unknownAges += n
		}
	}
	s.rows.storedDue = snap.NextDue
	for id, n := range snap.Lanes {
		s.lanes[id] = &lane{beyond: n}
	}
	s.log.scan = s.rows.counts[Blocked] > 0
	return s
}

// runs says whether deliveries may be attempted, as far as people decide it.
func (s *sink) runs() bool { return !s.stopped && s.how != nil && s.paused == "" }

// configure takes new settings; nil parks the sink.
func (s *sink) configure(how *Sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.how
	s.how = how
	if how == nil {
		return
	}
	if old == nil || old.Breaker != how.Breaker || !sameDeliverer(old.Deliverer, how.Deliverer) {
		s.breaker = newBreaker(how.Breaker)
	}
	switch {
	case how.Rate <= 0:
		s.limiter = nil
	case s.limiter == nil:
		s.limiter = rate.NewLimiter(rate.Limit(how.Rate), how.Burst)
	default:
		s.limiter.SetLimit(rate.Limit(how.Rate))
		s.limiter.SetBurst(how.Burst)
	}
	if how.batches() {
		s.q.metrics.batching(s)
	}
	for id, l := range s.lanes { // what is stuck may have to make way now
		if l.stuck && (how.OnStuck == DeadLetter || s.tooMany(l)) {
			s.loadLaneLocked(id, l)
		}
	}
	s.pumpLocked()
}

// start lets attempts begin.
func (s *sink) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = false
	s.pumpLocked()
}

// stop lets no further attempt begin.
func (s *sink) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.restLocked(0)
	s.alarm.stop()
}

// hold counts a delivery that waits in memory.
func (s *sink) hold(it *item) {
	s.held++
	s.bytes += len(it.event.Body)
}

func (s *sink) release(it *item) {
	s.held--
	s.bytes -= len(it.event.Body)
}

// forget lets a delivery leave memory; its row brings it back, or it is over.
func (s *sink) forget(it *item) {
	if s.working[it.seq] == it {
		delete(s.working, it.seq)
	}
	it.event = nil
}
