package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"time"

	"callboard/internal/queue"
)

// Columns of an event, as scanEvent wants them; the body comes last, where it is wanted.
const (
	eventColumns = `e.seq, e.id, e.at, e.command, e.source, e.operation_id, e.message_id, e.traceparent, e.hops, e.replay_of, e.targets`
	rowColumns   = `p.sink, p.seq, p.state, p.lane, p.due, p.attempts, p.status, p.reason`
)

// What reads the log and its exceptions. CROSS JOIN keeps SQLite to the order that is written: first the rows, then the
// events that they lead to. INDEXED BY keeps it from the primary key, which it takes without statistics, and from silently
// not seeing that a partial index serves.
const (
	readLog = `SELECT ` + eventColumns + `, e.body FROM events e
		WHERE e.seq BETWEEN ? AND ? AND instr(e.targets, ?) > 0
		AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.sink = ? AND p.seq = e.seq)
		ORDER BY e.seq LIMIT ?`
	readDue = `SELECT ` + rowColumns + `, ` + eventColumns + `, e.body
		FROM pending p INDEXED BY pending_due CROSS JOIN events e ON e.seq = p.seq
		WHERE p.sink = ? AND p.state = 2 AND p.seq <= ? ORDER BY p.due, p.seq LIMIT ?`
	readLane = `SELECT ` + rowColumns + `, ` + eventColumns + `, e.body
		FROM pending p INDEXED BY pending_lane CROSS JOIN events e ON e.seq = p.seq
		WHERE p.sink = ? AND p.lane = ? AND p.lane <> 0 AND p.seq <= ? AND p.state IN (2, 3, 4) ORDER BY p.seq LIMIT ?`
	readNoLane = `SELECT ` + rowColumns + `, ` + eventColumns + `, e.body FROM pending p CROSS JOIN events e ON e.seq = p.seq
		WHERE p.sink = ? AND p.lane = ? AND p.seq <= ? AND p.state IN (2, 3, 4) ORDER BY p.seq LIMIT ?`
	readEvent = `SELECT ` + eventColumns + `, e.body FROM events e WHERE e.id = ? ORDER BY e.seq DESC LIMIT 1`
	readHead  = `SELECT max((SELECT seq FROM head), coalesce((SELECT max(seq) FROM events), 0))`
	readNext  = `SELECT coalesce(min(seq), 0) FROM events WHERE seq > ?`
)

// readStmts are prepared on the pool of readers, each connection's when it first needs it.
type readStmts struct {
	log, due, lane, noLane, event, head, next *sql.Stmt
	search                                    searchStmts
	trim                                      trimStmts
}

func prepareReads(ctx context.Context, db *sql.DB) (r readStmts, err error) {
	all := r.search.statements()
	maps.Copy(all, map[string]**sql.Stmt{
		readLog: &r.log, readDue: &r.due, readLane: &r.lane, readNoLane: &r.noLane,
		readEvent: &r.event, readHead: &r.head, readNext: &r.next,
		trimRows: &r.trim.rows, trimTargets: &r.trim.targets,
	})
	err = prepare(ctx, db, all)
	return r, err
}

// readAtOnce is how many places of the log one statement of Read may pass: a reader that stays too long keeps the write-ahead
// log from ending.
const readAtOnce = 8192

// Read returns events of the log. A sink that few events have takes a look at all of them.
func (s *store) Read(ctx context.Context, sink string, after uint64, n, maxBytes int) ([]*queue.Event, uint64, error) {
	dir := s.dir.Load()
	id, known := dir.ids[sink]
	for {
		// The head first: what is committed after it may be passed over only by the next call.
		var head, next uint64
		err := s.read.head.QueryRowContext(ctx).Scan(&head)
		if err == nil && known {
			err = s.read.next.QueryRowContext(ctx, int64(after)).Scan(&next)
		}
		if err != nil {
			return nil, after, s.failed("reading the log", err)
		}
		if !known || next == 0 || next > head {
			return nil, max(after, head), nil
		}
		end := min(next+readAtOnce-1, head)
		events, upTo, err := s.readSpan(ctx, id, next, end, n, maxBytes)
		if err != nil {
			return nil, after, s.failed("reading the log", err)
		}
		if len(events) > 0 || upTo == head {
			return events, upTo, nil
		}
		after = upTo
	}
}

// readSpan reads a stretch of the log for a sink, and tells how far it came.
func (s *store) readSpan(ctx context.Context, sink int, from, to uint64, n, maxBytes int) (events []*queue.Event, upTo uint64, err error) {
	limit := max(n, 1)
	rows, err := s.read.log.QueryContext(ctx, int64(from), int64(to), marker(sink), sink, limit)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	sc := s.scanner()
	size := 0
	for found := 1; rows.Next(); found++ {
		e, err := sc.whole(rows)
		if err != nil {
			return nil, 0, err
		}
		if hasSink(e, sc.dir.names[sink]) {
			size += len(e.Body)
			if len(events) > 0 && size > maxBytes {
				return events, events[len(events)-1].Seq, nil
			}
			events = append(events, e)
		}
		if found == limit {
			to = e.Seq
		}
	}
	return events, to, rows.Err()
}

func hasSink(e *queue.Event, sink string) bool {
	for i := range e.Targets {
		if e.Targets[i].Sink == sink {
			return true
		}
	}
	return false
}

// Due returns rows that are due.
func (s *store) Due(ctx context.Context, sink string, now time.Time, upTo uint64, n int) (due []queue.Waiting, next time.Time, err error) {
	id, ok := s.dir.Load().ids[sink]
	if !ok {
		return nil, time.Time{}, nil
	}
	rows, err := s.read.due.QueryContext(ctx, id, int64(min(upTo, maxSeq)), n+1)
	if err != nil {
		return nil, time.Time{}, s.failed("reading what is due", err)
	}
	defer rows.Close()
	sc := s.scanner()
	for rows.Next() {
		w, err := sc.waiting(rows)
		if err != nil {
			return nil, time.Time{}, s.failed("reading what is due", err)
		}
		if len(due) == n || w.Due.After(now) {
			return due, w.Due, nil
		}
		due = append(due, w)
	}
	if err := rows.Err(); err != nil {
		return nil, time.Time{}, s.failed("reading what is due", err)
	}
	return due, time.Time{}, nil
}

// maxSeq is the greatest place that SQLite's numbers hold.
const maxSeq = 1<<63 - 1

// Lane returns the rows of a lane.
func (s *store) Lane(ctx context.Context, sink string, lane, upTo uint64, n int) ([]queue.Waiting, error) {
	id, ok := s.dir.Load().ids[sink]
	if !ok {
		return nil, nil
	}
	statement := s.read.lane
	if lane == 0 {
		statement = s.read.noLane
	}
	rows, err := statement.QueryContext(ctx, id, int64(lane), int64(min(upTo, maxSeq)), n)
	if err != nil {
		return nil, s.failed("reading a lane", err)
	}
	defer rows.Close()
	var found []queue.Waiting
	sc := s.scanner()
	for rows.Next() {
		w, err := sc.waiting(rows)
		if err != nil {
			return nil, s.failed("reading a lane", err)
		}
		found = append(found, w)
	}
	if err := rows.Err(); err != nil {
		return nil, s.failed("reading a lane", err)
	}
	return found, nil
}

// Event finds an event.
func (s *store) Event(ctx context.Context, id string) (*queue.Event, error) {
	e, err := s.scanner().whole(s.read.event.QueryRowContext(ctx, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, queue.ErrNotFound
	}
	if err != nil {
		return nil, s.failed("reading an event", err)
	}
	return e, nil
}
