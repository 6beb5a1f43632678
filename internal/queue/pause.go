package queue

import (
	"context"
	"fmt"
	"time"
)

// pausing is why a sink gets nothing, "" when it does.
type pausing struct {
	paused   string
	pausedAt time.Time
}

// Pause holds a sink's deliveries, in order, until Resume; over restarts. Attempts in flight finish. It returns
// ErrNotFound for a sink that neither rules nor deliveries name.
func (q *Queue) Pause(ctx context.Context, sink, why string) error {
	if why == "" {
		why = "paused"
	}
	return q.setPause(ctx, sink, why)
}

// Resume ends a pause. Resuming a sink that is not paused does nothing.
func (q *Queue) Resume(ctx context.Context, sink string) error {
	return q.setPause(ctx, sink, "")
}

func (q *Queue) setPause(ctx context.Context, name, why string) error {
	s := q.sinkNamed(name)
	if s == nil {
		return fmt.Errorf("sink %q: %w", name, ErrNotFound)
	}
	if _, ok := s.status(); !ok {
		return fmt.Errorf("sink %q: %w", name, ErrNotFound)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(q.reading, func() { cancel(ErrClosed) })()
	s.mu.Lock()
	if why != "" {
		s.pauseLocked(why)
	} else {
		s.pausing = pausing{}
		s.pumpLocked()
	}
	s.mu.Unlock()
	if err := q.flush(ctx, s); err != nil {
		return fmt.Errorf("noting it: %w", err)
	}
	return nil
}

// pauseLocked holds the sink's deliveries from now on.
func (s *sink) pauseLocked(why string) {
	if s.paused == "" {
		s.pausedAt = s.q.now()
	}
	s.paused = why
	s.q.markDirty(s, true)
}
