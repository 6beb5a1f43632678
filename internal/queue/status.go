package queue

import (
	"cmp"
	"slices"
	"time"
)

// A SinkStatus is how one sink stands.
type SinkStatus struct {
	Name     string
	State    SinkState
	Why      string // of paused and open: a reason for people
	Since    time.Time
	InFlight int // attempts
	Waiting  int // for their turn
	Retrying int
	Blocked  int
	Stuck    int
	Dead     int
	// Oldest is when the oldest delivery that is not dead was accepted, to the second, zero when there is none. While deliveries
	// from before the last start still wait, it may be earlier, but not before what is oldest in the log.
	Oldest time.Time
}

// A SinkState says whether a sink gets deliveries.
type SinkState string

// The states of a sink.
const (
	Running SinkState = "running"
	Paused  SinkState = "paused" // by a person, or because it answered 410
	Open    SinkState = "open"   // its breaker is: it failed too often
	Parked  SinkState = "parked" // no rules file defines it any more, but it has deliveries
)

// Sinks tells how each sink stands, by name.
func (q *Queue) Sinks() []SinkStatus {
	var all []SinkStatus
	for _, s := range q.everySink() {
		if st, ok := s.status(); ok {
			all = append(all, st)
		}
	}
	slices.SortFunc(all, func(a, b SinkStatus) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// status reports false for a sink that nobody needs to hear of: no rules file and no delivery names it.
func (s *sink) status() (SinkStatus, bool) {
	log := s.q.store.Usage().Oldest
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.countsLocked(log)
	st.Name, st.State = s.name, Running
	switch {
	case s.how == nil:
		st.State = Parked
	case s.paused != "":
		st.State, st.Why, st.Since = Paused, s.paused, s.pausedAt
	case s.breaker.isOpen():
		st.State, st.Why, st.Since = Open, s.breaker.why, s.breaker.since
	}
	return st, s.how != nil || st.total() > 0
}

func (st *SinkStatus) total() int {
	return st.InFlight + st.Waiting + st.Retrying + st.Blocked + st.Stuck + st.Dead
}

// countsLocked counts deliveries, those being attempted only as such. log is when the oldest of the log was accepted.
func (s *sink) countsLocked(log time.Time) SinkStatus {
	counts := s.rows.counts
	for _, it := range s.working {
		if it.inFlight && !it.over {
			counts[it.row]--
		}
	}
	waiting := int(s.log.accepted - s.log.settled)
	oldest := int64(0)
	for i := range s.log.track.len() {
		it := s.log.track.at(i)
		if !it.settled() && oldest == 0 {
			oldest = it.at
		}
		if it.row == 0 && (it.over || it.inFlight) {
			waiting--
		}
	}
	return SinkStatus{InFlight: s.inFlight, Waiting: max(0, waiting), Retrying: counts[Retrying], Blocked: counts[Blocked],
		Stuck: counts[Stuck], Dead: counts[Dead], Oldest: s.oldestLocked(oldest, waiting, log)}
}

// oldestLocked combines the oldest in memory with what is known of rows, to the second.
func (s *sink) oldestLocked(oldest int64, waiting int, log time.Time) time.Time {
	for second := range s.rows.ages {
		if at := second * 1000; oldest == 0 || at < oldest {
			oldest = at
		}
	}
	if s.rows.unknownAges > 0 || oldest == 0 && waiting > 0 { // from before the start: no older than the log
		if !log.IsZero() && (oldest == 0 || log.UnixMilli() < oldest) {
			return log
		}
	}
	if oldest == 0 {
		return time.Time{}
	}
	return time.UnixMilli(oldest)
}

// Usage is what the store holds.
func (q *Queue) Usage() Usage { return q.store.Usage() }
