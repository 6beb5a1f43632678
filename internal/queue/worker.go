package queue

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// pumpLocked begins the attempts that may begin now, reads what is lacking, and sets the alarm for what must wait. It is called
// after everything that may have changed that.
func (s *sink) pumpLocked() {
	s.rateAt = time.Time{} // set anew where it is still the rate that something waits for
	s.gatherAt = time.Time{}
	if s.how.batches() {
		s.pumpParcelsLocked()
	} else {
		for s.how != nil && s.requests < s.how.Concurrency {
			it := s.pickLocked()
			if it == nil {
				break
			}
			s.workLocked(it)
		}
	}
	s.fetchLocked()
	s.setAlarmLocked()
}

// pickLocked takes the delivery whose turn it is, nil when none may be attempted now. It counts as in flight.
func (s *sink) pickLocked() *item {
	if !s.runs() || len(s.rows.changes) >= maxUnstored {
		return nil
	}
	from := s.turnLocked()
	if from == nil {
		return nil
	}
	if !s.breaker.admits() || !s.tokenLocked() {
		return nil
	}
	it := from.popFront()
	s.dueTurn = from == &s.ready
	s.release(it)
	s.inFlight++
	s.requests++
	it.inFlight, it.probe = true, s.breaker.begin()
	return it
}

// turnLocked chooses between fresh deliveries and those read back, which take turns. It drops what was given up.
func (s *sink) turnLocked() *deque[*item] {
	for _, d := range []*deque[*item]{&s.ready, &s.due} {
		for d.len() > 0 && d.at(0).over {
			it := d.popFront()
			s.release(it)
			s.nextInLaneLocked(it)
			s.forget(it)
		}
	}
	switch {
	case s.due.len() > 0 && (s.dueTurn || s.ready.len() == 0):
		return &s.due
	case s.ready.len() > 0:
		return &s.ready
	}
	return nil
}

// tokenLocked takes a token of the rate, or notes when there is one.
func (s *sink) tokenLocked() bool {
	if s.limiter == nil {
		return true
	}
	now := time.Now()
	r := s.limiter.ReserveN(now, 1)
	d := r.DelayFrom(now)
	if d <= 0 {
		return true
	}
	r.CancelAt(now)
	s.rateAt = now.Add(d)
	return false
}

// A worker waits for a delivery here; nil ends it.
type worker chan *item

// workLocked has a delivery attempted: by the worker that became idle last, whose stack is grown and warm, else by a new one.
func (s *sink) workLocked(it *item) {
	if n := len(s.idle); n > 0 {
		w := s.idle[n-1]
		s.idle = s.idle[:n-1]
		w <- it
		return
	}
	s.q.work.Go(func() { s.attempts(it) })
}

// restLocked has idle workers end, all but some: a sink that is not busy must not keep what it needed once.
func (s *sink) restLocked(but int) {
	for _, w := range s.idle[but:] {
		w <- nil
	}
	clear(s.idle[but:])
	s.idle = s.idle[:but]
}

// attempts is a worker: it brings a delivery to the sink, then others while there are any, and waits for more.
func (s *sink) attempts(it *item) {
	w := make(worker, 1) // room for one: who hands over a delivery holds the sink's lock
	for it != nil {
		if it = s.attempt(it, w); it == nil {
			it = <-w
		}
	}
}

// attempt makes one attempt and returns the next delivery. Where there is none, w is idle.
func (s *sink) attempt(it *item, w worker) (next *item) {
	s.mu.Lock()
	how := s.how
	d := Delivery{Event: it.event, Sink: s.name, Attempt: it.attempts + 1, Lane: it.lane}
	if how == nil { // parked just now
		s.requests--
		s.putBackLocked(it)
		s.idleLocked(w)
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	began := time.Now()
	o := s.deliver(how.Deliverer, d)
	a := Attempt{Delivery: d, At: began, Outcome: o}
	s.mu.Lock()
	s.requests--
	told := s.settleLocked(it, &a)
	if s.how != nil && !s.how.batches() && s.requests < s.how.Concurrency {
		next = s.pickLocked()
	}
	s.pumpLocked()
	if next == nil && !told {
		s.idleLocked(w)
	}
	s.mu.Unlock()
	if !told {
		return next
	}
	if s.q.o.OnAttempt != nil {
		s.q.o.OnAttempt(a)
	}
	if next == nil { // only now: until w is idle nobody waits for it
		s.mu.Lock()
		s.idleLocked(w)
		s.mu.Unlock()
	}
	return next
}

// idleLocked lets a worker wait, or ends it.
func (s *sink) idleLocked(w worker) {
	if s.stopped {
		w <- nil
		return
	}
	s.idle = append(s.idle, w)
}

// deliver makes one attempt. A panic is a failed one.
func (s *sink) deliver(d Deliverer, delivery Delivery) (o Outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = Outcome{Verdict: Again, Reason: "delivering panicked"}
			s.q.log.Error("delivering panicked", "sink", s.name, "id", DeliveryID(delivery.ID, s.name), "panic", fmt.Sprint(p),
				"stack", string(debug.Stack()))
		}
	}()
	return d.Deliver(s.q.delivering, delivery)
}

// putBackLocked undoes the pick of a delivery whose attempt did not count.
func (s *sink) putBackLocked(it *item) {
	s.inFlight--
	it.inFlight = false
	if it.probe {
		it.probe = false
		s.breaker.giveBack()
	}
	if it.over {
		s.nextInLaneLocked(it)
		s.forget(it)
		return
	}
	s.hold(it)
	if it.row != 0 {
		s.due.pushFront(it)
	} else {
		s.ready.pushFront(it)
	}
}

// cutShort says whether an attempt failed only because the queue stops.
func (q *Queue) cutShort(o Outcome) bool {
	return o.Verdict == Again && context.Cause(q.delivering) != nil
}

// An alarm makes a sink look again at a time. Its zero value is not set.
type alarm struct {
	at    time.Time
	timer *time.Timer
}

// setAlarmLocked sets the alarm for the first moment at which something may begin that cannot begin now.
func (s *sink) setAlarmLocked() {
	at := s.wakeAtLocked()
	if at.IsZero() || s.stopped || at.Equal(s.alarm.at) {
		return // an alarm too many does no harm
	}
	s.alarm.at = at
	wait := max(0, time.Until(at))
	if s.alarm.timer == nil {
		s.alarm.timer = time.AfterFunc(wait, s.ring)
	} else {
		s.alarm.timer.Reset(wait)
	}
}

func (s *sink) wakeAtLocked() (at time.Time) {
	if !s.runs() {
		return time.Time{}
	}
	if s.ready.len()+s.due.len() > 0 {
		at = earlier(s.gatherAt, earlier(s.rateAt, s.breaker.opensAt()))
	}
	if time.Now().Before(s.fetchAt) {
		return earlier(at, s.fetchAt) // nothing is read before
	}
	if due := s.rows.storedDue; !due.IsZero() && s.due.len() < s.dueRowsLocked()/2 && !s.fetching {
		// By the clock that does not jump, and never later than a retry can be due.
		at = earlier(at, earlier(s.q.started.Add(due.Sub(s.q.started)), time.Now().Add(s.maxBackoffLocked())))
	}
	return at
}

// ring is what the alarm does.
func (s *sink) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alarm.at = time.Time{}
	if !s.stopped {
		s.pumpLocked()
	}
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}
