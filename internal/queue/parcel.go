package queue

import (
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// A parcel is the deliveries that go to a sink in one request. Those of one key stand together, in the order of the log, the
// head of their lane first.
type parcel struct {
	items []*item
	bytes int
	probe bool // finds out whether the breaker may close
}

// loneAfter is after how many attempts a delivery goes by itself: what makes a sink fail must not take others along for good.
const loneAfter = 8

// togetherLocked is with how many others, itself included, a delivery may go.
func (s *sink) togetherLocked(it *item) int {
	switch {
	case it.together > 0:
		return int(it.together)
	case it.attempts-int(it.splits) >= loneAfter:
		return 1
	}
	return s.how.Batching.Max
}

// batchLocked is the most deliveries that go in one request.
func (s *sink) batchLocked() int {
	if s.how.batches() {
		return s.how.Batching.Max
	}
	return 1
}

// pumpParcelsLocked is pumpLocked's part where deliveries go in batches.
func (s *sink) pumpParcelsLocked() {
	if s.ready.len()+s.due.len() == 0 {
		s.gatherSince = time.Time{}
	} else if s.gatherSince.IsZero() {
		s.gatherSince = time.Now()
	}
	for s.requests < s.how.Concurrency {
		p := s.gatherLocked()
		if p == nil {
			return
		}
		s.q.work.Go(func() { s.attemptParcel(p) })
	}
}

// gatherLocked takes the deliveries whose turn it is, nil while none may be attempted or company is waited for. They count
// as in flight.
func (s *sink) gatherLocked() *parcel {
	if !s.runs() || len(s.rows.changes) >= maxUnstored {
		return nil
	}
	from := s.turnLocked()
	if from == nil {
		s.gatherSince = time.Time{}
		return nil
	}
	if !s.breaker.admits() || !s.gatheredLocked(from.at(0)) || !s.tokenLocked() {
		return nil
	}
	p := &parcel{probe: s.breaker.begin()}
	most := s.how.Batching.Max
	if p.probe {
		most = 1
	}
	for from != nil && s.fitsLocked(p, from.at(0), &most) {
		it := from.popFront()
		s.dueTurn = from == &s.ready
		s.packLocked(p, it)
		s.packFollowersLocked(p, it, &most)
		from = s.turnLocked()
	}
	s.requests++
	s.metrics.batch(len(p.items))
	// What is left has waited for this one to go; it waits for company of its own.
	s.gatherSince = time.Time{}
	if s.ready.len()+s.due.len() > 0 {
		s.gatherSince = time.Now()
	}
	return p
}

// gatheredLocked says whether nothing is to be waited for any more; else the alarm is set for the end of the wait.
func (s *sink) gatheredLocked(first *item) bool {
	b := &s.how.Batching
	leaves := s.gatherSince.Add(b.Wait)
	if s.breaker.isOpen() || s.togetherLocked(first) < b.Max || !time.Now().Before(leaves) || s.fullLocked() {
		return true
	}
	s.gatherAt = leaves
	return false
}

// fullLocked says whether what may go now makes a batch that no other delivery fits into.
func (s *sink) fullLocked() bool {
	b := &s.how.Batching
	if s.held < b.Max && s.bytes < b.MaxBytes {
		return false // these count more: what waits behind a delivery in flight, too
	}
	n, bytes := 0, 0
	count := func(it *item) bool {
		if !it.over {
			n++
			bytes += len(it.event.Body)
		}
		return n >= b.Max || bytes >= b.MaxBytes
	}
	for _, d := range []*deque[*item]{&s.ready, &s.due} {
		for i := range d.len() {
			it := d.at(i)
			if count(it) {
				return true
			}
			if l := s.lanes[it.lane]; it.lane != 0 && l != nil && l.head == it && slices.ContainsFunc(l.followers, count) {
				return true
			}
		}
	}
	return false
}

// fitsLocked says whether a delivery may go with those of a parcel; most is the size that all of them allow.
func (s *sink) fitsLocked(p *parcel, it *item, most *int) bool {
	n := min(*most, s.togetherLocked(it))
	if len(p.items) > 0 && (len(p.items) >= n || p.bytes+len(it.event.Body) > s.how.Batching.MaxBytes) {
		return false
	}
	*most = n
	return true
}

func (s *sink) packLocked(p *parcel, it *item) {
	s.release(it)
	s.inFlight++
	it.inFlight = true
	p.items = append(p.items, it)
	p.bytes += len(it.event.Body)
}

// packFollowersLocked takes along what waits in memory behind a delivery of the parcel.
func (s *sink) packFollowersLocked(p *parcel, head *item, most *int) {
	l := s.lanes[head.lane]
	if head.lane == 0 || l == nil || l.head != head {
		return
	}
	for len(l.followers) > 0 {
		f := l.followers[0]
		if f.over {
			s.release(f)
			s.forget(f)
		} else if s.fitsLocked(p, f, most) {
			s.packLocked(p, f)
		} else {
			return
		}
		l.followers = l.followers[1:]
	}
}

// follows says whether the delivery at a place goes behind another of its key.
func (p *parcel) follows(i int) bool {
	return i > 0 && p.items[i].lane != 0 && p.items[i].lane == p.items[i-1].lane
}

// attemptParcel makes one attempt.
func (s *sink) attemptParcel(p *parcel) {
	s.mu.Lock()
	how := s.how
	as := make([]Attempt, len(p.items))
	ds := make([]Delivery, len(p.items))
	for i, it := range p.items {
		ds[i] = Delivery{Event: it.event, Sink: s.name, Attempt: it.attempts + 1, Lane: it.lane}
	}
	if !how.batches() { // parked just now, or its settings have changed
		s.requests--
		s.putParcelBackLocked(p)
		s.pumpLocked()
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	began := time.Now()
	whole, each := s.deliverParcel(how.Deliverer.(BatchDeliverer), ds)
	for i := range as {
		as[i] = Attempt{Delivery: ds[i], At: began, Outcome: whole, Batch: len(as), Place: i + 1}
		if each != nil {
			as[i].Outcome = each[i]
		}
	}
	s.mu.Lock()
	s.requests--
	told := s.settleParcelLocked(p, as, whole, each == nil)
	s.pumpLocked()
	s.mu.Unlock()
	if told && s.q.o.OnAttempt != nil {
		for i := range as {
			s.q.o.OnAttempt(as[i])
		}
	}
}

// deliverParcel makes one attempt. A panic is a failed one, and so is an answer that does not speak of every delivery.
func (s *sink) deliverParcel(d BatchDeliverer, ds []Delivery) (whole Outcome, each []Outcome) {
	defer func() {
		if p := recover(); p != nil {
			whole, each = Outcome{Verdict: Again, Reason: "delivering panicked"}, nil
			s.q.log.Error("delivering panicked", "sink", s.name, "deliveries", len(ds), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	whole, each = d.DeliverBatch(s.q.delivering, ds)
	if each != nil && len(each) != len(ds) {
		return Outcome{Verdict: Again, Reason: "the outcome of a batch is incomplete"}, nil
	}
	return whole, each
}

// settleParcelLocked decides what becomes of the deliveries after an attempt. It reports false when the attempt does not count.
func (s *sink) settleParcelLocked(p *parcel, as []Attempt, whole Outcome, alike bool) bool {
	if alike && s.q.cutShort(whole) {
		s.putParcelBackLocked(p)
		return false
	}
	if !alike { // the sink answered: it fails only where it takes nothing
		whole.Verdict = Done
		if !slices.ContainsFunc(as, func(a Attempt) bool { return a.Outcome.Verdict != Again }) {
			whole = as[0].Outcome
		}
	}
	s.recordLocked(&whole, p.probe)
	p.probe = false
	if alike && whole.Verdict == Refused && len(p.items) > 1 {
		s.splitLocked(p, as)
		return true
	}
	s.lineUpAgainLocked(p)
	for i, it := range p.items {
		if p.follows(i) && !s.stepUpLocked(it) {
			s.holdBackLocked(it, &as[i])
			continue
		}
		s.settleOneLocked(it, &as[i])
	}
	return true
}

// lineUpAgainLocked has only the heads of lanes in flight: those that went behind them wait in line as before. Each steps up when
// the one before it is settled.
func (s *sink) lineUpAgainLocked(p *parcel) {
	for i := len(p.items) - 1; i > 0; i-- {
		if !p.follows(i) {
			continue
		}
		f := p.items[i]
		s.inFlight--
		f.inFlight = false
		s.hold(f)
		l := s.lanes[f.lane]
		l.followers = slices.Insert(l.followers, 0, f)
	}
}

// stepUpLocked takes a delivery that has just become the head of its lane into flight again. It reports false where that has
// not happened: the one before it failed, or it was given up itself.
func (s *sink) stepUpLocked(it *item) bool {
	l := s.lanes[it.lane]
	if l == nil || l.head != it {
		return false
	}
	s.ready.popFront() // where nextInLaneLocked has put it
	s.release(it)
	s.inFlight++
	it.inFlight = true
	return true
}

// heldBack is the reason of deliveries whose order asks that they come again.
const heldBack = "comes again after the one before it with the same key, which was not taken"

// holdBackLocked notes that an attempt does not count, whatever the sink said: the one before it with the same key must come first.
func (s *sink) holdBackLocked(it *item, a *Attempt) {
	a.Outcome.Verdict = Again
	if !it.over {
		a.State, a.Outcome.Reason = Blocked, heldBack
	}
	s.metrics.attempt(Again)
}

// splitLocked has a batch that was refused as a whole tried again in halves: one that a sink cannot take must not make dead
// letters of the others.
func (s *sink) splitLocked(p *parcel, as []Attempt) {
	half := (len(p.items) + 1) / 2
	for i, it := range p.items {
		it.attempts++
		it.splits++
		it.together = uint16(half)
		as[i].State = WaitingTurn
		as[i].Outcome.Reason = fmt.Sprintf("%s for a batch of %d: tried again in halves", as[i].Outcome.Reason, len(p.items))
		s.metrics.attempt(Refused)
		if it.over {
			as[i].State = 0
		}
	}
	s.q.log.Debug("a batch was refused: tried again in halves", "sink", s.name, "deliveries", len(p.items), "status", as[0].Outcome.Status)
	s.putParcelBackLocked(p)
}

// putParcelBackLocked undoes gatherLocked.
func (s *sink) putParcelBackLocked(p *parcel) {
	if p.probe {
		s.breaker.giveBack()
	}
	s.lineUpAgainLocked(p)
	for i := len(p.items) - 1; i >= 0; i-- {
		if !p.follows(i) {
			s.putBackLocked(p.items[i])
		}
	}
}
