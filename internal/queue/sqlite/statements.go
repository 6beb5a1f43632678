package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// writeStmts are prepared on the writing connection.
type writeStmts struct {
	begin, commit, rollback                *sql.Stmt
	newSink, event, row, gone, cursor      *sql.Stmt // Commit
	deleteSpan, dropSkipped, head          *sql.Stmt // Trim
	vacuum, pageCount, freePages, oldestAt *sql.Stmt
}

func prepareWrites(ctx context.Context, c *sql.Conn) (w writeStmts, err error) {
	err = prepare(ctx, c, map[string]**sql.Stmt{
		`BEGIN IMMEDIATE`: &w.begin,
		`COMMIT`:          &w.commit,
		`ROLLBACK`:        &w.rollback,
		`INSERT INTO sinks (id, name, floor, accepted, settled, paused, paused_at) VALUES (?, ?, 0, 0, 0, '', 0)`: &w.newSink,
		`INSERT INTO events (seq, id, at, command, source, operation_id, message_id, traceparent, hops, replay_of,
			targets, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`: &w.event,
		`INSERT INTO pending (sink, seq, state, lane, due, attempts, status, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (sink, seq) DO UPDATE SET state = excluded.state, lane = excluded.lane, due = excluded.due,
			attempts = excluded.attempts, status = excluded.status, reason = excluded.reason`: &w.row,
		`DELETE FROM pending WHERE sink = ? AND seq = ?`:                                                &w.gone,
		`UPDATE sinks SET floor = ?, accepted = ?, settled = ?, paused = ?, paused_at = ? WHERE id = ?`: &w.cursor,
		deleteSpan:                                   &w.deleteSpan,
		dropSkipped:                                  &w.dropSkipped,
		`UPDATE head SET seq = ?`:                    &w.head,
		`PRAGMA incremental_vacuum(64)`:              &w.vacuum,
		`PRAGMA page_count`:                          &w.pageCount,
		`PRAGMA freelist_count`:                      &w.freePages,
		`SELECT at FROM events ORDER BY seq LIMIT 1`: &w.oldestAt,
	})
	return w, err
}

func (w *writeStmts) close() error {
	var errs []error
	for _, s := range []*sql.Stmt{w.begin, w.commit, w.rollback, w.newSink, w.event, w.row, w.gone, w.cursor,
		w.deleteSpan, w.dropSkipped, w.head, w.vacuum, w.pageCount, w.freePages, w.oldestAt} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// prepare prepares statements on a connection or a pool.
func prepare(ctx context.Context, on interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}, statements map[string]**sql.Stmt) error {
	for query, to := range statements {
		var err error
		if *to, err = on.PrepareContext(ctx, query); err != nil {
			return fmt.Errorf("preparing %s: %w", query, err)
		}
	}
	return nil
}
