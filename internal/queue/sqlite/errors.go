package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"callboard/internal/queue"
)

// SQLite's primary result codes that people or callers must be told apart.
const (
	codePerm     = 3
	codeReadOnly = 8
	codeIOErr    = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

// errDamaged is for what SQLite does not notice.
var errDamaged = errors.New("contents make no sense")

// code returns the primary result code of an error of either driver, 0 when it has none.
func code(err error) int {
	if e, ok := errors.AsType[sqlite3.ExtendedErrorCode](err); ok {
		return int(e.Code())
	}
	if e, ok := errors.AsType[interface { // of modernc.org/sqlite
		error
		Code() int
	}](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// full says whether an error means that there is no room. ncruces/go-sqlite3 v0.36 reports a write that found none as
// any other failed write, so then a small file is tried.
func (s *store) full(err error) bool {
	switch {
	case code(err) == codeFull, noRoom(err):
		return true
	case code(err) != codeIOErr:
		return false
	}
	f, err := os.CreateTemp(filepath.Dir(s.o.Path), ".room-*")
	if err != nil {
		return noRoom(err)
	}
	_, err = f.Write(make([]byte, 1<<20))
	_ = f.Close()
	_ = os.Remove(f.Name())
	return noRoom(err)
}

func noRoom(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// failed wraps an error with what was being done, and where it helps with what it means and what to do.
func (s *store) failed(doing string, err error) error {
	c := code(err)
	switch {
	case s.closed.Load():
		return fmt.Errorf("%s: %w", doing, queue.ErrClosed)
	case s.full(err):
		return fmt.Errorf("%s: %w: no room left for %s: %w", doing, queue.ErrFull, s.o.Path, err)
	case c == codeCorrupt, c == codeNotADB, errors.Is(err, errDamaged):
		return fmt.Errorf("%s: %s is damaged (%w): restore it from a backup, or move it away together with %s-wal and start "+
			"without it; deliveries that waited in it are lost then, though callbacks can be replayed from the journal, "+
			"which is a file of its own", doing, s.o.Path, err, filepath.Base(s.o.Path))
	case c == codeReadOnly, c == codePerm, c == codeCantOpen, errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s: %s and its folder must be writable: %w", doing, s.o.Path, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
