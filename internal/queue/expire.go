package queue

import (
	"context"
	"time"
)

// tooOld is the reason of dead letters that MaxAge made.
const tooOld = "older than the queue keeps deliveries"

// expireEvery is how often deliveries past MaxAge are looked for.
func (q *Queue) expireEvery() time.Duration { return min(time.Minute, max(q.o.MaxAge/10, time.Second)) }

// expire makes dead letters of what is older than MaxAge, and removes dead letters that have been dead for so long. Those
// that are being attempted are left to their attempt.
func (q *Queue) expire(ctx context.Context) error {
	until := q.now().Add(-q.o.MaxAge)
	expired, removed := map[*sink]int{}, map[*sink]int{}
	waiting := Filter{States: []State{WaitingTurn, Retrying, Blocked, Stuck}, Until: until}
	_, err := q.change(ctx, waiting, func(s *sink, w *Waiting) bool {
		if q.age(w.Event.At.UnixMilli()) < q.o.MaxAge || !s.expireLocked(w) {
			return false
		}
		expired[s]++
		return true
	})
	if err == nil {
		_, err = q.change(ctx, Filter{States: []State{Dead}, Until: until}, func(s *sink, w *Waiting) bool {
			if w.Due.After(until) || !s.discardLocked(w) {
				return false
			}
			removed[s]++
			return true
		})
	}
	for s, n := range expired {
		s.metrics.expired.Add(float64(n))
		s.metrics.dead.Add(float64(n))
		q.log.Warn("deliveries have become dead letters", "sink", s.name, "deliveries", n, "reason", tooOld)
	}
	for s, n := range removed {
		s.metrics.removed.Add(float64(n))
		q.log.Warn("dead letters were removed", "sink", s.name, "deliveries", n, "reason", tooOld)
	}
	return err
}

// expireLocked makes a dead letter of a delivery that is not being attempted.
func (s *sink) expireLocked(w *Waiting) bool {
	if it := s.working[w.Seq]; it != nil && it.inFlight {
		return false
	}
	it := s.findLocked(w)
	if it == nil || it.inFlight {
		return false
	}
	it.over = true
	s.writeLocked(it, Row{State: Dead, Due: s.q.now(), Attempts: it.attempts, Status: w.Status, Reason: tooOld})
	if s.working[w.Seq] == it {
		delete(s.working, w.Seq)
	}
	return true
}
