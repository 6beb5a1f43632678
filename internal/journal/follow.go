package journal

import (
	"context"
	"slices"
	"sync/atomic"
)

// What a follower may have before it: beyond that it misses some.
const (
	followRecords = 256
	followBytes   = 8 << 20
)

// A follower is one call of Follow.
type follower struct {
	query  query
	news   chan news
	bytes  atomic.Int64 // in news
	missed int          // since the last that went into news; guarded by Journal.mu
}

type news struct {
	callback *Callback
	missed   int
	size     int
}

// Follow calls yield with callbacks as they are recorded, until it returns false or ctx ends. Who is too slow misses
// some, and hears how many with the next one. It returns the error of ctx, or ErrClosed when Run has ended. Callbacks come
// through Run, some 50 ms after they were recorded.
func (j *Journal) Follow(ctx context.Context, f Filter, yield func(c *Callback, missed int) bool) error {
	me := &follower{query: f.query(), news: make(chan news, followRecords)}
	j.mu.Lock()
	j.drainLocked() // what was recorded before is not news
	j.follows = append(j.follows, me)
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.follows = slices.DeleteFunc(j.follows, func(f *follower) bool { return f == me })
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case n := <-me.news:
			me.bytes.Add(-int64(n.size))
			if !yield(n.callback, n.missed) {
				return nil
			}
			continue
		case <-j.done:
		}
		for { // what came before the end
			select {
			case n := <-me.news:
				if !yield(n.callback, n.missed) {
					return nil
				}
			default:
				return ErrClosed
			}
		}
	}
}

// showLocked hands an encoded callback to those who follow.
func (j *Journal) showLocked(record []byte) {
	for _, f := range j.follows {
		if _, ok, err := f.query.look(record); err != nil || !ok {
			continue
		}
		c, err := decodeCallback(record)
		if err != nil {
			continue
		}
		n := news{callback: c, missed: f.missed, size: len(record)}
		if f.bytes.Add(int64(n.size)) <= followBytes {
			select {
			case f.news <- n:
				f.missed = 0
				continue
			default:
			}
		}
		f.bytes.Add(-int64(n.size))
		f.missed++
		j.metrics.missed.Inc()
	}
}
