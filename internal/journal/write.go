package journal

import (
	"context"
	"fmt"
	"time"

	"callboard/internal/dbfile"
)

const (
	gather     = 50 * time.Millisecond // how long records gather before the writer looks at them
	writeAfter = time.Second           // how long a chunk is filled
	retryAfter = time.Second           // how long a disk is left alone that failed
	idle       = time.Minute           // how often keepHouse looks when nothing happens
	fewChunks  = 256                   // so many small chunks in a row become one
	maxSpares  = 4                     // chunks whose memory is kept for the next ones
)

// Run writes until ctx ends, then writes what is left and closes the journal. It fails only when that last write does.
func (j *Journal) Run(ctx context.Context) error {
	background := context.WithoutCancel(ctx) // a write that has begun is finished
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(j.round(background))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-j.inbox.some:
			timer.Reset(gather)
			select {
			case <-ctx.Done():
			case <-timer.C:
			case <-j.inbox.many:
			}
		}
	}
	return j.close(background)
}

// round does what is due, and returns when to come again at the latest.
func (j *Journal) round(ctx context.Context) time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.drainLocked()
	if !j.open.empty() && len(j.waiting) == 0 && time.Since(j.open.born) >= writeAfter {
		j.fullLocked()
	}
	if j.retryAt.IsZero() || time.Now().After(j.retryAt) {
		_ = j.writeLocked(ctx) // it has said so
	}
	more := false
	if time.Since(j.keptAt) >= writeAfter {
		more = j.keepHouseLocked(ctx)
	}
	switch {
	case !j.retryAt.IsZero():
		return max(time.Until(j.retryAt), gather)
	case !j.open.empty():
		return max(time.Until(j.open.born.Add(writeAfter)), 0)
	case more:
		return writeAfter
	}
	return idle
}

// close writes what is left.
func (j *Journal) close(ctx context.Context) error {
	j.inbox.close()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.drainLocked()
	if !j.open.empty() {
		j.fullLocked()
	}
	err := j.writeLocked(ctx)
	if err != nil {
		err = fmt.Errorf("writing what is left of the journal: %w", err)
	}
	j.closed = true
	close(j.done)
	if j.store != nil {
		if closing := j.store.close(); err == nil && closing != nil {
			err = fmt.Errorf("closing the journal: %w", closing)
		}
	}
	return err
}

// drainLocked moves what has come in into chunks, and shows it to those who follow.
func (j *Journal) drainLocked() {
	items := j.inbox.take()
	defer clear(items) // their memory is used again
	for _, it := range items {
		if len(j.open.records) >= j.chunkBytes {
			j.fullLocked()
		}
		j.open.cost += it.cost
		if it.attempt != nil {
			j.open.addAttempt(it.attempt, j.enc.attempt(it.attempt))
			continue
		}
		record := j.enc.callback(it.callback)
		j.open.addCallback(it.callback, record)
		j.showLocked(record)
	}
}

// fullLocked begins another chunk.
func (j *Journal) fullLocked() {
	j.waiting = append(j.waiting, j.open)
	if last := len(j.spares) - 1; last >= 0 {
		j.open, j.spares = j.spares[last], j.spares[:last]
		return
	}
	j.open = new(chunk)
	j.open.reset()
}

// writeLocked writes the chunks that wait. It says once when that fails, and once when it goes again; meanwhile they
// wait, and what finds no room in Options.Buffer is dropped.
func (j *Journal) writeLocked(ctx context.Context) error {
	replaced := false
	for len(j.waiting) > 0 {
		err := j.writeChunkLocked(ctx, j.waiting[0])
		if err != nil && dbfile.Damaged(err) && !replaced {
			replaced = true
			if err = j.replaceLocked(ctx, err); err == nil {
				continue
			}
		}
		if err != nil {
			j.metrics.writeErrors.Inc()
			if j.retryAt.IsZero() {
				j.lostAt = j.dropped.Load()
				j.o.Log.Error("writing the journal failed; records wait while there is room in memory and are then dropped", "err", err)
			}
			j.retryAt = time.Now().Add(retryAfter)
			return err
		}
		if !j.retryAt.IsZero() {
			j.retryAt = time.Time{}
			j.o.Log.Info("the journal is written again", "dropped", j.dropped.Load()-j.lostAt)
		}
		j.waiting[0] = nil
		j.waiting = j.waiting[1:]
		j.mergeLocked(ctx)
	}
	j.waiting = nil
	return nil
}

func (j *Journal) writeChunkLocked(ctx context.Context, c *chunk) error {
	if j.store == nil {
		if err := j.openStore(ctx); err != nil {
			return err
		}
	}
	c.id = j.lastID + 1
	if err := j.putLocked(ctx, c, nil); err != nil {
		return err
	}
	j.lastID++
	j.written = append(j.written, c.meta)
	j.stats.note(j.written)
	j.inbox.free(c.cost)
	if len(j.spares) < maxSpares {
		c.reset()
		j.spares = append(j.spares, c)
	}
	return nil
}

// putLocked stores a chunk, and removes others, in one transaction.
func (j *Journal) putLocked(ctx context.Context, c *chunk, remove []int64) error {
	c.terms = sortTerms(c.terms)
	j.packed = j.compressor.EncodeAll(c.records, j.packed[:0])
	terms := packTerms(c.terms)
	if err := j.store.put(ctx, c.meta, terms, j.packed, remove); err != nil {
		return fmt.Errorf("writing chunk %d: %w", c.id, err)
	}
	j.metrics.writtenBytes.Add(float64(len(j.packed) + len(terms)))
	return nil
}

// mergeLocked joins small chunks at the end, of which quiet times make one a second. Not while somebody searches: a search
// knows chunks by their ids.
func (j *Journal) mergeLocked(ctx context.Context) {
	for j.searches == 0 {
		first := len(j.written)
		for first > 0 && j.written[first-1].raw < j.chunkBytes/2 && !j.written[first-1].damaged {
			first--
		}
		raw, n := 0, 0
		for _, m := range j.written[first:] {
			if raw >= j.chunkBytes || n == fewChunks {
				break
			}
			raw += m.raw
			n++
		}
		if raw < j.chunkBytes && n < fewChunks {
			return
		}
		if err := j.mergeRunLocked(ctx, first, n); err != nil {
			j.o.Log.Warn("merging chunks of the journal failed", "err", err)
			return
		}
	}
}

// mergeRunLocked makes the n chunks from place first one, with the id of the first.
func (j *Journal) mergeRunLocked(ctx context.Context, first, n int) error {
	var c chunk
	c.reset()
	run := j.written[first : first+n]
	var remove []int64
	for i, m := range run {
		records, err := j.store.records(ctx, m.id, nil)
		if err == nil {
			err = j.store.terms(ctx, m.id, m.id, func(_ int64, packed []byte) { c.terms = appendPacked(c.terms, packed) })
		}
		if err != nil {
			run[i].damaged = true
			return fmt.Errorf("reading chunk %d: %w", m.id, err)
		}
		c.join(m, records)
		if i > 0 {
			remove = append(remove, m.id)
		}
	}
	c.id = run[0].id
	if err := j.putLocked(ctx, &c, remove); err != nil {
		return err
	}
	run[0] = c.meta
	j.written = append(j.written[:first+1], j.written[first+n:]...)
	j.stats.note(j.written)
	return nil
}
