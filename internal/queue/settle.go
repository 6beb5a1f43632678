package queue

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"
)

// settleLocked decides what becomes of a delivery after an attempt. It reports false when the attempt does not count.
func (s *sink) settleLocked(it *item, a *Attempt) bool {
	o := &a.Outcome
	if s.q.cutShort(*o) {
		s.putBackLocked(it)
		return false
	}
	s.recordLocked(o, it.probe)
	it.probe = false
	s.settleOneLocked(it, a)
	return true
}

// settleOneLocked is settleLocked without what is told of the sink.
func (s *sink) settleOneLocked(it *item, a *Attempt) {
	o := &a.Outcome
	s.inFlight--
	it.inFlight = false
	it.attempts++
	s.metrics.attempt(o.Verdict)
	event := it.event
	switch {
	case it.over: // it was given up meanwhile
	case o.Verdict == Done:
		s.metrics.delivered.Inc()
		if it.row != 0 {
			s.finishLocked(it)
		} else {
			s.overLocked(it)
		}
	default:
		s.failedLocked(it, a)
	}
	if it.over || a.State == Dead {
		s.nextInLaneLocked(it)
	}
	s.forget(it)
	s.q.log.Debug("attempt", "sink", s.name, "callback", event.ID, "attempt", it.attempts, "status", o.Status, "reason", o.Reason)
}

// recordLocked tells the breaker how a request ended.
func (s *sink) recordLocked(o *Outcome, probe bool) {
	if s.breaker == nil {
		return
	}
	if o.Verdict == Refused && o.Status == 0 { // nothing was sent, which says nothing about the sink
		if probe {
			s.breaker.giveBack()
		}
		return
	}
	opened, closed := s.breaker.record(o.Verdict == Again, probe, o.Reason)
	switch {
	case opened:
		s.q.log.Warn("the sink fails: its breaker is open", "sink", s.name, "reason", o.Reason)
	case closed:
		s.q.log.Info("the sink answers again: its breaker is closed", "sink", s.name)
	}
}

// failedLocked gives a delivery that was not taken the row that says what it waits for.
func (s *sink) failedLocked(it *item, a *Attempt) {
	o := &a.Outcome
	now := s.q.now()
	r := Row{State: Retrying, Due: now, Attempts: it.attempts, Status: o.Status, Reason: o.Reason}
	switch o.Verdict {
	case Gone:
		s.pauseLocked("it answered 410 Gone")
		s.q.log.Error("the sink wants nothing more: it is paused", "sink", s.name)
	case Refused:
		r.State = s.stuckLocked(it)
	default:
		if s.isTooOld(it) {
			r.State = s.stuckLocked(it)
		} else {
			r.Due = now.Add(s.backoffLocked(it.attempts-int(it.splits), o.RetryAfter))
			a.Due = r.Due
		}
	}
	a.State = r.State
	if s.working[it.seq] == it {
		delete(s.working, it.seq) // its row counts from now on
	}
	s.writeLocked(it, r)
	if r.State == Dead {
		s.diedLocked(it.event.ID, r, cmp.Or(o.Reason, "it failed"))
	} else {
		s.blockLaneLocked(it)
	}
}

// diedLocked says that there is one more dead letter.
func (s *sink) diedLocked(id string, r Row, why string) {
	s.metrics.dead.Inc()
	s.q.log.Warn("a delivery has become a dead letter", "sink", s.name, "id", DeliveryID(id, s.name), "attempts", r.Attempts,
		"status", r.Status, "reason", why)
}

// stuckLocked is what becomes of a delivery that cannot be delivered.
func (s *sink) stuckLocked(it *item) State {
	if it.lane == 0 || s.how != nil && s.how.OnStuck == DeadLetter || s.crowdedLocked(it) {
		return Dead
	}
	return Stuck
}

// crowdedLocked says whether more wait behind a delivery than may.
func (s *sink) crowdedLocked(it *item) bool {
	l := s.lanes[it.lane]
	return it.lane != 0 && l != nil && s.tooMany(l)
}

// isTooOld says whether a delivery is past being retried.
func (s *sink) isTooOld(it *item) bool {
	age := s.q.age(it.at)
	return s.how != nil && age >= s.how.For || s.q.o.MaxAge > 0 && age >= s.q.o.MaxAge
}

// backoffLocked draws the wait after so many attempts, at least what the sink asked for.
func (s *sink) backoffLocked(attempts int, retryAfter time.Duration) time.Duration {
	if s.how == nil {
		return 0
	}
	most := s.how.MaxBackoff
	if n := attempts - 1; n < 32 && s.how.Backoff<<n>>n == s.how.Backoff {
		most = min(most, s.how.Backoff<<n)
	}
	wait := rand.N(most + 1)
	return min(max(wait, retryAfter), s.how.MaxBackoff)
}

func (s *sink) maxBackoffLocked() time.Duration {
	if s.how == nil {
		return defaultMaxBackoff
	}
	return s.how.MaxBackoff
}

// String returns the word for a state that people see.
func (s State) String() string {
	switch s {
	case WaitingTurn:
		return "waiting"
	case Retrying:
		return "retrying"
	case Blocked:
		return "blocked"
	case Stuck:
		return "stuck"
	case Dead:
		return "dead"
	case Skipped:
		return "skipped"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}
