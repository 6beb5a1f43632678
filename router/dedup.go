package router

import (
	"crypto/sha256"
	"sync"
	"time"

	"callboard/openim"
)

// dedupShards bounds how much callbacks wait for each other's locks; maxRepeats how many callbacks are remembered in each
// shard, however long the window: about a million in all, some 200 MB at worst.
const (
	dedupShards = 16
	maxRepeats  = 1 << 16
)

// A repeatKey is what the same callback has in common with itself, hashed: 128 bits never meet by chance.
type repeatKey [16]byte

// dedup remembers callbacks for a while, in memory: the same one again is answered as before and does nothing.
type dedup struct {
	shards [dedupShards]dedupShard
}

type dedupShard struct {
	mu    sync.Mutex // guards what follows
	seen  map[repeatKey]*remembered
	order []*remembered // oldest first; forgotten ones are still in it
}

// remembered is a callback that has come once.
type remembered struct {
	key     repeatKey
	id      string // of the callback
	at      time.Time
	done    chan struct{} // closed when the verdict is there, or the callback was forgotten
	verdict openim.Verdict
	kept    bool // whether verdict counts: set before done is closed
}

// newRepeatKey counts a callback that has come round a loop as another one: it would wait for itself, and loops are to be seen.
func newRepeatKey(source string, hops int, key string) (k repeatKey) {
	h := sha256.New()
	h.Write([]byte(source))
	h.Write([]byte{0, byte(hops)})
	h.Write([]byte(key))
	copy(k[:], h.Sum(nil))
	return k
}

// begin returns what is known of a callback, and whether this is its first time: then end must be called.
func (d *dedup) begin(key repeatKey, id string, now time.Time, window time.Duration) (r *remembered, first bool) {
	s := &d.shards[key[0]%dedupShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireLocked(now.Add(-window))
	if r = s.seen[key]; r != nil {
		return r, false
	}
	r = &remembered{key: key, id: id, at: now, done: make(chan struct{})}
	if s.seen == nil {
		s.seen = make(map[repeatKey]*remembered)
	}
	s.seen[key] = r
	s.order = append(s.order, r)
	return r, true
}

// expireLocked forgets what came before a time, and the oldest where there are too many.
func (s *dedupShard) expireLocked(before time.Time) {
	n := 0
	for n < len(s.order) && (s.order[n].at.Before(before) || len(s.order)-n >= maxRepeats) {
		s.forgetLocked(s.order[n])
		s.order[n] = nil
		n++
	}
	s.order = s.order[n:]
}

func (s *dedupShard) forgetLocked(r *remembered) {
	if s.seen[r.key] == r {
		delete(s.seen, r.key)
	}
}

// end tells those who wait how the callback ended. What ended in trouble is forgotten: IMServer's next try is a new one.
func (d *dedup) end(r *remembered, t *Trace) {
	r.verdict, r.kept = t.Verdict, t.Trouble == "" && !t.undecided
	if !r.kept {
		s := &d.shards[r.key[0]%dedupShards]
		s.mu.Lock()
		s.forgetLocked(r)
		s.mu.Unlock()
	}
	close(r.done)
}

// wait waits until the callback has ended, or the time for that has.
func (r *remembered) wait(g *Gateway, until time.Time) error {
	ctx := g.budgets.until(until)
	defer g.budgets.giveBack(ctx)
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// repeat answers a callback that has come before. first is what to end when this is its first time, nil where dedup is
// off or the callback has no key; answered is whether the trace has its verdict already.
func (g *Gateway) repeat(cb *openim.Callback, table *prepared, t *Trace) (first *remembered, answered bool) {
	key, ok := table.Rules.DedupKey(cb)
	if !ok {
		return nil, false
	}
	hashed := newRepeatKey(cb.Source, t.Hops, key)
	for {
		r, first := g.dedup.begin(hashed, t.ID, t.Received, table.Rules.Dedup.Window)
		if first {
			return r, false
		}
		if err := r.wait(g, t.Received.Add(g.o.AnswerWithin)); err != nil {
			t.RepeatOf = r.id
			g.inTrouble(t, unfinished, err)
			return nil, true
		}
		if r.kept {
			t.Verdict, t.RepeatOf = r.verdict, r.id
			t.Why = "a repeat of callback " + r.id + ", answered as before"
			g.metrics.repeated.Inc()
			return nil, true
		}
	}
}
