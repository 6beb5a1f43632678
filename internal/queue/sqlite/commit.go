package sqlite

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"callboard/internal/queue"
)

// Commit makes a batch durable. With events it returns when the write-ahead log is on disk. Without, it leaves that to the
// system and to the next batch with events: the log is synced as a whole and read back up to its first gap, so nothing
// later can survive without it.
func (s *store) Commit(ctx context.Context, b *queue.Batch) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(b.Events) > 0 && !s.closed.Load() {
		if err := errors.Join(s.place.check(), s.reserve.have()); err != nil {
			return s.failed("committing", err)
		}
	}
	began := time.Now()
	dir := s.dir.Load()
	err := s.transaction(len(b.Events) > 0, func() (err error) {
		dir, err = s.put(b, dir)
		return err
	})
	if err != nil {
		return s.failed("committing", err)
	}
	for _, e := range b.Events {
		s.head++
		e.Seq = s.head
	}
	s.committedLocked(b, dir)
	if len(b.Events) > 0 {
		s.usage.Sync = time.Since(began)
	}
	s.tellUsageLocked()
	return nil
}

// transaction runs do, which writes, in a transaction of its own; mu is held. It is not given up half-way when a context
// ends: a drivers' watch over one would cost more than the statements.
func (s *store) transaction(sync bool, do func() error) error {
	if s.closed.Load() {
		return queue.ErrClosed
	}
	err := s.prepareDisk(sync)
	if err == nil {
		_, err = s.write.begin.Exec()
	}
	if err == nil {
		if err = do(); err == nil {
			_, err = s.write.commit.Exec()
			s.suspect = err != nil && !s.full(err)
		}
		if err != nil {
			// SQLite may have rolled back already; then this fails and tells nothing new.
			_, _ = s.write.rollback.Exec()
		}
	}
	if err != nil {
		if s.full(err) {
			s.reserve.giveUp()
			err = fmt.Errorf("%w: %w", syscall.ENOSPC, err) // it cannot be seen any more
		}
		return err
	}
	s.tellCheckpoints()
	return nil
}

// tellCheckpoints says that there is something to do.
func (s *store) tellCheckpoints() {
	select {
	case s.wrote <- struct{}{}:
	default:
	}
}

// prepareDisk sets whether the next commit waits for the disk. SQLite obeys when it prepares such a statement, so
// these cannot be kept.
//
// After a commit that the disk refused, what earlier commits left unsynced may be lost though the system no longer knows it,
// and a gap would cost all that follows. So everything is first moved into the file and the log begun anew.
func (s *store) prepareDisk(sync bool) error {
	ctx := context.Background()
	if s.suspect {
		var busy, pages, moved int64
		if err := s.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(RESTART)`).Scan(&busy, &pages, &moved); err != nil {
			return fmt.Errorf("recovering from an earlier failure: %w", err)
		}
		if busy != 0 {
			return errors.New("recovering from an earlier failure: readers are in the way")
		}
		s.suspect = false
	}
	if sync == s.synced {
		return nil
	}
	mode := `PRAGMA synchronous = NORMAL`
	if sync {
		mode = `PRAGMA synchronous = FULL`
	}
	if _, err := s.writer.ExecContext(ctx, mode); err != nil {
		return err
	}
	s.synced = sync
	return nil
}

// put writes a batch inside a transaction and returns the directory with its sinks. It changes nothing in s but scratch.
func (s *store) put(b *queue.Batch, dir *directory) (*directory, error) {
	know := func(name string) error {
		if _, ok := dir.ids[name]; ok {
			return nil
		}
		dir = dir.with(name)
		_, err := s.write.newSink.Exec(dir.ids[name], name)
		return err
	}
	for i, e := range b.Events {
		for j := range e.Targets {
			if err := know(e.Targets[j].Sink); err != nil {
				return nil, err
			}
		}
		s.targets = appendTargets(s.targets[:0], dir, e.Targets)
		body := e.Body
		if body == nil {
			body = []byte{}
		}
		_, err := s.write.event.Exec(int64(s.head)+int64(i)+1, e.ID, e.At.UnixMilli(), e.Command, e.Source, e.OperationID,
			e.MessageID, e.TraceParent, e.Hops, e.ReplayOf, s.targets, body)
		if err != nil {
			return nil, err
		}
	}
	for i := range b.Rows {
		r := &b.Rows[i]
		if err := know(r.Sink); err != nil {
			return nil, err
		}
		_, err := s.write.row.Exec(dir.ids[r.Sink], int64(r.Seq), int64(r.State), int64(r.Lane), nanos(r.Due), r.Attempts, r.Status,
			r.Reason)
		if err != nil {
			return nil, err
		}
	}
	for _, ref := range b.Gone {
		if id, ok := dir.ids[ref.Sink]; ok {
			if _, err := s.write.gone.Exec(id, int64(ref.Seq)); err != nil {
				return nil, err
			}
		}
	}
	for i := range b.Sinks {
		c := &b.Sinks[i]
		if err := know(c.Sink); err != nil {
			return nil, err
		}
		_, err := s.write.cursor.Exec(int64(c.Floor), int64(c.Accepted), int64(c.Settled), c.Paused, nanos(c.PausedAt), dir.ids[c.Sink])
		if err != nil {
			return nil, err
		}
	}
	return dir, nil
}

// committedLocked follows in memory what a batch has changed; mu is held.
func (s *store) committedLocked(b *queue.Batch, dir *directory) {
	s.dir.Store(dir)
	for len(s.floors) < len(dir.names) {
		s.floors = append(s.floors, 0)
	}
	for i := range b.Sinks {
		id := dir.ids[b.Sinks[i].Sink]
		s.stale.add(s.floors[id]+1, b.Sinks[i].Floor)
		s.floors[id] = b.Sinks[i].Floor
	}
	for i := range b.Rows {
		if r := &b.Rows[i]; r.State == queue.Skipped && r.Seq <= s.floors[dir.ids[r.Sink]] {
			s.stale.add(r.Seq, r.Seq)
		}
	}
	for _, ref := range b.Gone {
		if id, ok := dir.ids[ref.Sink]; ok && ref.Seq <= s.floors[id] {
			s.stale.add(ref.Seq, ref.Seq)
		}
	}
	for _, e := range b.Events {
		s.usage.Bytes += int64(len(e.Body)) + eventOverhead
		if len(e.Targets) == 0 {
			s.stale.add(e.Seq, e.Seq)
		}
	}
	if s.usage.Events == 0 && len(b.Events) > 0 {
		s.usage.Oldest = time.UnixMilli(b.Events[0].At.UnixMilli()).UTC()
	}
	s.usage.Events += int64(len(b.Events))
	s.usage.Bytes += int64(len(b.Rows)) * rowOverhead
	s.usage.Commits++
	if time.Since(s.counted) > countEvery {
		s.countLocked()
	}
}

// nanos is how an instant is stored.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// instant is the inverse of nanos.
func instant(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
