package journal

import (
	"context"
	"time"
)

const (
	removeAtOnce = 128 // chunks
	shrinkAtOnce = 256 // pages of 8 KiB
)

// keepHouseLocked removes what is too old or too much, oldest first, and gives room back to the file system: a little at a
// time. It reports whether more is to be done.
func (j *Journal) keepHouseLocked(ctx context.Context) (more bool) {
	j.keptAt = time.Now()
	if j.store == nil {
		return false
	}
	used, unused, err := j.store.space(ctx)
	if err != nil {
		j.o.Log.Warn("measuring the journal failed", "err", err)
		return false
	}
	gone := j.expiredLocked(used)
	if len(gone) > removeAtOnce {
		gone, more = gone[:removeAtOnce], true
	}
	if len(gone) > 0 {
		if err := j.removeLocked(ctx, gone); err != nil {
			j.o.Log.Warn("removing old chunks of the journal failed", "err", err)
			return false
		}
		if used, unused, err = j.store.space(ctx); err != nil {
			return false
		}
	}
	// Some room is left for what comes next: shrinking and growing in turns would be work for nothing.
	if unused > used/8+min(j.o.MaxBytes/16, 1<<20) {
		if err := j.store.shrink(ctx, shrinkAtOnce); err != nil {
			j.o.Log.Warn("shrinking the journal failed", "err", err)
			return false
		}
		more = true
	}
	j.stats.bytes.Store(used + unused)
	return more
}

// expiredLocked returns the ids of the chunks that have to go, ascending.
func (j *Journal) expiredLocked(used int64) []int64 {
	surplus := 0 // chunks
	if over := used - j.o.MaxBytes; over > 0 && len(j.written) > 0 {
		each := max(used/int64(len(j.written)), 1)
		surplus = int((over + each - 1) / each)
	}
	horizon := time.Now().Add(-j.o.MaxAge).UnixMilli()
	var ids []int64
	for i, m := range j.written {
		// All are looked at: after a clock has jumped, not only the first may be old.
		if i < surplus || m.newest < horizon {
			ids = append(ids, m.id)
		}
	}
	return ids
}

func (j *Journal) removeLocked(ctx context.Context, ids []int64) error {
	if err := j.store.remove(ctx, ids); err != nil {
		return err
	}
	kept := j.written[:0]
	for _, m := range j.written {
		if len(ids) > 0 && m.id == ids[0] {
			ids = ids[1:]
			continue
		}
		kept = append(kept, m)
	}
	j.written = kept
	j.stats.note(j.written)
	return nil
}
