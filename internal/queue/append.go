package queue

import (
	"context"
	"fmt"
)

// What may wait for the committer, so that a disk that hangs cannot eat all memory.
const (
	maxAppends     = 16 << 10
	maxAppendBytes = 64 << 20
)

var errBacklog = fmt.Errorf("%w: too much waits to be written", ErrFull)

// An appending is an event on its way to the committer, with somebody who waits for it.
type appending struct {
	q     *Queue
	event *Event // nil once the caller has taken it back; guarded by Queue.mu
	taken bool   // into a batch; guarded by Queue.mu
	err   error  // known from the beginning
	done  chan error
	wait  func(ctx context.Context) error // waitFor, made once
}

// Append makes an event durable: on return without error it is on disk, and every target gets it at least once. With an
// error it was not accepted, though where ctx ended first it may be delivered all the same. Body and
// Targets must not change any more. Errors: ErrFull, ErrClosed, ctx's, what the store says.
func (q *Queue) Append(ctx context.Context, e *Event) error { return q.Submit(e)(ctx) }

// Submit is Append in two halves, for callers that have something to do in between: it returns at once, and wait returns
// what Append would. wait must be called exactly once.
func (q *Queue) Submit(e *Event) (wait func(ctx context.Context) error) {
	a, ok := q.spare.Get().(*appending)
	if !ok {
		a = &appending{q: q, done: make(chan error, 1)}
		a.wait = a.waitFor
	}
	a.event, a.taken = e, false
	if a.err = checkTargets(e); a.err == nil {
		a.err = q.enqueue(a)
	}
	if a.err != nil {
		q.metrics.appendErrors.Inc()
	}
	return a.wait
}

// checkTargets refuses what would make two deliveries of one name.
func checkTargets(e *Event) error {
	for i := range e.Targets {
		for j := range i {
			if e.Targets[i].Sink == e.Targets[j].Sink {
				return fmt.Errorf("the event has sink %q twice", e.Targets[i].Sink)
			}
		}
	}
	return nil
}

func (q *Queue) enqueue(a *appending) error {
	if q.full.Load() {
		return ErrFull
	}
	q.mu.Lock()
	switch {
	case q.closed:
		q.mu.Unlock()
		return ErrClosed
	case q.waiting >= maxAppends || q.waitingBytes+len(a.event.Body) > maxAppendBytes && q.waiting > 0:
		q.mu.Unlock()
		return errBacklog
	}
	q.appends = append(q.appends, a)
	q.waiting++
	q.waitingBytes += len(a.event.Body)
	q.mu.Unlock()
	q.wake()
	return nil
}

func (a *appending) waitFor(ctx context.Context) error {
	err := a.err
	if err == nil {
		select {
		case err = <-a.done:
		case <-ctx.Done():
			if a.takeBack() {
				return context.Cause(ctx) // the committer still holds it, so it is not used again
			}
			return fmt.Errorf("waiting for the disk: %w", context.Cause(ctx))
		}
	}
	a.event, a.err = nil, nil
	a.q.spare.Put(a)
	return err
}

// takeBack makes the committer pass over it; it reports whether it came in time.
func (a *appending) takeBack() bool {
	a.q.mu.Lock()
	defer a.q.mu.Unlock()
	if a.taken {
		return false
	}
	a.q.waiting--
	a.q.waitingBytes -= len(a.event.Body)
	a.event = nil
	if len(a.q.appends) > 64 && len(a.q.appends) > 2*a.q.waiting {
		a.q.compactLocked()
	}
	return true
}

// compactLocked forgets what was taken back.
func (q *Queue) compactLocked() {
	kept := q.appends[:0]
	for _, a := range q.appends {
		if a.event != nil {
			kept = append(kept, a)
		}
	}
	clear(q.appends[len(kept):])
	q.appends = kept
}

// What one batch may hold.
const (
	batchEvents = 2000
	batchBytes  = 16 << 20
)

// takeAppendsLocked moves what waits, up to a batch, to taken.
func (q *Queue) takeAppendsLocked(taken []*appending) []*appending {
	n, bytes := 0, 0
	for n < len(q.appends) && len(taken) < batchEvents && bytes < batchBytes {
		a := q.appends[n]
		n++
		if a.event == nil {
			continue
		}
		a.taken = true
		bytes += len(a.event.Body)
		taken = append(taken, a)
	}
	q.waiting -= len(taken)
	q.waitingBytes -= bytes
	rest := copy(q.appends, q.appends[n:])
	clear(q.appends[rest:])
	q.appends = q.appends[:rest]
	return taken
}

// failAppends tells all that still wait.
func (q *Queue) failAppends(err error) {
	q.mu.Lock()
	q.closed = true
	appends := q.appends
	q.appends, q.waiting, q.waitingBytes = nil, 0, 0
	for _, a := range appends {
		a.taken = true
	}
	q.mu.Unlock()
	for _, a := range appends {
		if a.event != nil {
			a.done <- err
		}
	}
}
