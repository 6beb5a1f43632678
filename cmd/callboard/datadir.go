package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// lockName is the file in a data folder that its owner holds a lock on. The lock ends with the
// process, however it ends; the file stays.
const lockName = "callboard.lock"

// errLocked means that another process holds the lock.
var errLocked = errors.New("locked by another process")

// A dataDir is a data folder that this process owns.
type dataDir struct {
	path string
	lock *os.File // open as long as the folder is owned
	made bool     // whether it was not there before
}

// openDataDir makes the folder if need be, takes its lock, and sees that it can be written to.
func openDataDir(path string) (*dataDir, error) {
	_, err := os.Stat(path)
	made := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, hinted(fmt.Errorf("making the data folder: %w", err), "name a folder that this user may write to with --data")
	}
	lock, err := lockFile(filepath.Join(path, lockName))
	if errors.Is(err, errLocked) {
		return nil, hinted(fmt.Errorf("opening the data folder %s: %w", path, err),
			"one process owns a data folder: stop the other one, or give this one a folder of its own with --data")
	}
	if err != nil {
		return nil, hinted(fmt.Errorf("locking the data folder: %w", err), "name a folder that this user may write to with --data")
	}
	return &dataDir{path: path, lock: lock, made: made}, nil
}

// Close gives the folder up.
func (d *dataDir) Close() error {
	if err := d.lock.Close(); err != nil {
		return fmt.Errorf("giving up the data folder: %w", err)
	}
	return nil
}
