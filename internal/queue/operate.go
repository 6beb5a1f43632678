package queue

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Deliveries returns what is not done, newest first, at most n, without bodies; before is as in Store.Search. What is done when
// it is called is left out, unless the store cannot be written.
func (q *Queue) Deliveries(ctx context.Context, f Filter, before Ref, n int) ([]Waiting, error) {
	q.tellStore(ctx, f.Sink)
	ws, err := q.store.Search(ctx, f, before, n)
	if err != nil {
		return nil, fmt.Errorf("looking for deliveries: %w", err)
	}
	return ws, nil
}

// Count counts them.
func (q *Queue) Count(ctx context.Context, f Filter) (int, error) {
	q.tellStore(ctx, f.Sink)
	n, err := q.store.Count(ctx, f)
	if err != nil {
		return 0, fmt.Errorf("counting deliveries: %w", err)
	}
	return n, nil
}

// tellWithin bounds how long people wait for the store to know what is done.
const tellWithin = time.Second

// tellStore has the store know what is done by now, of one sink or, where name is "", of all.
func (q *Queue) tellStore(ctx context.Context, name string) {
	if q.trouble.Load() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	defer context.AfterFunc(q.reading, cancel)()
	wants := map[*sink]uint64{}
	for _, s := range q.everySink() {
		if name != "" && s.name != name {
			continue
		}
		if want, ok := s.tell(); ok {
			wants[s] = want
		}
	}
	for s, want := range wants {
		if s.await(ctx, want) != nil {
			return // what the store knows must do
		}
	}
}

// tell has all written that is known of a sink, in batch want or before; it reports false where the store knows it, and
// where nobody writes.
func (s *sink) tell() (want uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unknown := s.log.above > 0 || len(s.rows.changes) > 0 || s.rows.storedGen < s.rows.gen || s.floorLocked() > s.log.floor
	if s.stopped || !unknown {
		return 0, false
	}
	s.exact = true
	return s.askLocked(), true
}

// Event returns an event that still has deliveries to come, with its body.
func (q *Queue) Event(ctx context.Context, id string) (*Event, error) {
	e, err := q.store.Event(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("looking for callback %s: %w", id, err)
	}
	return e, nil
}

// Retry makes deliveries due at once and returns how many. Dead letters go out of order, since their key has gone on without
// them; retrying and stuck ones keep their place. Those that wait for their turn, or behind another, stay as they are.
// Attempts are counted on, and so is the age: a delivery that is past what its sink allows gets this one attempt.
func (q *Queue) Retry(ctx context.Context, f Filter) (int, error) {
	if f.States = among(f.States, Retrying, Stuck, Dead); len(f.States) == 0 {
		return 0, nil
	}
	return q.change(ctx, f, (*sink).retryLocked)
}

// Discard gives deliveries up for good and returns how many. One that is being attempted may still arrive.
func (q *Queue) Discard(ctx context.Context, f Filter) (int, error) {
	return q.change(ctx, f, (*sink).discardLocked)
}

// among returns those of states that also stand in possible; no states are all.
func among(states []State, possible ...State) []State {
	if len(states) == 0 {
		return possible
	}
	return slices.DeleteFunc(possible, func(s State) bool { return !slices.Contains(states, s) })
}

// How deliveries are changed: in pages, each durable before the next is looked for.
const (
	changePage   = 500
	changePasses = 3 // over deliveries that changed by themselves while they were looked for
)

// change does something to the deliveries that a filter chooses, and returns to how many.
func (q *Queue) change(ctx context.Context, f Filter, act func(*sink, *Waiting) bool) (total int, err error) {
	q.acting.Lock()
	defer q.acting.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(q.reading, func() { cancel(ErrClosed) })()
	p := pass{q: q, filter: f, act: act}
	for range changePasses {
		p.moved = map[Ref]bool{}
		n, err := p.run(ctx)
		if total += n; err != nil {
			return total, fmt.Errorf("changing deliveries: %w", err)
		}
		if len(p.moved) == 0 {
			break
		}
		p.only = p.moved
	}
	return total, nil
}

// A pass goes once through what a filter chooses.
type pass struct {
	q      *Queue
	filter Filter
	act    func(*sink, *Waiting) bool
	only   map[Ref]bool // what the pass before has left; nil in the first one, for all
	moved  map[Ref]bool // those that changed on the way, and were left as they are
}

// run returns how many were changed.
func (p *pass) run(ctx context.Context) (total int, err error) {
	var before Ref
	for {
		ws, n, err := p.page(ctx, before)
		total += n
		if err != nil || len(ws) < changePage {
			return total, err
		}
		before = ws[len(ws)-1].Ref
	}
}

func (p *pass) page(ctx context.Context, before Ref) (ws []Waiting, n int, err error) {
	q := p.q
	sinks := q.everySink()
	if name := p.filter.Sink; name != "" {
		sinks = slices.DeleteFunc(sinks, func(s *sink) bool { return s.name != name })
	}
	defer func() {
		for _, s := range sinks {
			s.watchEnds()
		}
	}()
	for _, s := range sinks {
		if s.watch() {
			if err := q.flush(ctx, s); err != nil {
				return nil, 0, err
			}
		}
	}
	if ws, err = q.store.Search(ctx, p.filter, before, changePage); err != nil {
		return nil, 0, err
	}
	var changed []*sink
	for i := range ws {
		w := &ws[i]
		if p.only != nil && !p.only[w.Ref] {
			continue
		}
		s := q.sinkNamed(w.Sink)
		if s == nil || !slices.Contains(sinks, s) {
			p.moved[w.Ref] = true // its first delivery came just now
			continue
		}
		s.mu.Lock()
		if s.touched[w.Seq] {
			p.moved[w.Ref] = true
		} else if p.act(s, w) {
			n++
			if !slices.Contains(changed, s) {
				changed = append(changed, s)
			}
		}
		s.mu.Unlock()
	}
	for _, s := range changed {
		s.mu.Lock()
		s.pumpLocked()
		s.mu.Unlock()
		if err := q.flush(ctx, s); err != nil {
			return ws, n, err
		}
	}
	return ws, n, nil
}

// watch begins to note whose row changes. It says whether the store does not know all rows.
func (s *sink) watch() (behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touched = make(map[uint64]bool)
	return len(s.rows.changes)+len(s.rows.taken) > 0
}

func (s *sink) watchEnds() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.touched = nil
}

// retryLocked makes a row due.
func (s *sink) retryLocked(w *Waiting) bool {
	if s.working[w.Seq] != nil {
		return true // it is at work already
	}
	it := itemOf(w)
	if w.State == Dead {
		it.lane = 0
	}
	r := w.Row
	r.State, r.Due = Retrying, s.q.now()
	s.writeLocked(it, r)
	return true
}

// discardLocked ends a delivery, wherever it is.
func (s *sink) discardLocked(w *Waiting) bool {
	it := s.findLocked(w)
	if it == nil {
		return false
	}
	s.finishLocked(it)
	return true
}

// findLocked returns a delivery that a search found: as it is in memory, or else a stand-in, taken out of its lane.
// It returns nil when it is done by now.
func (s *sink) findLocked(w *Waiting) *item {
	if it := s.working[w.Seq]; it != nil {
		return it
	}
	if w.State != WaitingTurn {
		s.leaveLaneLocked(w)
		return itemOf(w)
	}
	if it := s.trackedLocked(w.Seq); it != nil {
		if it.settled() {
			return nil
		}
		return it
	}
	if w.Seq <= s.log.next {
		return nil
	}
	it := itemOf(w)
	it.row = 0
	return it
}

// leaveLaneLocked takes a row that is not in memory out of its lane.
func (s *sink) leaveLaneLocked(w *Waiting) {
	l := s.lanes[w.Lane]
	if w.Lane == 0 || l == nil || !w.State.waits() {
		return
	}
	l.beyond = max(0, l.beyond-1)
	switch {
	case l.head != nil:
	case l.beyond == 0:
		delete(s.lanes, w.Lane)
	case l.headSeq == w.Seq || l.headSeq == 0:
		l.headSeq = 0
		s.loadLaneLocked(w.Lane, l)
	}
}
