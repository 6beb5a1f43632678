package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"callboard/internal/dbfile"
	"callboard/internal/queue"
)

// errDamaged is for what SQLite does not notice.
var errDamaged = errors.New("contents make no sense")

// full says whether an error means that there is no room. ncruces/go-sqlite3 v0.36 reports a write that found none as
// any other failed write, so then a small file is tried.
func (s *store) full(err error) bool {
	switch {
	case dbfile.Code(err) == dbfile.Full, noRoom(err):
		return true
	case dbfile.Code(err) != dbfile.IOErr:
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
	c := dbfile.Code(err)
	switch {
	case s.closed.Load():
		return fmt.Errorf("%s: %w", doing, queue.ErrClosed)
	case s.full(err):
		return fmt.Errorf("%s: %w: no room left for %s: %w", doing, queue.ErrFull, s.o.Path, err)
	case dbfile.Damaged(err), errors.Is(err, errDamaged):
		return fmt.Errorf("%s: %s is damaged (%w): restore it from a backup, or move it away together with %s-wal and start "+
			"without it; deliveries that waited in it are lost then, though callbacks can be replayed from the journal, "+
			"which is a file of its own", doing, s.o.Path, err, filepath.Base(s.o.Path))
	case c == dbfile.ReadOnly, c == dbfile.Perm, c == dbfile.CantOpen, errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s: %s and its folder must be writable: %w", doing, s.o.Path, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
