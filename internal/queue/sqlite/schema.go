package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"callboard/internal/dbfile"
	"callboard/internal/queue"
)

// The file. events is the log: a row for each callback, with its targets packed into one column (targets.go) and the body
// last, so that a look at the rest need not read it. A delivery that works leaves no row anywhere: sinks has the floor up to
// which all is done, pending the exceptions. Times are Unix times, of events in milliseconds, elsewhere in nanoseconds, 0
// for none.
//
//	events_id      finds an event by its callback's id; ids ascend, so it grows at its right edge
//	pending        by primary key: what of a sink's log is an exception
//	pending_due    what is due next
//	pending_lane   what stands in a lane, in order; how much in each, for Load
//	pending_seq    exceptions by place in the log, newest first for people; also whether a stretch has any, for Trim
//
// head is the Seq of the last event ever, kept when Trim removes that event; otherwise the last row of events says it.
const schema = `
CREATE TABLE events (
	seq          INTEGER PRIMARY KEY,
	id           TEXT NOT NULL,
	at           INTEGER NOT NULL,
	command      TEXT NOT NULL,
	source       TEXT NOT NULL,
	operation_id TEXT NOT NULL,
	message_id   TEXT NOT NULL,
	traceparent  TEXT NOT NULL,
	hops         INTEGER NOT NULL,
	replay_of    TEXT NOT NULL,
	targets      BLOB NOT NULL,
	body         BLOB NOT NULL
);
CREATE INDEX events_id ON events (id);
CREATE TABLE sinks (
	id        INTEGER PRIMARY KEY,
	name      TEXT NOT NULL UNIQUE,
	floor     INTEGER NOT NULL,
	accepted  INTEGER NOT NULL,
	settled   INTEGER NOT NULL,
	paused    TEXT NOT NULL,
	paused_at INTEGER NOT NULL
);
CREATE TABLE pending (
	sink     INTEGER NOT NULL,
	seq      INTEGER NOT NULL,
	state    INTEGER NOT NULL,
	lane     INTEGER NOT NULL,
	due      INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	status   INTEGER NOT NULL,
	reason   TEXT NOT NULL,
	PRIMARY KEY (sink, seq)
) WITHOUT ROWID;
CREATE INDEX pending_due ON pending (sink, due, seq) WHERE state = 2;
CREATE INDEX pending_lane ON pending (sink, lane, seq, state) WHERE lane <> 0;
CREATE INDEX pending_seq ON pending (seq, sink, state);
CREATE TABLE head (seq INTEGER NOT NULL);
INSERT INTO head VALUES (0);
`

// Statements name states by number: a partial index serves only what repeats its condition to the letter.
var (
	_ = [1]int{}[queue.Retrying-2]
	_ = [1]int{}[queue.Blocked-3]
	_ = [1]int{}[queue.Stuck-4]
	_ = [1]int{}[queue.Skipped-6]
)

const (
	applicationID = 0x43427175 // "CBqu": the queue of Callboard
	schemaVersion = 1
)

// usable says in words what SQLite would only say in a code: what is wrong with the place of the file.
func usable(path string) error {
	folder, err := os.Stat(filepath.Dir(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the folder %s does not exist", filepath.Dir(path))
	case err != nil:
		return err
	case !folder.IsDir():
		return fmt.Errorf("%s is not a folder", filepath.Dir(path))
	}
	if err := dbfile.Make(path); err != nil {
		return err
	}
	// SQLite keeps two more files beside it for as long as it is open.
	probe, err := os.CreateTemp(filepath.Dir(path), ".writable-*")
	if err != nil {
		return err
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// openWriter opens the connection that writes, and makes the tables where there are none.
func openWriter(ctx context.Context, o Options) (*sql.DB, *sql.Conn, error) {
	db, err := dbfile.Open(o.Driver, o.Path, "busy_timeout(10000)")
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	c, err := db.Conn(ctx)
	if err == nil {
		err = prepareFile(ctx, c, o)
	}
	if err != nil {
		if c != nil {
			err = errors.Join(err, c.Close())
		}
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, c, nil
}

// prepareFile makes or checks the tables, and sets the connection up. It changes nothing in a file of somebody else.
func prepareFile(ctx context.Context, c *sql.Conn, o Options) error {
	var app, version, tables int
	for query, to := range map[string]*int{
		`PRAGMA application_id`:              &app,
		`PRAGMA user_version`:                &version,
		`SELECT count(*) FROM sqlite_schema`: &tables,
	} {
		if err := c.QueryRowContext(ctx, query).Scan(to); err != nil {
			return err
		}
	}
	fresh := app == 0 && version == 0 && tables == 0
	switch {
	case !fresh && app != applicationID:
		return fmt.Errorf("%s belongs to another application; choose another data folder", o.Path)
	case version > schemaVersion:
		return fmt.Errorf("%s was written by a newer release (format %d, this one knows %d); run that release, or choose another data folder",
			o.Path, version, schemaVersion)
	}
	if fresh {
		if err := execAll(ctx, c, `PRAGMA page_size = 8192`, `PRAGMA auto_vacuum = INCREMENTAL`); err != nil {
			return err
		}
	}
	err := execAll(ctx, c,
		`PRAGMA journal_mode = WAL`,
		`PRAGMA synchronous = FULL`,
		`PRAGMA wal_autocheckpoint = 0`,
		fmt.Sprintf(`PRAGMA journal_size_limit = %d`, o.walLimit),
		`PRAGMA foreign_keys = OFF`,
		`PRAGMA cache_size = -16384`,
	)
	if err != nil || !fresh {
		return err
	}
	return execAll(ctx, c, fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		schema, applicationID, schemaVersion))
}

func execAll(ctx context.Context, c *sql.Conn, statements ...string) error {
	for _, s := range statements {
		if _, err := c.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
