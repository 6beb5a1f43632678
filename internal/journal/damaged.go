package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"callboard/internal/dbfile"
)

// openStore opens the file, or moves it aside and begins another when it is damaged.
func (j *Journal) openStore(ctx context.Context) error {
	s, written, err := newStore(ctx, j.o.Driver, j.o.Path)
	if err != nil && dbfile.Damaged(err) {
		aside, moving := moveAside(j.o.Path)
		if moving != nil {
			return errors.Join(err, moving)
		}
		j.o.Log.Error("the journal is damaged; it was moved aside and a new one begun", "path", j.o.Path, "moved_to", aside, "err", err)
		s, written, err = newStore(ctx, j.o.Driver, j.o.Path)
	}
	if err != nil {
		return err
	}
	j.store, j.written = s, written
	if len(written) > 0 {
		j.lastID = written[len(written)-1].id
	}
	j.stats.note(written)
	return nil
}

// replaceLocked moves the file aside that turned out to be damaged while it was in use, and begins another. Searches under
// way fail.
func (j *Journal) replaceLocked(ctx context.Context, damage error) error {
	_ = j.store.close() // what it could not write is lost anyway
	j.store, j.written = nil, nil
	aside, err := moveAside(j.o.Path)
	if err != nil {
		return errors.Join(damage, err)
	}
	j.o.Log.Error("the journal is damaged; it was moved aside and a new one begun", "path", j.o.Path, "moved_to", aside, "err", damage)
	return j.openStore(ctx)
}

// moveAside renames the database file and what SQLite keeps beside it, and returns the new name.
func moveAside(path string) (string, error) {
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("moving the damaged journal aside: %w", err)
		}
	}
	return aside, nil
}
