package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"callboard/internal/queue"
)

// Search goes down the log a stretch at a time, each in a read transaction of its own: a long one keeps neither commits nor
// checkpoints from going on, and meets each delivery once, as it stands just then. Where only rows are asked for, or left, the
// stretches follow the rows and the log between them is not looked at. Events that are asked for by id are found by it.
//
// Where a sink is asked for, the statements about rows go by primary key, else by place. A mask has a bit for each state.
const (
	searchFloors = `SELECT id, floor FROM sinks`

	searchPlace = `SELECT coalesce(min(seq), 0) FROM
		(SELECT seq FROM events WHERE seq <= ? ORDER BY seq DESC LIMIT 1024)`
	searchEvents = `SELECT ` + eventColumns + ` FROM events e
		WHERE e.seq BETWEEN ? AND ? AND e.at BETWEEN ? AND ? AND instr(e.targets, ?) > 0 ORDER BY e.seq DESC`
	searchID = `SELECT ` + eventColumns + ` FROM events e WHERE e.id = ?`

	searchRowPlace = `SELECT coalesce(min(seq), 0) FROM
		(SELECT seq FROM pending WHERE seq <= ? AND (1 << state) & ? <> 0 ORDER BY seq DESC LIMIT 1024)`
	searchRows = `SELECT ` + rowColumns + ` FROM pending p WHERE p.seq BETWEEN ? AND ? AND (1 << p.state) & ? <> 0`
	searchOf   = `SELECT ` + eventColumns + ` FROM events e WHERE e.seq IN
		(SELECT seq FROM pending WHERE seq BETWEEN ? AND ? AND (1 << state) & ? <> 0) ORDER BY e.seq DESC`

	searchSinkRowPlace = `SELECT coalesce(min(seq), 0) FROM
		(SELECT seq FROM pending WHERE sink = ? AND seq <= ? AND (1 << state) & ? <> 0 ORDER BY seq DESC LIMIT 1024)`
	searchSinkRows = `SELECT ` + rowColumns + ` FROM pending p WHERE p.sink = ? AND p.seq BETWEEN ? AND ? AND (1 << p.state) & ? <> 0`
	searchSinkOf   = `SELECT ` + eventColumns + ` FROM events e WHERE e.seq IN
		(SELECT seq FROM pending WHERE sink = ? AND seq BETWEEN ? AND ? AND (1 << state) & ? <> 0) ORDER BY e.seq DESC`
)

type searchStmts struct {
	floors, place, events, id          *sql.Stmt
	rowPlace, rows, of                 *sql.Stmt
	sinkRowPlace, sinkRows, sinkRowsOf *sql.Stmt
}

func (st *searchStmts) statements() map[string]**sql.Stmt {
	return map[string]**sql.Stmt{
		searchFloors: &st.floors, searchPlace: &st.place, searchEvents: &st.events, searchID: &st.id,
		searchRowPlace: &st.rowPlace, searchRows: &st.rows, searchOf: &st.of,
		searchSinkRowPlace: &st.sinkRowPlace, searchSinkRows: &st.sinkRows, searchSinkOf: &st.sinkRowsOf,
	}
}

const (
	maskOpen = 1<<queue.Retrying | 1<<queue.Blocked | 1<<queue.Stuck | 1<<queue.Dead
	maskAll  = maskOpen | 1<<queue.Skipped
)

// Search looks through what is not done.
func (s *store) Search(ctx context.Context, f queue.Filter, before queue.Ref, n int) ([]queue.Waiting, error) {
	var found []queue.Waiting
	if n <= 0 {
		return nil, nil
	}
	err := s.walk(ctx, &f, before, func(w *queue.Waiting) bool {
		found = append(found, *w)
		return len(found) < n
	})
	if err != nil {
		return nil, s.failed("searching the queue", err)
	}
	return found, nil
}

// Count counts what is not done.
func (s *store) Count(ctx context.Context, f queue.Filter) (int, error) {
	n := 0
	err := s.walk(ctx, &f, queue.Ref{}, func(*queue.Waiting) bool { n++; return true })
	if err != nil {
		return 0, s.failed("counting deliveries", err)
	}
	return n, nil
}

// A search is what is the same over all stretches of one.
type search struct {
	f       *queue.Filter
	sink    int   // asked for, 0 for all
	mask    int   // of rows asked for
	waiting bool  // deliveries without a row are asked for
	since   int64 // of acceptance, in milliseconds, both included
	until   int64
	before  queue.Ref
	sc      *scanner
	found   func(*queue.Waiting) bool
}

// walk calls found with what f chooses before a place, newest first, until it returns false.
func (s *store) walk(ctx context.Context, f *queue.Filter, before queue.Ref, found func(*queue.Waiting) bool) error {
	q := search{f: f, mask: maskOpen, waiting: f.Status == 0, until: maxSeq, before: before, sc: s.scanner(), found: found}
	if f.Sink != "" {
		if q.sink = q.sc.dir.ids[f.Sink]; q.sink == 0 {
			return nil
		}
	}
	if len(f.States) > 0 {
		q.mask = 0
		for _, state := range f.States {
			q.mask |= 1 << state & maskOpen
		}
		q.waiting = q.waiting && slices.Contains(f.States, queue.WaitingTurn)
	}
	if !f.Since.IsZero() {
		q.since = f.Since.UnixMilli()
	} else {
		q.since = -maxSeq
	}
	if !f.Until.IsZero() {
		q.until = f.Until.UnixMilli()
	}
	if q.before == (queue.Ref{}) {
		q.before.Seq = maxSeq
	}
	if f.CallbackID != "" || len(f.IDs) > 0 {
		return s.walkIDs(ctx, &q)
	}
	for to, more := q.before.Seq, true; more && to > 0; {
		from, goOn, err := s.walkStretch(ctx, &q, to)
		if err != nil {
			return err
		}
		to, more = from-1, goOn && from > 0
	}
	return nil
}

// walkStretch walks the stretch that ends at to and tells where it begins, 0 for nowhere.
func (s *store) walkStretch(ctx context.Context, q *search, to uint64) (from uint64, more bool, err error) {
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, tx.Commit()) }()
	floors, lowest, err := s.floorsAt(ctx, tx, q.sink)
	if err != nil {
		return 0, false, err
	}
	events := s.read.search.events
	var args []any
	if rowsOnly := !q.waiting || to <= lowest; rowsOnly {
		if from, err = s.rowPlace(ctx, tx, q, to); err != nil || from == 0 {
			return 0, false, err
		}
		events, args = s.read.search.of, []any{int64(from), int64(to), q.mask}
		if q.sink != 0 {
			events, args = s.read.search.sinkRowsOf, append([]any{q.sink}, args...)
		}
	} else {
		if err := tx.StmtContext(ctx, s.read.search.place).QueryRowContext(ctx, int64(to)).Scan(&from); err != nil {
			return 0, false, err
		}
		if from <= lowest {
			from = lowest + 1 // below it, only rows
		}
		args = []any{int64(from), int64(to), q.since, q.until, []byte{targetMark}}
		if q.sink != 0 {
			args[4] = marker(q.sink)
		}
	}
	rows, err := s.rowsOf(ctx, tx, q, from, to)
	if err != nil {
		return 0, false, err
	}
	found, err := tx.StmtContext(ctx, events).QueryContext(ctx, args...)
	if err != nil {
		return 0, false, err
	}
	more, err = q.visit(found, rows, floors)
	return from, more, err
}

// floorsAt returns the floors, by sink name, and the lowest that matters: that of sink, or of all when it is 0.
func (s *store) floorsAt(ctx context.Context, tx *sql.Tx, sink int) (floors []uint64, lowest uint64, err error) {
	found, err := tx.StmtContext(ctx, s.read.search.floors).QueryContext(ctx)
	if err != nil {
		return nil, 0, err
	}
	lowest = maxSeq
	err = eachOf(found, func(row scans) error {
		var id int
		var floor uint64
		if err := row.Scan(&id, &floor); err != nil {
			return err
		}
		for len(floors) <= id {
			floors = append(floors, 0)
		}
		floors[id] = floor
		if sink == 0 || sink == id {
			lowest = min(lowest, floor)
		}
		return nil
	})
	return floors, lowest, err
}

func (s *store) rowPlace(ctx context.Context, tx *sql.Tx, q *search, to uint64) (from uint64, err error) {
	st, args := s.read.search.rowPlace, []any{int64(to), q.mask}
	if q.sink != 0 {
		st, args = s.read.search.sinkRowPlace, []any{q.sink, int64(to), q.mask}
	}
	err = tx.StmtContext(ctx, st).QueryRowContext(ctx, args...).Scan(&from)
	return from, err
}

// rowsOf reads the rows of a stretch. Where waiting deliveries are asked for it takes all, since any row says that one
// does not wait.
func (s *store) rowsOf(ctx context.Context, tx *sql.Tx, q *search, from, to uint64) (map[queue.Ref]queue.Row, error) {
	mask := q.mask
	if q.waiting {
		mask = maskAll
	}
	st, args := s.read.search.rows, []any{int64(from), int64(to), mask}
	if q.sink != 0 {
		st, args = s.read.search.sinkRows, []any{q.sink, int64(from), int64(to), mask}
	}
	found, err := tx.StmtContext(ctx, st).QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	rows := map[queue.Ref]queue.Row{}
	err = eachOf(found, func(row scans) error {
		r, err := q.sc.onlyRow(row)
		rows[r.Ref] = r
		return err
	})
	return rows, err
}

// visit goes through the deliveries of events. more says that found wants more.
func (q *search) visit(events *sql.Rows, rows map[queue.Ref]queue.Row, floors []uint64) (more bool, err error) {
	more = true
	err = eachOf(events, func(row scans) error {
		if !more {
			return nil
		}
		e, err := q.sc.summary(row)
		if err != nil {
			return err
		}
		targets := slices.SortedFunc(slices.Values(e.Targets), func(a, b queue.Target) int { return cmp.Compare(b.Sink, a.Sink) })
		for i := range targets {
			t := &targets[i]
			ref := queue.Ref{Sink: t.Sink, Seq: e.Seq}
			if e.Seq > q.before.Seq || e.Seq == q.before.Seq && t.Sink >= q.before.Sink {
				continue
			}
			w := queue.Waiting{Row: rows[ref], Event: e}
			if w.State == 0 {
				if id := q.sc.dir.ids[t.Sink]; !q.waiting || id < len(floors) && e.Seq <= floors[id] {
					continue
				}
				w.Row = queue.Row{Ref: ref, State: queue.WaitingTurn, Lane: queue.LaneOf(t.Key)}
			}
			if q.f.Match(&w) && !q.found(&w) {
				more = false
				break
			}
		}
		return nil
	})
	return more, err
}

// walkIDs walks the events that are asked for by id.
func (s *store) walkIDs(ctx context.Context, q *search) error {
	ids := []string{q.f.CallbackID}
	if q.f.CallbackID == "" {
		ids = ids[:0]
		for _, delivery := range q.f.IDs {
			id, _, _ := strings.Cut(delivery, ".")
			ids = append(ids, id)
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
	}
	var seqs []uint64
	for _, id := range ids {
		rows, err := s.read.search.id.QueryContext(ctx, id)
		if err != nil {
			return err
		}
		err = eachOf(rows, func(row scans) error {
			e, err := q.sc.summary(row)
			if err == nil {
				seqs = append(seqs, e.Seq)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(seqs)
	for _, seq := range slices.Backward(seqs) {
		if seq > q.before.Seq {
			continue
		}
		if more, err := s.walkOne(ctx, q, seq); err != nil || !more {
			return err
		}
	}
	return nil
}

// walkOne walks a stretch of one event.
func (s *store) walkOne(ctx context.Context, q *search, seq uint64) (more bool, err error) {
	tx, err := s.readers.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, tx.Commit()) }()
	floors, _, err := s.floorsAt(ctx, tx, 0)
	if err != nil {
		return false, err
	}
	rows, err := s.rowsOf(ctx, tx, q, seq, seq)
	if err != nil {
		return false, err
	}
	found, err := tx.StmtContext(ctx, s.read.search.events).QueryContext(ctx, int64(seq), int64(seq), q.since, q.until, []byte{targetMark})
	if err != nil {
		return false, err
	}
	return q.visit(found, rows, floors)
}
