package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"callboard/internal/queue"
)

// Trim looks only where something has changed: store.stale has the places that a floor has passed, or a row has left, since
// they were last looked at (after Open: all). So events that a dead sink keeps are looked at once and not again, however many,
// while those that are done above its floor go. Where no sink's floor is in the way, events go without a look at them;
// elsewhere their targets are read.
const (
	trimAtOnce = 256 // places in one transaction: a commit waits no longer than one of them takes

	deleteSpan = `DELETE FROM events WHERE seq BETWEEN ? AND ?
		AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.seq = events.seq AND p.state <> 6)`
	dropSkipped = `DELETE FROM pending WHERE seq BETWEEN ? AND ? AND state = 6
		AND seq <= (SELECT floor FROM sinks WHERE id = pending.sink)`
	trimRows    = `SELECT seq, state FROM pending WHERE seq BETWEEN ? AND ?`
	trimTargets = `SELECT seq, targets FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq`
)

type trimStmts struct{ rows, targets *sql.Stmt }

// Trim removes what is done, and gives back space once much is free. A crash takes back at most what it did.
func (s *store) Trim(ctx context.Context, n int) (more bool, err error) {
	s.trimming.Lock()
	defer s.trimming.Unlock()
	more, err = s.trim(ctx, n)
	s.mu.Lock()
	s.tellUsageLocked()
	s.mu.Unlock()
	if err != nil {
		return true, s.failed("trimming the queue", err)
	}
	return more, nil
}

func (s *store) trim(ctx context.Context, n int) (more bool, err error) {
	removed := 0
	for looks := 4 + n/64; removed < n && looks > 0; looks-- {
		l, ok, err := s.nextLook(ctx, n-removed)
		if err != nil {
			return true, err
		}
		if !ok {
			break
		}
		gone, err := s.trimSpan(ctx, l)
		if err != nil {
			s.look(l.span)
			return true, err
		}
		removed += gone
	}
	s.mu.Lock()
	more = len(s.stale) > 0
	if removed > 0 {
		err = s.findOldestLocked()
	}
	s.mu.Unlock()
	return more, errors.Join(err, s.shrink())
}

// A look is places that Trim looks at, with how the floors were before.
type look struct {
	span
	floors []uint64
	free   bool // all floors are above it
}

// nextLook returns the oldest places that need a look and have events, at most n and trimAtOnce. They need none from then
// on, unless something changes again.
func (s *store) nextLook(ctx context.Context, n int) (l look, ok bool, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return l, false, err
		}
		s.mu.Lock()
		if len(s.stale) == 0 {
			s.mu.Unlock()
			return l, false, nil
		}
		whole := s.stale[0]
		s.stale.dropTo(whole.to)
		l.floors = slices.Clone(s.floors)
		s.mu.Unlock()

		var next uint64
		if err := s.read.next.QueryRowContext(ctx, int64(whole.from-1)).Scan(&next); err != nil {
			s.look(whole)
			return l, false, err
		}
		if next == 0 || next > whole.to {
			continue // none of its events is left
		}
		l.span = span{next, min(whole.to, next+uint64(min(n, trimAtOnce))-1)}
		if lowest := slices.Min(append([]uint64{l.to}, l.floors[1:]...)); l.from <= lowest {
			l.free, l.to = true, lowest
		}
		s.look(span{l.to + 1, whole.to})
		return l, true, nil
	}
}

// look says that places need a look.
func (s *store) look(sp span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale.add(sp.from, sp.to)
}

// trimSpan removes what is done of the places of l, and tells how many events went.
func (s *store) trimSpan(ctx context.Context, l look) (removed int, err error) {
	held := map[uint64]bool{} // Seq → has a row that waits for something
	skipped := false
	rows, err := s.read.trim.rows.QueryContext(ctx, int64(l.from), int64(l.to))
	if err == nil {
		err = eachOf(rows, func(row scans) error {
			var seq uint64
			var state queue.State
			err := row.Scan(&seq, &state)
			held[seq] = held[seq] || state != queue.Skipped
			skipped = skipped || state == queue.Skipped
			return err
		})
	}
	if err != nil {
		return 0, err
	}
	var done []span
	if l.free {
		done = around(l.span, held)
	} else if done, err = s.doneAmong(ctx, l, held); err != nil {
		return 0, err
	}
	if len(done) == 0 && !skipped {
		return 0, nil
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.transaction(false, func() error {
		removed = 0
		for _, sp := range done {
			r, err := s.write.deleteSpan.Exec(int64(sp.from), int64(sp.to))
			if err != nil {
				return err
			}
			n, err := r.RowsAffected()
			if err != nil {
				return err
			}
			removed += int(n)
		}
		if skipped {
			if _, err := s.write.dropSkipped.Exec(int64(l.from), int64(l.to)); err != nil {
				return err
			}
		}
		if l.to >= s.head {
			_, err := s.write.head.Exec(int64(s.head))
			return err
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	s.usage.Events -= int64(removed)
	return removed, nil
}

// around returns what lies between the places held.
func around(sp span, held map[uint64]bool) (free []span) {
	for from := sp.from; from <= sp.to; from++ {
		to := from
		for to <= sp.to && !held[to] {
			to++
		}
		if to > from {
			free = append(free, span{from, to - 1})
		}
		from = to
	}
	return free
}

// doneAmong reads the targets of events to find the done ones. A stretch of them is one span, gaps included.
func (s *store) doneAmong(ctx context.Context, l look, held map[uint64]bool) (done []span, err error) {
	rows, err := s.read.trim.targets.QueryContext(ctx, int64(l.from), int64(l.to))
	if err != nil {
		return nil, err
	}
	var targets sql.RawBytes
	stretch := false
	err = eachOf(rows, func(row scans) error {
		var seq uint64
		if err := row.Scan(&seq, &targets); err != nil {
			return err
		}
		over := !held[seq]
		err := eachSink(targets, func(sink int) bool {
			over = over && sink < len(l.floors) && seq <= l.floors[sink]
			return over
		})
		switch {
		case over && stretch:
			done[len(done)-1].to = seq
		case over:
			done = append(done, span{seq, seq})
		}
		stretch = over
		return err
	})
	return done, err
}

const (
	freePages   = 1024 // that the file may have in any case, for what comes next
	vacuumSteps = 8
)

// shrink gives back space when more than a quarter of the file is free, in steps of 64 pages between which commits come in.
func (s *store) shrink() error {
	for range vacuumSteps {
		if left, err := s.shrinkOnce(); err != nil || !left {
			return err
		}
	}
	return nil
}

func (s *store) shrinkOnce() (left bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pages, free, err := s.pagesLocked()
	if err != nil {
		return false, err
	}
	s.usage.Bytes, s.counted = (pages-free)*s.pageSize, time.Now()
	if free <= max(freePages, pages/4) && (s.reserve.there || free == 0) { // without a reserve the disk is full
		return false, nil
	}
	if err := s.prepareDisk(false); err != nil {
		return false, err
	}
	if _, err := s.write.vacuum.Exec(); err != nil {
		return false, err
	}
	s.tellCheckpoints()
	return true, nil
}
