package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"callboard/internal/queue"
)

// restore brings what the store keeps in memory to where the file stands.
func (s *store) restore(ctx context.Context) error {
	if err := s.read.head.QueryRowContext(ctx).Scan(&s.head); err != nil {
		return err
	}
	dir, floors := &directory{ids: map[string]int{}, names: []string{""}}, []uint64{0}
	err := each(ctx, s.readers, `SELECT id, name, floor FROM sinks ORDER BY id`, func(row scans) error {
		var id int
		var name string
		var floor uint64
		if err := row.Scan(&id, &name, &floor); err != nil {
			return err
		}
		if id != len(dir.names) {
			return fmt.Errorf("sinks are not numbered in order: %w", errDamaged)
		}
		dir.ids[name] = id
		dir.names, floors = append(dir.names, name), append(floors, floor)
		return nil
	})
	if err != nil {
		return err
	}
	s.dir.Store(dir)
	s.floors = floors
	s.stale.add(1, s.head)
	if err := s.readers.QueryRowContext(ctx, `SELECT count(*) FROM events`).Scan(&s.usage.Events); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.countLocked()
	err = s.findOldestLocked()
	s.tellUsageLocked()
	return err
}

// findOldestLocked asks for the age of the oldest event; mu is held.
func (s *store) findOldestLocked() error {
	var at int64
	err := s.write.oldestAt.QueryRow().Scan(&at)
	s.usage.Oldest = time.UnixMilli(at).UTC()
	if errors.Is(err, sql.ErrNoRows) {
		s.usage.Oldest, err = time.Time{}, nil
	}
	return err
}

// Load tells how things stand. It reads indexes, not events.
func (s *store) Load(ctx context.Context) (*queue.Snapshot, error) {
	snap, err := s.load(ctx)
	if err != nil {
		return nil, s.failed("reading how things stand", err)
	}
	return snap, nil
}

const (
	loadSinks  = `SELECT name, floor, accepted, settled, paused, paused_at FROM sinks ORDER BY id`
	loadStates = `SELECT sink, sum(state = 2), sum(state = 3), sum(state = 4), sum(state = 5), sum(state = 6) FROM pending
		GROUP BY sink`
	loadLanes = `SELECT sink, lane, count(*) FROM pending INDEXED BY pending_lane WHERE lane <> 0 AND state IN (2, 3, 4)
		GROUP BY sink, lane`
	loadDue = `SELECT min(due) FROM pending WHERE sink = ? AND state = 2`
)

func (s *store) load(ctx context.Context) (*queue.Snapshot, error) {
	snap := &queue.Snapshot{Head: s.head} // no commit has come yet
	err := each(ctx, s.readers, loadSinks, func(row scans) error {
		k := queue.SinkSnapshot{Rows: map[queue.State]int{}, Lanes: map[uint64]int{}}
		var pausedAt int64
		err := row.Scan(&k.Sink, &k.Floor, &k.Accepted, &k.Settled, &k.Paused, &pausedAt)
		k.PausedAt = instant(pausedAt)
		snap.Sinks = append(snap.Sinks, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = errors.Join(s.loadStates(ctx, snap), s.loadLanes(ctx, snap))
	if err != nil {
		return nil, err
	}
	for i := range snap.Sinks {
		if snap.Sinks[i].Rows[queue.Retrying] == 0 {
			continue
		}
		var due int64
		if err := s.readers.QueryRowContext(ctx, loadDue, i+1).Scan(&due); err != nil {
			return nil, err
		}
		snap.Sinks[i].NextDue = instant(due)
	}
	return snap, nil
}

func (s *store) loadStates(ctx context.Context, snap *queue.Snapshot) error {
	return each(ctx, s.readers, loadStates, func(row scans) error {
		var sink int
		var n [5]int // by state, from Retrying on
		if err := row.Scan(&sink, &n[0], &n[1], &n[2], &n[3], &n[4]); err != nil {
			return err
		}
		k, err := sinkOf(snap, sink)
		if err != nil {
			return err
		}
		for i, n := range n {
			if n > 0 {
				k.Rows[queue.Retrying+queue.State(i)] = n
			}
		}
		return nil
	})
}

func (s *store) loadLanes(ctx context.Context, snap *queue.Snapshot) error {
	return each(ctx, s.readers, loadLanes, func(row scans) error {
		var sink, n int
		var lane int64
		if err := row.Scan(&sink, &lane, &n); err != nil {
			return err
		}
		k, err := sinkOf(snap, sink)
		if err == nil {
			k.Lanes[uint64(lane)] = n
		}
		return err
	})
}

// sinkOf returns the sink of an id; they begin at 1 and have no gaps.
func sinkOf(snap *queue.Snapshot, id int) (*queue.SinkSnapshot, error) {
	if id < 1 || id > len(snap.Sinks) {
		return nil, fmt.Errorf("a row is of no sink: %w", errDamaged)
	}
	return &snap.Sinks[id-1], nil
}

// each calls f with each row of a query.
func each(ctx context.Context, db interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, query string, f func(row scans) error, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return eachOf(rows, f)
}

// eachOf calls f with each of rows and closes them.
func eachOf(rows *sql.Rows, f func(row scans) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
