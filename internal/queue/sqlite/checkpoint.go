package sqlite

import (
	"context"
	"encoding/binary"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// checkpointEvery is how often what was written is moved into the file, as long as something is. Seldom enough that a page
// which many commits change is moved once, often enough that the log stays small.
const checkpointEvery = 300 * time.Millisecond

// checkpoints moves what commits leave in the write-ahead log into the file, until ctx ends.
func (s *store) checkpoints(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		select {
		case <-s.wrote:
		case <-ctx.Done():
			return
		}
		timer.Reset(checkpointEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		if err := s.checkpoint(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Warn("checkpoint of the queue failed", "err", s.failed("checkpointing", err))
			if s.full(err) {
				s.mu.Lock()
				s.reserve.giveUp()
				s.mu.Unlock()
				s.tellCheckpoints()
			}
		}
	}
}

// checkpoint does one. On a full disk it gives the log's room back. Else it holds nobody up, unless the log has grown beyond
// its limit: that happens when there is never a moment without a writer, which is the only one at which SQLite begins the log
// anew. Then commits wait for what is left, little since most was moved just before.
func (s *store) checkpoint(ctx context.Context) error {
	s.mu.Lock()
	if !s.reserve.there { // nothing else counts
		defer s.mu.Unlock()
		_, err := s.moveLog(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
		return err
	}
	s.mu.Unlock()
	pages, err := s.moveLog(ctx, `PRAGMA wal_checkpoint(PASSIVE)`)
	if err != nil || pages*s.pageSize < s.o.walLimit {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = s.moveLog(ctx, `PRAGMA wal_checkpoint(RESTART)`)
	return err
}

func (s *store) moveLog(ctx context.Context, how string) (pages int64, err error) {
	var busy, moved int64
	if err := s.checkpointer.QueryRowContext(ctx, how).Scan(&busy, &pages, &moved); err != nil {
		return 0, err
	}
	if run, err := s.walRun(); err == nil {
		s.wal.saw(run, pages*(s.pageSize+24)) // each has a head of 24 bytes
	}
	return pages, nil
}

// walRun reads the number that the log's head has, another each time that SQLite begins it anew.
func (s *store) walRun() (uint32, error) {
	f, err := os.Open(s.o.Path + "-wal")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var head [16]byte
	_, err = io.ReadFull(f, head[:])
	return binary.BigEndian.Uint32(head[12:]), err
}

// walCount adds up what is written to the log, for Usage. It is told by looking, so what comes between the last look and
// the log's new beginning is missed; what is then written to the file itself, at most as much again, is not counted.
type walCount struct {
	written atomic.Int64
	run     uint32 // that was last seen
	bytes   int64  // that it had
}

func (w *walCount) saw(run uint32, bytes int64) {
	if run != w.run {
		w.run, w.bytes = run, 0
	}
	w.written.Add(max(0, bytes-w.bytes))
	w.bytes = max(w.bytes, bytes)
}
