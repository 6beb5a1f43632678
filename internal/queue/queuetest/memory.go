package queuetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"callboard/internal/queue"
)

// Memory is a queue.Store in memory: correct, simple, without goroutines and without a look at the clock, so that tests may
// use it inside synctest bubbles. It is also the model that other stores are compared with. The zero value is not
// ready; see NewMemory. Set the hooks before use.
type Memory struct {
	// BeforeCommit is called before a batch is applied, without locks held: it may wait (a slow disk). With an error Commit
	// returns that and nothing of the batch is kept (wrap queue.ErrFull for a full disk). Nil does nothing.
	BeforeCommit func(ctx context.Context, b *queue.Batch) error
	// AfterCommit is called when a batch is kept, before Commit returns, without locks held. With an error Commit
	// returns that although the batch is kept: what a caller sees whose connection broke. Nil does nothing.
	AfterCommit func(ctx context.Context, b *queue.Batch) error
	// BeforeRead is called before everything but Commit, Usage and Close, with the name of the method. With an error the method
	// returns that. Nil does nothing.
	BeforeRead func(method string) error

	kept *kept

	mu     sync.Mutex // guards closed; taken before kept.mu
	closed bool
}

// kept is what lasts over Reopen.
type kept struct {
	mu     sync.Mutex // guards all below
	head   uint64
	events []*queue.Event                   // by Seq
	sinks  map[string]*queue.Cursor         // sink name → its cursor
	rows   map[string]map[uint64]*queue.Row // sink name → Seq → row
	usage  queue.Usage
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{kept: &kept{sinks: map[string]*queue.Cursor{}, rows: map[string]map[uint64]*queue.Row{}}}
}

// Reopen returns a store over the same contents with the same hooks, as after a crash when m was not closed. From then on
// m answers every call with an error.
func (m *Memory) Reopen() *Memory {
	_ = m.Close()
	m.kept.mu.Lock()
	defer m.kept.mu.Unlock()
	m.kept.usage.Commits, m.kept.usage.Written = 0, 0
	return &Memory{BeforeCommit: m.BeforeCommit, AfterCommit: m.AfterCommit, BeforeRead: m.BeforeRead, kept: m.kept}
}

// Close closes the store; the contents stay for Reopen.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// Commit keeps a batch.
func (m *Memory) Commit(ctx context.Context, b *queue.Batch) error {
	if m.BeforeCommit != nil {
		if err := m.BeforeCommit(ctx, b); err != nil {
			return fmt.Errorf("committing: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	if err := m.apply(b); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	if m.AfterCommit != nil {
		if err := m.AfterCommit(ctx, b); err != nil {
			return fmt.Errorf("committing: %w", err)
		}
	}
	return nil
}

func (m *Memory) apply(b *queue.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return queue.ErrClosed
	}
	k := m.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range b.Events {
		k.head++
		e.Seq = k.head
		own := *e
		own.At = time.UnixMilli(e.At.UnixMilli()).UTC()
		k.events = append(k.events, &own)
		k.usage.Bytes += size(&own)
		k.usage.Written += size(&own)
		for _, t := range e.Targets {
			k.sinkLocked(t.Sink)
		}
	}
	for _, r := range b.Rows {
		k.sinkLocked(r.Sink)
		r.Due = instant(r.Due)
		k.rows[r.Sink][r.Seq] = &r
	}
	for _, ref := range b.Gone {
		delete(k.rows[ref.Sink], ref.Seq)
	}
	for _, c := range b.Sinks {
		c.PausedAt = instant(c.PausedAt)
		*k.sinkLocked(c.Sink) = c
	}
	k.usage.Commits++
	return nil
}

// sinkLocked returns the cursor of a sink, a new one where it is new.
func (k *kept) sinkLocked(name string) *queue.Cursor {
	c := k.sinks[name]
	if c == nil {
		c = &queue.Cursor{Sink: name}
		k.sinks[name] = c
		k.rows[name] = map[uint64]*queue.Row{}
	}
	return c
}

// size is what an event counts for in Usage.
func size(e *queue.Event) int64 { return int64(len(e.Body)) + 256 }

// instant is t as it comes back from a disk: no monotonic reading, no place.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

// begin takes the locks for a reading method, or says why not. On success done gives them back.
func (m *Memory) begin(ctx context.Context, method string) (k *kept, done func(), err error) {
	if m.BeforeRead != nil {
		if err := m.BeforeRead(method); err != nil {
			return nil, nil, fmt.Errorf("reading: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("reading: %w", err)
	}
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, nil, fmt.Errorf("reading: %w", queue.ErrClosed)
	}
	m.kept.mu.Lock()
	return m.kept, func() { m.kept.mu.Unlock(); m.mu.Unlock() }, nil
}

// Load tells how things stand.
func (m *Memory) Load(ctx context.Context) (*queue.Snapshot, error) {
	k, done, err := m.begin(ctx, "Load")
	if err != nil {
		return nil, err
	}
	defer done()
	snap := &queue.Snapshot{Head: k.head}
	for name, c := range k.sinks {
		s := queue.SinkSnapshot{Cursor: *c, Rows: map[queue.State]int{}, Lanes: map[uint64]int{}}
		for _, r := range k.rows[name] {
			s.Rows[r.State]++
			if r.Lane != 0 && r.State >= queue.Retrying && r.State <= queue.Stuck {
				s.Lanes[r.Lane]++
			}
			if r.State == queue.Retrying && (s.NextDue.IsZero() || r.Due.Before(s.NextDue)) {
				s.NextDue = r.Due
			}
		}
		snap.Sinks = append(snap.Sinks, s)
	}
	slices.SortFunc(snap.Sinks, func(a, b queue.SinkSnapshot) int { return cmp.Compare(a.Sink, b.Sink) })
	return snap, nil
}

// Read reads the log.
func (m *Memory) Read(ctx context.Context, sink string, after uint64, n, maxBytes int) ([]*queue.Event, uint64, error) {
	k, done, err := m.begin(ctx, "Read")
	if err != nil {
		return nil, after, err
	}
	defer done()
	var found []*queue.Event
	bytes := 0
	from, _ := slices.BinarySearchFunc(k.events, after+1, bySeq)
	for _, e := range k.events[from:] {
		if k.rows[sink][e.Seq] != nil || !hasTarget(e, sink) {
			continue
		}
		if len(found) > 0 && (len(found) >= n || bytes+len(e.Body) > maxBytes) {
			return found, found[len(found)-1].Seq, nil
		}
		found = append(found, clone(e))
		bytes += len(e.Body)
	}
	return found, max(after, k.head), nil
}

func bySeq(e *queue.Event, seq uint64) int { return cmp.Compare(e.Seq, seq) }

func hasTarget(e *queue.Event, sink string) bool {
	return slices.ContainsFunc(e.Targets, func(t queue.Target) bool { return t.Sink == sink })
}

// clone keeps callers from changing what is stored through Seq and the like. Targets and bodies do not change.
func clone(e *queue.Event) *queue.Event {
	c := *e
	return &c
}

// eventLocked returns a copy of an event, nil when it is gone.
func (k *kept) eventLocked(seq uint64) *queue.Event {
	i, ok := slices.BinarySearchFunc(k.events, seq, bySeq)
	if !ok {
		return nil
	}
	return clone(k.events[i])
}

// Due returns rows that are due.
func (m *Memory) Due(ctx context.Context, sink string, now time.Time, upTo uint64, n int) ([]queue.Waiting, time.Time, error) {
	k, done, err := m.begin(ctx, "Due")
	if err != nil {
		return nil, time.Time{}, err
	}
	defer done()
	var next time.Time
	sooner := func(due time.Time) {
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	var due []*queue.Row
	for _, r := range k.rows[sink] {
		switch {
		case r.State != queue.Retrying || r.Seq > upTo:
		case r.Due.After(now):
			sooner(r.Due)
		default:
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b *queue.Row) int { return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Seq, b.Seq)) })
	if len(due) > n {
		next = due[n].Due
		due = due[:n]
	}
	return k.waitingLocked(due), next, nil
}

// Lane returns the rows of a lane.
func (m *Memory) Lane(ctx context.Context, sink string, lane, upTo uint64, n int) ([]queue.Waiting, error) {
	k, done, err := m.begin(ctx, "Lane")
	if err != nil {
		return nil, err
	}
	defer done()
	var rows []*queue.Row
	for _, r := range k.rows[sink] {
		if r.Lane == lane && r.Seq <= upTo && r.State >= queue.Retrying && r.State <= queue.Stuck {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *queue.Row) int { return cmp.Compare(a.Seq, b.Seq) })
	return k.waitingLocked(rows[:min(n, len(rows))]), nil
}

// waitingLocked gives rows their events. A row whose event is gone is left out; there should be none.
func (k *kept) waitingLocked(rows []*queue.Row) []queue.Waiting {
	var ws []queue.Waiting
	for _, r := range rows {
		if e := k.eventLocked(r.Seq); e != nil {
			ws = append(ws, queue.Waiting{Row: *r, Event: e})
		}
	}
	return ws
}

// Event finds an event.
func (m *Memory) Event(ctx context.Context, id string) (*queue.Event, error) {
	k, done, err := m.begin(ctx, "Event")
	if err != nil {
		return nil, err
	}
	defer done()
	for _, e := range slices.Backward(k.events) {
		if e.ID == id {
			return clone(e), nil
		}
	}
	return nil, queue.ErrNotFound
}

// Search looks through what is not done.
func (m *Memory) Search(ctx context.Context, f queue.Filter, before queue.Ref, n int) ([]queue.Waiting, error) {
	k, done, err := m.begin(ctx, "Search")
	if err != nil {
		return nil, err
	}
	defer done()
	return k.searchLocked(f, before, n), nil
}

// Count counts what is not done.
func (m *Memory) Count(ctx context.Context, f queue.Filter) (int, error) {
	k, done, err := m.begin(ctx, "Count")
	if err != nil {
		return 0, err
	}
	defer done()
	return len(k.searchLocked(f, queue.Ref{}, int(^uint(0)>>1))), nil
}

func (k *kept) searchLocked(f queue.Filter, before queue.Ref, n int) []queue.Waiting {
	var found []queue.Waiting
	for _, e := range slices.Backward(k.events) {
		targets := slices.SortedFunc(slices.Values(e.Targets), func(a, b queue.Target) int { return cmp.Compare(b.Sink, a.Sink) })
		for _, t := range targets {
			if before != (queue.Ref{}) && (e.Seq > before.Seq || e.Seq == before.Seq && t.Sink >= before.Sink) {
				continue
			}
			w := k.standingLocked(e, t)
			if w.State == 0 || !f.Match(&w) {
				continue
			}
			if len(found) == n {
				return found
			}
			w.Event = clone(e)
			w.Event.Body = nil
			found = append(found, w)
		}
	}
	return found
}

// standingLocked returns how one delivery stands. State is 0 when it is done.
func (k *kept) standingLocked(e *queue.Event, t queue.Target) queue.Waiting {
	w := queue.Waiting{Row: queue.Row{Ref: queue.Ref{Sink: t.Sink, Seq: e.Seq}}, Event: e}
	if r := k.rows[t.Sink][e.Seq]; r != nil {
		w.Row = *r
	} else if e.Seq > k.sinks[t.Sink].Floor {
		w.State, w.Lane = queue.WaitingTurn, queue.LaneOf(t.Key)
	}
	return w
}

// Trim removes what is done.
func (m *Memory) Trim(ctx context.Context, n int) (more bool, err error) {
	k, done, err := m.begin(ctx, "Trim")
	if err != nil {
		return false, err
	}
	defer done()
	for sink, rows := range k.rows {
		for seq, r := range rows {
			if r.State == queue.Skipped && seq <= k.sinks[sink].Floor {
				delete(rows, seq)
			}
		}
	}
	removed := 0
	k.events = slices.DeleteFunc(k.events, func(e *queue.Event) bool {
		if !k.doneLocked(e) {
			return false
		}
		if removed == n {
			more = true
			return false
		}
		removed++
		k.usage.Bytes -= size(e)
		return true
	})
	return more, nil
}

// doneLocked says whether all sinks have an event; Skipped rows at or below the floors are gone already.
func (k *kept) doneLocked(e *queue.Event) bool {
	return !slices.ContainsFunc(e.Targets, func(t queue.Target) bool {
		return e.Seq > k.sinks[t.Sink].Floor || k.rows[t.Sink][e.Seq] != nil
	})
}

// Usage tells how much there is.
func (m *Memory) Usage() queue.Usage {
	m.kept.mu.Lock()
	defer m.kept.mu.Unlock()
	u := m.kept.usage
	u.Events = int64(len(m.kept.events))
	if len(m.kept.events) > 0 {
		u.Oldest = m.kept.events[0].At
	}
	return u
}
