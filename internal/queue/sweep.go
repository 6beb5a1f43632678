package queue

import (
	"context"
	"time"
)

// sweepEvery is how often sinks are looked at that nothing else may wake.
const sweepEvery = time.Second

// maxIdleLag is how far the stored floor of a sink without deliveries may stay behind the log: reading at the next start is
// longer by that.
const maxIdleLag = 1000

// sweep looks at everything now and then.
func (q *Queue) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	expiry := time.Now().Add(q.expireEvery())
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		trouble := q.trouble.Load() != nil
		for _, s := range q.everySink() {
			s.sweep(trouble)
		}
		q.checkRoom()
		if q.o.MaxAge > 0 && !time.Now().Before(expiry) {
			if err := q.expire(ctx); err != nil && ctx.Err() == nil {
				q.log.Error("looking for what is too old failed", "err", err)
			}
			expiry = time.Now().Add(q.expireEvery())
		}
	}
}

// sweep has a batch written where a floor lags, or where it shows whether the store can be written again.
func (s *sink) sweep(trouble bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if trouble || s.lags() || s.floorLocked() > s.log.floor+maxIdleLag {
		s.q.markDirty(s, false)
	}
	s.restLocked(len(s.idle) / 2)
	s.fetchLocked()
}

// trimEvents is how many events are removed in one transaction.
const trimEvents = 1000

// How often done events are removed. Where events cannot be accepted it is urgent.
const trimEvery, trimPause = time.Second, 10 * time.Millisecond

// wakeTrim says that events may be done.
func (q *Queue) wakeTrim() {
	select {
	case q.trims <- struct{}{}:
	default:
	}
}

// trim removes what is done, in the background.
func (q *Queue) trim(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-q.trims:
		}
		for more := true; more && ctx.Err() == nil; {
			var err error
			more, err = q.store.Trim(ctx, trimEvents)
			if err != nil {
				more = false
				if ctx.Err() == nil {
					q.log.Error("removing what is done failed", "err", err)
				}
			}
			q.checkRoom()
		}
		wait := trimEvery
		if q.full.Load() {
			wait = trimPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
