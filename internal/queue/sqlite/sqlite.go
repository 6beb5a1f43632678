// Package sqlite is the embedded queue.Store: one SQLite file in the data folder.
//
// Open makes one. One connection writes (commit.go, trim.go), a few read beside it (read.go, search.go), one moves what
// is written from the write-ahead log into the file (checkpoint.go); so neither a search nor a checkpoint holds a commit
// up. What the file holds is drawn in schema.go. Deciding when to deliver what is left to package queue.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"callboard/internal/dbfile"
	"callboard/internal/queue"
)

// Options configures Open. Path is required.
type Options struct {
	// Path is the database file. It is made where it is missing; its folder must exist.
	Path string
	// Driver is the name of a database/sql driver for SQLite. "" means that of github.com/ncruces/go-sqlite3.
	Driver string
	// Log receives checkpoints that fail and the like. Nil discards.
	Log *slog.Logger

	reserve  int64 // bytes put by for a full disk; zero means reserveBytes
	walLimit int64 // bytes that the write-ahead log may have before commits wait for a checkpoint; zero means walLimit
}

const (
	walLimit    = 64 << 20
	readerConns = 3
)

func (o Options) withDefaults() Options {
	if o.Driver == "" {
		o.Driver = dbfile.DefaultDriver
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.walLimit == 0 {
		o.walLimit = walLimit
	}
	if o.reserve == 0 {
		o.reserve = reserveBytes
	}
	return o
}

// store is the queue.Store. Locks are taken in the order trimming, mu, usageMu.
type store struct {
	o Options

	readers *sql.DB
	read    readStmts
	dir     atomic.Pointer[directory] // of sinks; replaced under mu

	mu      sync.Mutex // guards the writing connection and all below
	db      *sql.DB    // of the writing connection
	writer  *sql.Conn
	write   writeStmts
	synced  bool // what the connection is set to: commits wait for the disk
	suspect bool // the disk refused a commit: see commit
	reserve reserve
	place   place
	head    uint64
	floors  []uint64 // sink id → floor
	stale   spans    // events that may have become done since Trim looked
	usage   queue.Usage
	counted time.Time // when usage.Bytes was last asked of SQLite
	targets []byte    // scratch

	usageMu   sync.Mutex // guards toldUsage
	toldUsage queue.Usage

	trimming sync.Mutex // held by Trim

	checkpointer *sql.DB
	pageSize     int64
	wrote        chan struct{} // holds one when there is something to checkpoint
	stop         context.CancelFunc
	background   sync.WaitGroup
	closed       atomic.Bool
	wal          walCount // used by the checkpoints' goroutine
}

// Open opens the store, and starts what it needs in the background; Close ends that.
func Open(ctx context.Context, o Options) (queue.Store, error) {
	s := &store{o: o.withDefaults(), wrote: make(chan struct{}, 1), synced: true}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(s.failed("opening the queue", err), s.closeAll())
	}
	background, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.background.Go(func() { s.checkpoints(background) })
	return s, nil
}

func (s *store) open(ctx context.Context) error {
	if err := usable(s.o.Path); err != nil {
		return err
	}
	var err error
	if s.db, s.writer, err = openWriter(ctx, s.o); err != nil {
		return err
	}
	if err := s.writer.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&s.pageSize); err != nil {
		return err
	}
	if s.write, err = prepareWrites(ctx, s.writer); err != nil {
		return err
	}
	if s.checkpointer, err = dbfile.Open(s.o.Driver, s.o.Path, "busy_timeout(100)"); err != nil {
		return err
	}
	s.checkpointer.SetMaxOpenConns(1)
	if s.readers, err = dbfile.Open(s.o.Driver, s.o.Path, "busy_timeout(10000)", "query_only(1)", "cache_size(-4096)"); err != nil {
		return err
	}
	s.readers.SetMaxOpenConns(readerConns)
	s.readers.SetMaxIdleConns(readerConns)
	if s.read, err = prepareReads(ctx, s.readers); err != nil {
		return err
	}
	s.reserve = reserve{path: s.o.Path + "-reserve", most: s.o.reserve}
	if err := s.reserve.have(); err != nil {
		s.o.Log.Warn("the queue has nothing put by: it takes nothing new until it has", "err", err)
	}
	if err := s.restore(ctx); err != nil {
		return err
	}
	return s.place.settle(s.o.Path)
}

// Close ends it.
func (s *store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.stop()
	s.background.Wait()
	s.trimming.Lock()
	defer s.trimming.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	// The checkpoint begins by syncing the write-ahead log, so even one that fails for lack of room leaves everything
	// durable. What it could not move is moved when the file is opened again.
	err := errors.Join(s.readers.Close(), s.checkpointer.Close())
	_, cerr := s.writer.ExecContext(context.Background(), `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err = errors.Join(err, cerr, s.closeAll()); err != nil {
		return s.failed("closing its file", err)
	}
	return nil
}

// closeAll closes what is open.
func (s *store) closeAll() error {
	var errs []error
	for _, db := range []*sql.DB{s.readers, s.checkpointer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.writer != nil {
		errs = append(errs, s.write.close(), s.writer.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}
