package sqlite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"time"
)

// A reserve is a file beside the database that does nothing but take up room. On a full disk even the end of a delivery could
// not be noted, nor a done event removed, and the queue would stay full for ever: then the reserve is removed, what is
// settled has its room, and new events are refused until there is room for a reserve again. mu guards it.
type reserve struct {
	path  string
	most  int64
	there bool
	tried time.Time
}

const (
	reserveBytes = 16 << 20
	// leastReserve is the smallest that does: where there is no room for all, half of it is tried, and so on.
	leastReserve = 256 << 10
	// reserveEvery is how often it is tried to have one again.
	reserveEvery = time.Second
)

var errNoReserve = fmt.Errorf("nothing can be put by for what is settled: %w", syscall.ENOSPC)

// have sees that there is one, if it can be.
func (r *reserve) have() error {
	if r.there {
		return nil
	}
	if time.Since(r.tried) < reserveEvery {
		return errNoReserve
	}
	r.tried = time.Now()
	if info, err := os.Stat(r.path); err == nil && info.Size() >= leastReserve {
		r.there = true
		return nil
	}
	for size := r.most; size >= leastReserve; size /= 2 {
		err := writeReserve(r.path, size)
		if err == nil {
			r.there = true
			return nil
		}
		_ = os.Remove(r.path)
		if !noRoom(err) {
			return fmt.Errorf("putting room by: %w", err)
		}
	}
	return errNoReserve
}

// writeReserve fills a file with noise, which no file system makes smaller.
func writeReserve(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	chunk := make([]byte, leastReserve)
	_, err = rand.NewChaCha8([32]byte{}).Read(chunk)
	for written := int64(0); err == nil && written < size; written += int64(len(chunk)) {
		_, err = f.Write(chunk)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// giveUp makes room.
func (r *reserve) giveUp() {
	if r.there {
		r.there, r.tried = false, time.Now()
		_ = os.Remove(r.path) // if it stays there is no room, and callers are told so
	}
}
