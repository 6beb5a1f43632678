package queue

import (
	"context"
	"time"
)

// rows is what is known of a sink's rows, and what of it the store does not know yet.
type rows struct {
	changes     map[uint64]change // Seq → what the next batch writes
	taken       map[uint64]change // Seq → what is in the batch under way
	gen         uint64            // of the last batch that it had a part in
	storedGen   uint64            // of the last one of these that was stored
	counts      [states]int       // by State
	ages        map[int64]int     // second of acceptance → rows that wait
	unknownAges int               // rows that wait since before the start
	storedDue   time.Time         // earliest Due of rows in the store that are not in memory, zero for none
	laterDue    time.Time         // of rows to be looked at again once laterGen is stored, zero for none
	laterGen    uint64
	changesDue  time.Time // of changes
	takenDue    time.Time // of taken
}

const states = Skipped + 1

// maxUnstored is how many rows may wait to be written for attempts to begin: the disk takes nothing.
const maxUnstored = 8 << 10

// A change is what becomes of one row.
type change struct {
	row  Row
	gone bool
}

// waits says whether something is still to come of a row.
func (s State) waits() bool { return s == Retrying || s == Blocked || s == Stuck }

// writeLocked gives a delivery a row, or changes it. Sink, Seq and Lane are filled in.
func (s *sink) writeLocked(it *item, r Row) {
	r.Ref, r.Lane = Ref{s.name, it.seq}, it.lane
	old := it.row
	it.row = r.State
	s.rows.changes[it.seq] = change{row: r}
	if r.State == Retrying && s.working[it.seq] == nil {
		s.rows.changesDue = earlier(s.rows.changesDue, r.Due)
	}
	s.countLocked(it, old, r.State)
	s.q.markDirty(s, false)
}

// finishLocked ends a delivery that has a row, or whose end must not be forgotten: the row goes, and above the floor it
// becomes a tombstone.
func (s *sink) finishLocked(it *item) {
	old := it.row
	if old == 0 {
		it.row = Skipped
	}
	it.over = true
	s.rows.changes[it.seq] = change{row: Row{Ref: Ref{s.name, it.seq}, State: Skipped, Due: s.q.now()}, gone: true}
	if s.working[it.seq] == it {
		delete(s.working, it.seq)
	}
	s.countLocked(it, old, 0)
	s.q.markDirty(s, false)
}

// countLocked keeps count of rows that change from old to state; old is 0 for a new one, state for one that goes.
func (s *sink) countLocked(it *item, old, state State) {
	if s.touched != nil {
		s.touched[it.seq] = true
	}
	if s.stale != nil {
		s.stale[it.seq] = true
	}
	r := &s.rows
	r.counts[old]--
	r.counts[state]++
	if old == 0 {
		s.log.settled++
		s.settledLocked(it)
	}
	if old.waits() == state.waits() {
		return
	}
	second := it.at / 1000
	if state.waits() {
		if r.ages == nil {
			r.ages = make(map[int64]int)
		}
		r.ages[second]++
	} else if n := r.ages[second]; n > 1 {
		r.ages[second] = n - 1
	} else if n == 1 {
		delete(r.ages, second)
	} else {
		r.unknownAges = max(0, r.unknownAges-1)
	}
}

// isNewsLocked says whether what was just read of a delivery may be out of date: the store does not know all of its
// row, or did not when reading began.
func (s *sink) isNewsLocked(seq uint64) bool {
	if _, ok := s.rows.changes[seq]; ok || s.stale[seq] {
		return true
	}
	_, ok := s.rows.taken[seq]
	return ok
}

// take puts into a batch what the store does not know of this sink.
func (s *sink) take(b *Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exact || s.lags() {
		s.exact = false
		s.passLocked()
	}
	floor := s.floorLocked()
	s.log.floor = floor
	r := &s.rows
	for seq, c := range r.changes {
		switch {
		case c.gone && seq <= floor:
			b.Gone = append(b.Gone, c.row.Ref)
		default:
			b.Rows = append(b.Rows, c.row)
		}
	}
	b.Sinks = append(b.Sinks, Cursor{Sink: s.name, Floor: floor, Accepted: s.log.accepted + uint64(len(s.arriving)),
		Settled: s.log.settled, Paused: s.paused, PausedAt: s.pausedAt})
	if len(r.changes) > 0 {
		r.taken, r.changes = r.changes, make(map[uint64]change)
		r.takenDue, r.changesDue = r.changesDue, time.Time{}
	}
	r.gen++
}

// stored notes that the batch is in the store, and takes in what arrived with it.
func (s *sink) stored() {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &s.rows
	if len(r.taken) > 0 {
		if s.stale != nil {
			for seq := range r.taken {
				s.stale[seq] = true
			}
		}
		r.taken = nil
		s.dueFromLocked(r.takenDue)
		r.takenDue = time.Time{}
	}
	if r.storedGen = r.gen; !r.laterDue.IsZero() && r.storedGen >= r.laterGen {
		s.dueFromLocked(r.laterDue)
		r.laterDue = time.Time{}
	}
	s.tellWrittenLocked(nil)
	s.log.accepted += uint64(len(s.arriving))
	s.metrics.accepted.Add(float64(len(s.arriving)))
	for _, it := range s.arriving {
		s.feedLocked(it)
	}
	clear(s.arriving)
	s.arriving = s.arriving[:0]
	s.pumpLocked()
}

// notStored keeps for the next batch what the store did not take.
func (s *sink) notStored(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.arriving)
	s.arriving = s.arriving[:0]
	r := &s.rows
	for seq, c := range r.taken {
		if _, ok := r.changes[seq]; !ok {
			r.changes[seq] = c
		}
	}
	r.taken = nil
	r.changesDue, r.takenDue = earlier(r.changesDue, r.takenDue), time.Time{}
	s.tellWrittenLocked(err)
	s.q.markDirty(s, false)
}

// tellWrittenLocked wakes those who wait in flush.
func (s *sink) tellWrittenLocked(err error) {
	s.notTaken = err
	if s.written != nil {
		close(s.written)
		s.written = nil
	}
}

// flush waits until the store has what is known of a sink now, its cursor included.
func (q *Queue) flush(ctx context.Context, s *sink) error {
	s.mu.Lock()
	want := s.askLocked()
	s.mu.Unlock()
	return s.await(ctx, want)
}

// askLocked has what is known of a sink written at once, and returns in which batch at the latest.
func (s *sink) askLocked() (want uint64) {
	s.q.markDirty(s, true)
	return s.rows.gen + 1
}

// await waits for that batch.
func (s *sink) await(ctx context.Context, want uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.rows.storedGen < want {
		if s.written == nil {
			s.written = make(chan struct{})
		}
		written := s.written
		s.mu.Unlock()
		select {
		case <-written:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if s.notTaken != nil {
			return s.notTaken
		}
	}
	return nil
}

// earlier returns the earlier time; a zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
