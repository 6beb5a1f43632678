package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"callboard/internal/dbfile"
)

// A place is where the queue's file was when it was opened. A file that has been removed can still be written, and is lost
// when the process ends: what is accepted must be where the next process looks for it.
type place struct {
	path string
	info os.FileInfo
}

// settle remembers the file, and keeps what SQLite has beside it to the same people: message bodies are in there, too.
func (p *place) settle(path string) (err error) {
	p.path = path
	if p.info, err = os.Stat(path); err != nil {
		return err
	}
	return dbfile.ShareMode(path)
}

// check returns an error unless the file is still where it was, with its log.
func (p *place) check() error {
	info, err := os.Stat(p.path)
	if err == nil && !os.SameFile(info, p.info) {
		return fmt.Errorf("another file has taken the place of %s: restart callboard, or put the right one back", p.path)
	}
	if err == nil {
		_, err = os.Stat(p.path + "-wal")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has been removed while it is in use, or its -wal has: put it back, or restart callboard", p.path)
	}
	return err
}
