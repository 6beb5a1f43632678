package queue

// A lane is a key of a sink whose deliveries take turns: one is its head, the others wait in memory or, beyond
// those, as rows. A key with a single fresh delivery has one too; it goes when nothing is left.
type lane struct {
	head      *item   // in memory: ready or being attempted; nil while the head is a row
	followers []*item // in memory, in order; only where there is a head
	beyond    int     // rows that are not in memory
	headSeq   uint64  // of the row that is the head, 0 when that is not known
	stuck     bool    // whether that row is Stuck
	loading   bool    // queued to be read
}

// A laneLoad asks for a lane to be read once the store has what is known now.
type laneLoad struct {
	lane uint64
	gen  uint64
}

const (
	// laneMemory bounds the followers in memory, so that one key cannot fill the window; where a batch takes more, that does.
	laneMemory = 16
	// laneRows is how many rows of a lane are read at once, unless a batch takes more.
	laneRows = 32
)

// lineUpLocked gives a fresh delivery with a key its place. It is held already.
func (s *sink) lineUpLocked(it *item) {
	l := s.lanes[it.lane]
	switch {
	case l == nil:
		s.lanes[it.lane] = &lane{head: it}
		s.ready.pushBack(it)
	case l.beyond > 0 || len(l.followers) >= max(laneMemory, s.batchLocked()):
		s.blockLocked(l, it)
		if l.head == nil && (l.headSeq == 0 || l.stuck && s.tooMany(l)) {
			s.loadLaneLocked(it.lane, l)
		}
	default:
		l.followers = append(l.followers, it)
	}
}

// tooMany says whether more wait behind a head than a key that blocks may hold. That counts against a stuck head only: one
// that is still retried gets the time that the sink's settings give it.
func (s *sink) tooMany(l *lane) bool {
	return s.how != nil && s.how.OnStuck == Block && l.beyond+len(l.followers) > s.how.StuckLimit
}

// blockLocked moves a delivery from memory to a row behind its key.
func (s *sink) blockLocked(l *lane, it *item) {
	s.release(it)
	if s.forget(it); it.row == 0 {
		s.writeLocked(it, Row{State: Blocked, Due: s.q.now(), Attempts: it.attempts})
	}
	l.beyond++
}

// blockLaneLocked makes rows of all that follow a head that has become one itself.
func (s *sink) blockLaneLocked(it *item) {
	l := s.lanes[it.lane]
	if it.lane == 0 || l == nil {
		return
	}
	for _, f := range l.followers {
		if f.over {
			s.release(f)
			s.forget(f)
		} else {
			s.blockLocked(l, f)
		}
	}
	l.head, l.followers = nil, nil
	l.headSeq, l.stuck = it.seq, it.row == Stuck
	l.beyond++
}

// nextInLaneLocked lets the next one of a key have its turn: the head is over.
func (s *sink) nextInLaneLocked(it *item) {
	l := s.lanes[it.lane]
	if it.lane == 0 || l == nil || l.head != it {
		return
	}
	l.head, l.headSeq, l.stuck = nil, 0, false
	for len(l.followers) > 0 && l.head == nil {
		f := l.followers[0]
		l.followers = l.followers[1:]
		if f.over {
			s.release(f)
			s.forget(f)
			continue
		}
		l.head = f
		s.ready.pushFront(f) // it is older than most that wait
	}
	switch {
	case l.head != nil:
	case l.beyond > 0:
		s.loadLaneLocked(it.lane, l)
	default:
		delete(s.lanes, it.lane)
	}
}

// loadLaneLocked queues a lane to be read. What is known now will be in the store by then.
func (s *sink) loadLaneLocked(id uint64, l *lane) {
	if l.loading {
		return
	}
	l.loading = true
	gen := s.rows.gen
	if len(s.rows.changes) > 0 {
		gen++
		s.q.markDirty(s, true)
	}
	s.loads.pushBack(laneLoad{id, gen})
}

// laneReadLocked takes in the rows of a lane, in order.
func (s *sink) laneReadLocked(id uint64, ws []Waiting) {
	l := s.lanes[id]
	if l == nil || l.head != nil {
		return
	}
	l.headSeq, l.stuck = 0, false
	now := s.q.now()
	for i := range ws {
		w := &ws[i]
		if s.isNewsLocked(w.Seq) {
			s.loadLaneLocked(id, l) // once more, when the store knows
			return
		}
		if l.head != nil {
			if w.State != Blocked {
				return
			}
			l.beyond = max(0, l.beyond-1)
			f := s.recallLocked(w)
			l.followers = append(l.followers, f)
			continue
		}
		waits := w.State == Stuck || w.State == Retrying && w.Due.After(now)
		if waits && (s.how == nil || !s.killsLocked(l, w)) {
			l.headSeq, l.stuck = w.Seq, w.State == Stuck
			return
		}
		l.beyond = max(0, l.beyond-1)
		if waits {
			s.killLocked(w)
			continue
		}
		l.head = s.recallLocked(w)
		s.due.pushBack(l.head)
	}
	if l.head == nil && l.beyond == 0 {
		delete(s.lanes, id)
	}
}

// killsLocked says whether a head that waits must make way.
func (s *sink) killsLocked(l *lane, w *Waiting) bool {
	return w.State == Stuck && (s.how.OnStuck == DeadLetter || s.tooMany(&lane{beyond: l.beyond - 1}))
}

// killLocked makes a dead letter of a row that is the head of its lane.
func (s *sink) killLocked(w *Waiting) {
	it := itemOf(w)
	r := w.Row
	r.State, r.Due = Dead, s.q.now()
	s.writeLocked(it, r)
	s.diedLocked(w.Event.ID, r, "too many wait behind it")
}

// recallLocked takes a row back into memory.
func (s *sink) recallLocked(w *Waiting) *item {
	it := itemOf(w)
	it.event = w.Event
	s.working[it.seq] = it
	s.hold(it)
	return it
}

// itemOf returns the delivery of a row, not in memory.
func itemOf(w *Waiting) *item {
	return &item{seq: w.Seq, at: w.Event.At.UnixMilli(), lane: w.Lane, attempts: w.Attempts, row: w.State}
}
