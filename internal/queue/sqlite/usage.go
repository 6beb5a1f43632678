package sqlite

import (
	"errors"
	"time"

	"callboard/internal/queue"
)

// Between two counts of pages, what is written is estimated: these are what a row takes beside the body.
const (
	eventOverhead = 320
	rowOverhead   = 160
	countEvery    = 250 * time.Millisecond
)

// countLocked asks SQLite how much is in use. If it cannot tell, the estimate stays; mu is held.
func (s *store) countLocked() {
	if pages, free, err := s.pagesLocked(); err == nil {
		s.usage.Bytes, s.counted = (pages-free)*s.pageSize, time.Now()
	}
}

// pagesLocked asks SQLite how many pages the file has, and how many of them are free; mu is held.
func (s *store) pagesLocked() (pages, free int64, err error) {
	if s.closed.Load() {
		return 0, 0, queue.ErrClosed
	}
	err = errors.Join(s.write.pageCount.QueryRow().Scan(&pages), s.write.freePages.QueryRow().Scan(&free))
	return pages, free, err
}

// Usage tells how much there is. Bytes are of the file's pages; the write-ahead log beside it, at most some 64 MB,
// is not counted. A commit that hangs does not hold it up.
func (s *store) Usage() queue.Usage {
	s.usageMu.Lock()
	defer s.usageMu.Unlock()
	u := s.toldUsage
	u.Written = s.wal.written.Load()
	return u
}

// tellUsageLocked lets Usage return what is known now; mu is held.
func (s *store) tellUsageLocked() {
	s.usageMu.Lock()
	defer s.usageMu.Unlock()
	s.toldUsage = s.usage
}
