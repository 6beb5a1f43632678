package queue

import (
	"sort"
	"time"
)

// A place is how far a sink has come in the log.
//
//	floor        done or with a row: passed
//	floor…next   in track: taken into memory, by the committer or by reading
//	next…        not looked at; where the sink is behind, deliveries may wait there
type place struct {
	floor             uint64 // as of the last batch
	next              uint64
	behind            bool   // deliveries up to missed must be read
	missed            uint64 // the last one that was not taken into memory
	known             uint64 // head of the log at the start: rows up to here may stand beyond next
	scan              bool   // lanes of the start have not been looked at yet
	accepted, settled uint64 // settled also counts those above the floor that have a row
	track             deque[*item]
	above             int       // settled ones in track
	aboveSince        time.Time // since when the first in track holds them up
}

// How far the floor may lag: what lies between is repeated after a crash.
const (
	maxAbove    = 1024
	maxAboveFor = time.Second
)

// feedLocked takes in one delivery that has just been committed.
func (s *sink) feedLocked(it *item) {
	it.seq = it.event.Seq
	if it.seq <= s.log.next {
		return // reading was faster
	}
	if s.log.behind || s.held >= s.q.o.Window || s.bytes >= s.q.o.WindowBytes {
		s.log.behind, s.log.missed = true, it.seq
		return
	}
	s.log.next = it.seq
	if !s.isNewsLocked(it.seq) { // else it was discarded at once
		s.admitLocked(it)
	}
}

// admitLocked takes a fresh delivery into memory.
func (s *sink) admitLocked(it *item) {
	it.tracked = true
	s.log.track.pushBack(it)
	s.hold(it)
	if it.lane == 0 {
		s.ready.pushBack(it)
		return
	}
	s.lineUpLocked(it)
}

// overLocked notes that nothing is to be done about a delivery from the log that never had a row.
func (s *sink) overLocked(it *item) {
	it.over = true
	s.settledLocked(it)
	s.q.markDirty(s, false)
}

// settledLocked notes that the floor may pass a delivery of the log.
func (s *sink) settledLocked(it *item) {
	if !it.tracked {
		return
	}
	if s.log.above++; s.log.above == 1 {
		s.log.aboveSince = time.Now()
	}
	if s.log.track.at(0) == it {
		s.advanceLocked()
	}
}

// advanceLocked moves over what is settled.
func (s *sink) advanceLocked() {
	p := &s.log
	moved := false
	for p.track.len() > 0 && p.track.at(0).settled() {
		it := p.track.popFront()
		it.tracked = false
		p.above--
		moved = true
		if it.row == 0 {
			p.settled++
		}
	}
	if moved && p.above > 0 {
		p.aboveSince = time.Now()
	}
}

// floorLocked is the highest place below which nothing is left without a row.
func (s *sink) floorLocked() uint64 {
	p := &s.log
	if !p.behind {
		p.next = max(p.next, s.q.fed.Load())
	}
	if p.track.len() > 0 {
		return p.track.at(0).seq - 1
	}
	return p.next
}

// lags says whether deliveries that take long keep too many others above the floor. At the end one is too many.
func (s *sink) lags() bool {
	return s.log.above > maxAbove || s.log.above > 0 && (s.stopped || time.Since(s.log.aboveSince) >= maxAboveFor)
}

// passLocked gives rows to deliveries that hold up the floor, though they stay in memory.
func (s *sink) passLocked() {
	p := &s.log
	var late []*item
	for i, above := 0, p.above; i < p.track.len() && above > 0; i++ {
		if it := p.track.at(i); it.settled() {
			above--
		} else {
			late = append(late, it)
		}
	}
	now := s.q.now()
	for _, it := range late {
		state := Retrying
		if l := s.lanes[it.lane]; it.lane != 0 && l != nil && l.head != it {
			state = Blocked
		}
		s.working[it.seq] = it
		s.writeLocked(it, Row{State: state, Due: now, Attempts: it.attempts})
	}
}

// trackedLocked returns the delivery of the log that is in memory, nil when none is.
func (s *sink) trackedLocked(seq uint64) *item {
	t := &s.log.track
	i := sort.Search(t.len(), func(i int) bool { return t.at(i).seq >= seq })
	if i < t.len() && t.at(i).seq == seq {
		return t.at(i)
	}
	return nil
}
