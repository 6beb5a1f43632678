package queue

import "time"

const (
	// dueRows is how many due rows are read at once, unless two batches take more.
	dueRows = 64
	// fetchPause is how long a sink does not read after an error.
	fetchPause = time.Second
)

// fetchLocked starts to read what the sink lacks in memory. At most one goroutine does for a sink.
func (s *sink) fetchLocked() {
	if s.fetching || s.stopped || s.fetchJobLocked() == nil {
		return
	}
	s.fetching = true
	s.q.work.Go(s.fetch)
}

func (s *sink) fetch() {
	for {
		s.mu.Lock()
		job := s.fetchJobLocked()
		if job == nil || s.stopped {
			s.fetching = false
			s.setAlarmLocked() // it left out what reading would have found
			s.mu.Unlock()
			return
		}
		s.stale = make(map[uint64]bool)
		s.mu.Unlock()
		err := job()
		s.mu.Lock()
		s.stale = nil
		if err != nil && !s.stopped {
			s.fetchAt = time.Now().Add(fetchPause)
			s.dueFromLocked(s.rows.storedDue)
			s.q.log.Error("reading deliveries failed", "sink", s.name, "err", err)
		}
		s.pumpLocked()
		s.mu.Unlock()
	}
}

// fetchJobLocked chooses what to read next, nil when there is nothing, or nobody to deliver it.
func (s *sink) fetchJobLocked() func() error {
	switch {
	case !s.runs() || time.Now().Before(s.fetchAt):
		return nil
	case s.loads.len() > 0 && s.due.len() < max(s.dueRowsLocked(), s.q.o.Window/2) && s.rows.storedGen >= s.loads.at(0).gen:
		return s.readLane
	case s.due.len() < s.dueRowsLocked()/2 && s.isDueLocked():
		return s.readDue
	case s.log.behind && s.held <= s.q.o.Window/2 && s.bytes <= s.q.o.WindowBytes/2:
		return s.readLog
	case s.log.scan && s.log.next >= s.log.known:
		return s.scanLanes
	}
	return nil
}

func (s *sink) dueRowsLocked() int { return max(dueRows, 2*s.batchLocked()) }

func (s *sink) isDueLocked() bool {
	return !s.rows.storedDue.IsZero() && !s.rows.storedDue.After(s.q.now())
}

// readLog reads on in the log.
func (s *sink) readLog() error {
	s.mu.Lock()
	after := s.log.next
	n, bytes := s.q.o.Window-s.held, s.q.o.WindowBytes-s.bytes
	s.mu.Unlock()
	events, upTo, err := s.q.store.Read(s.q.reading, s.name, after, n, bytes)
	if err != nil {
		return err
	}
	items := make([]*item, 0, len(events))
	for _, e := range events {
		if t := e.target(s.name); t != nil {
			items = append(items, &item{event: e, seq: e.Seq, at: e.At.UnixMilli(), lane: LaneOf(t.Key)})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, it := range items {
		if !s.isNewsLocked(it.seq) { // else it was discarded meanwhile
			s.admitLocked(it)
		}
	}
	s.log.next = upTo
	s.log.behind = upTo < s.log.missed
	if after < s.log.known && s.rows.counts[Retrying] > 0 {
		s.dueFromLocked(s.q.now()) // rows may have stood beyond the place
	}
	s.q.markDirty(s, false)
	return nil
}

// readDue reads rows whose time has come. Rows that are at work stand among them, and are passed over.
func (s *sink) readDue() error {
	s.mu.Lock()
	now, n, upTo := s.q.now(), len(s.working)+s.dueRowsLocked(), s.log.next
	before := s.rows.storedDue
	s.rows.storedDue = time.Time{} // commits from now on set it anew
	s.mu.Unlock()
	ws, next, err := s.q.store.Due(s.q.reading, s.name, now, upTo, n)
	s.mu.Lock()
	if err != nil {
		s.rows.storedDue = earlier(s.rows.storedDue, before)
		s.mu.Unlock()
		return err
	}
	took := s.due.len()
	for i := range ws {
		s.dueLocked(&ws[i])
	}
	took = s.due.len() - took
	if len(ws) < n && !next.After(now) {
		next = time.Time{} // beyond upTo
	}
	most := now.Add(s.maxBackoffLocked())
	if took == 0 && !next.IsZero() && !next.After(now) {
		s.dueLaterLocked(next)
	} else {
		s.dueFromLocked(next)
	}
	s.mu.Unlock()
	if next.After(most) {
		return s.clampDue(most)
	}
	return nil
}

// dueFromLocked has due rows read from a time on, but not before reading may be tried again after an error.
func (s *sink) dueFromLocked(at time.Time) {
	due := earlier(s.rows.storedDue, at)
	if !due.IsZero() && due.Before(s.fetchAt) {
		due = s.fetchAt
	}
	s.rows.storedDue = due
}

// dueLaterLocked has due rows read again once the store knows more: those that come first are over already, or wait for
// their lane to be read. To read them again before would find the same.
func (s *sink) dueLaterLocked(next time.Time) {
	gen := s.rows.gen
	if len(s.rows.changes) > 0 {
		gen++
		s.q.markDirty(s, true)
	}
	if gen <= s.rows.storedGen { // it knows since reading began
		s.dueFromLocked(next)
		return
	}
	s.rows.laterDue, s.rows.laterGen = next, gen
}

// dueLocked takes in one row whose time has come.
func (s *sink) dueLocked(w *Waiting) {
	if s.isNewsLocked(w.Seq) || s.working[w.Seq] != nil {
		return
	}
	if w.Lane == 0 {
		s.due.pushBack(s.recallLocked(w))
		return
	}
	l := s.lanes[w.Lane]
	switch {
	case l == nil:
		l = &lane{}
		s.lanes[w.Lane] = l
		l.head = s.recallLocked(w)
		s.due.pushBack(l.head)
	case l.head != nil: // it gets its turn
	case l.headSeq == w.Seq:
		l.beyond = max(0, l.beyond-1)
		l.headSeq = 0
		l.head = s.recallLocked(w)
		s.due.pushBack(l.head)
	default:
		s.loadLaneLocked(w.Lane, l)
	}
}

// clampDue brings retries forward that are due later than any could be: the clock was set back between two runs, or
// MaxBackoff has become less.
func (s *sink) clampDue(most time.Time) error {
	for {
		s.mu.Lock()
		n, upTo := len(s.working)+s.dueRowsLocked(), s.log.next
		s.mu.Unlock()
		ws, next, err := s.q.store.Due(s.q.reading, s.name, most.AddDate(1000, 0, 0), upTo, n)
		if err != nil {
			return err
		}
		s.mu.Lock()
		clamped := 0
		for i := range ws {
			w := &ws[i]
			if s.isNewsLocked(w.Seq) || s.working[w.Seq] != nil || !w.Due.After(most) {
				continue
			}
			clamped++
			r := w.Row
			r.Due = most
			s.writeLocked(itemOf(w), r)
		}
		s.mu.Unlock()
		if clamped == 0 || next.IsZero() {
			return nil
		}
		if err := s.q.flush(s.q.reading, s); err != nil {
			return err
		}
	}
}

// readLane reads the rows of the lane that has waited longest for it.
func (s *sink) readLane() error {
	s.mu.Lock()
	load := s.loads.popFront()
	upTo := s.log.next
	n := max(laneRows, s.batchLocked())
	if s.held >= s.q.o.Window/2 {
		n = 2
	}
	l := s.lanes[load.lane]
	if l != nil {
		l.loading = false
	}
	needed := l != nil && l.head == nil
	s.mu.Unlock()
	if !needed {
		return nil
	}
	ws, err := s.q.store.Lane(s.q.reading, s.name, load.lane, upTo, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if s.lanes[load.lane] == l {
			s.loadLaneLocked(load.lane, l)
		}
		return err
	}
	s.laneReadLocked(load.lane, ws)
	return nil
}

// scanLanes has the lanes of the start looked at whose head is not known, since no timer and no arrival may wake them.
func (s *sink) scanLanes() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.scan = false
	for id, l := range s.lanes {
		if l.head == nil && l.headSeq == 0 {
			s.loadLaneLocked(id, l)
		}
	}
	return nil
}
