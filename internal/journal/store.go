package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"callboard/internal/dbfile"
)

// A store is the database file. A chunk is one row in each of three tables, so that starting reads only the first, searching
// mostly the second:
//
//	chunk    id, since, until, newest, callbacks, attempts, raw    meta
//	terms    chunk, hashes                                         packTerms
//	records  chunk, zstd                                           message Chunk (wire.go), compressed
//
// Commits are not fsynced (WAL, synchronous=NORMAL): a power cut takes up to the last second or so, a killed process
// nothing that was written.
type store struct {
	w *sql.DB // one connection
	r *sql.DB
}

const (
	applicationID = 0x43424a31 // "CBJ1"
	formatVersion = 1

	schema = `
CREATE TABLE chunk (
	id INTEGER PRIMARY KEY,
	since INTEGER NOT NULL, until INTEGER NOT NULL, newest INTEGER NOT NULL,
	callbacks INTEGER NOT NULL, attempts INTEGER NOT NULL, raw INTEGER NOT NULL
);
CREATE TABLE terms (chunk INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
CREATE TABLE records (chunk INTEGER PRIMARY KEY, zstd BLOB NOT NULL);`
)

// newStore opens the file, and makes it where it is missing.
func newStore(ctx context.Context, driver, path string) (*store, []meta, error) {
	if err := dbfile.Make(path); err != nil {
		return nil, nil, fmt.Errorf("making the file: %w", err)
	}
	s := &store{}
	var err error
	if s.w, err = dbfile.Open(driver, path, "busy_timeout(10000)", "page_size(8192)", "auto_vacuum(2)",
		"journal_mode(wal)", "synchronous(normal)", "wal_autocheckpoint(1000)", "journal_size_limit(16777216)"); err != nil {
		return nil, nil, err
	}
	s.w.SetMaxOpenConns(1)
	if s.r, err = dbfile.Open(driver, path, "busy_timeout(10000)", "query_only(1)"); err != nil {
		return nil, nil, errors.Join(err, s.w.Close())
	}
	s.r.SetMaxOpenConns(4)
	s.r.SetMaxIdleConns(2)
	if err = errors.Join(s.prepare(ctx), dbfile.ShareMode(path)); err == nil {
		var ms []meta
		if ms, err = s.metas(ctx); err == nil {
			return s, ms, nil
		}
	}
	return nil, nil, errors.Join(err, s.close())
}

// prepare checks whose file it is, makes the tables where there are none, and sees that the file can be written.
func (s *store) prepare(ctx context.Context) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		var id, version, tables int64
		row := tx.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
			(SELECT count(*) FROM sqlite_schema)`)
		if err := row.Scan(&id, &version, &tables); err != nil {
			return err
		}
		switch {
		case tables == 0:
			if _, err := tx.ExecContext(ctx, schema); err != nil {
				return fmt.Errorf("making tables: %w", err)
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, formatVersion))
			return err
		case id != applicationID:
			return errors.New("the file is a database of something else; give the journal another path")
		case version > formatVersion:
			return fmt.Errorf("a newer Callboard wrote it (format %d, this one knows %d): run that one, or move the file away to begin a new journal",
				version, formatVersion)
		}
		_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version=%d", formatVersion)) // fails where writing would
		return err
	})
}

func (s *store) close() error { return errors.Join(s.r.Close(), s.w.Close()) }

// update makes one transaction.
func (s *store) update(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // fails where SQLite has rolled back by itself, as it does on a full disk
		return err
	}
	return tx.Commit()
}

// closeRows closes; what went wrong before is what rows.Err tells.
func closeRows(rows *sql.Rows) { _ = rows.Close() }

// metas returns all chunks by ascending id.
func (s *store) metas(ctx context.Context) ([]meta, error) {
	rows, err := s.r.QueryContext(ctx, "SELECT id, since, until, newest, callbacks, attempts, raw FROM chunk ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	var ms []meta
	for rows.Next() {
		var m meta
		if err := rows.Scan(&m.id, &m.since, &m.until, &m.newest, &m.callbacks, &m.attempts, &m.raw); err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, rows.Err()
}

// put writes a chunk over what has its id, and removes others, all or nothing.
func (s *store) put(ctx context.Context, m meta, terms, zstd []byte, remove []int64) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		for _, id := range remove {
			if err := removeChunk(ctx, tx, id); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO chunk VALUES (?,?,?,?,?,?,?)",
			m.id, m.since, m.until, m.newest, m.callbacks, m.attempts, m.raw); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO terms VALUES (?,?)", m.id, terms); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO records VALUES (?,?)", m.id, zstd)
		return err
	})
}

// remove removes chunks.
func (s *store) remove(ctx context.Context, ids []int64) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			if err := removeChunk(ctx, tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}

func removeChunk(ctx context.Context, tx *sql.Tx, id int64) error {
	for _, statement := range []string{"DELETE FROM chunk WHERE id=?", "DELETE FROM terms WHERE chunk=?", "DELETE FROM records WHERE chunk=?"} {
		if _, err := tx.ExecContext(ctx, statement, id); err != nil {
			return err
		}
	}
	return nil
}

// records returns what a chunk holds, decompressed into buf where it fits; nil when there is no such chunk any more.
func (s *store) records(ctx context.Context, id int64, buf []byte) ([]byte, error) {
	var packed sql.RawBytes
	rows, err := s.r.QueryContext(ctx, "SELECT zstd FROM records WHERE chunk=?", id)
	if err != nil {
		return nil, err
	}
	defer closeRows(rows)
	if !rows.Next() {
		return nil, rows.Err()
	}
	if err := rows.Scan(&packed); err != nil {
		return nil, err
	}
	return decompressor.DecodeAll(packed, buf[:0])
}

// terms calls yield with the packed terms of the chunks first to last; it keeps nothing of them.
func (s *store) terms(ctx context.Context, first, last int64, yield func(id int64, packed []byte)) error {
	rows, err := s.r.QueryContext(ctx, "SELECT chunk, hashes FROM terms WHERE chunk BETWEEN ? AND ?", first, last)
	if err != nil {
		return err
	}
	defer closeRows(rows)
	for rows.Next() {
		var id int64
		var packed sql.RawBytes
		if err := rows.Scan(&id, &packed); err != nil {
			return err
		}
		yield(id, packed)
	}
	return rows.Err()
}

// space returns how many bytes of the file are in use, and how many it has without use.
func (s *store) space(ctx context.Context) (used, unused int64, err error) {
	var size, pages, free int64
	err = s.w.QueryRowContext(ctx, `SELECT (SELECT page_size FROM pragma_page_size), (SELECT page_count FROM pragma_page_count),
		(SELECT freelist_count FROM pragma_freelist_count)`).Scan(&size, &pages, &free)
	return (pages - free) * size, free * size, err
}

// shrink gives pages without use back to the file system.
func (s *store) shrink(ctx context.Context, pages int) error {
	_, err := s.w.ExecContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", pages))
	return err
}
