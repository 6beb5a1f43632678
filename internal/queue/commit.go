package queue

import (
	"context"
	"errors"
	"time"
)

// How the committer paces itself.
const (
	// rideAlong is how long settlements wait for an event to be committed with.
	rideAlong = 10 * time.Millisecond
	// pace is the least from the begin of one commit to the next while several callers are at work: batches are
	// fuller then, which saves most of what a commit costs. A lone caller does not wait.
	pace = time.Millisecond
	// From crowd events a second on, it is crowdPace: what a commit costs by itself matters most then, and in a crowd
	// nobody waits much longer for it. The rate is that of the last crowdSpan, about.
	crowd     = 3000
	crowdPace = 4 * time.Millisecond
	crowdSpan = 20 * time.Millisecond
	// How long the store is left alone after an error, where nobody waits for it.
	firstPause, lastPause = 50 * time.Millisecond, 5 * time.Second
	// refusedFor is how long nothing but events shows that events are taken again, after they were not.
	refusedFor = 5 * time.Second
	// How often settlements are tried at the end before they are given up: their deliveries are repeated then.
	lastTries = 5
)

// A committer owns Store.Commit and what only its goroutine touches.
type committer struct {
	q       *Queue
	taken   []*appending
	sinks   []*sink // that have a part in the batch
	batch   Batch
	began   time.Time // the last commit
	events  int       // in it
	rate    float64   // of events, a second
	pacing  bool      // whether it waits for more callers to come, which nothing shortens
	pause   time.Duration
	retryAt time.Time // settlements wait until then after an error
	alone   bool      // the next batch has no events: the last one failed, and what is settled may fit without
	refused time.Time // when events last were
	last    int       // commits since the queue is finishing
	errs    int       // in a row
	err     error     // the last one
}

// run commits until the queue stops and nothing is left to be settled.
func (c *committer) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait, more := c.next()
		if !more {
			return
		}
		if wait > 0 && c.pacing {
			time.Sleep(wait)
			continue
		}
		if wait > 0 {
			timer.Reset(wait)
			select {
			case <-c.q.wakeup:
			case <-timer.C:
			}
			continue
		}
		c.commit(ctx)
	}
}

// idle is how long the committer sleeps when it knows of nothing to do.
const idle = time.Hour

// next says how long to wait before the next commit, unless something happens, and whether there will be one at all.
func (c *committer) next() (wait time.Duration, more bool) {
	q := c.q
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	c.pacing = false
	switch {
	case q.lost.Load():
		return idle, !q.finishing
	case q.waiting > 0:
		c.pacing = true
		switch {
		case c.events <= 1 && q.waiting <= 1:
			return 0, true
		case c.rate >= crowd:
			return crowdPace - now.Sub(c.began), true
		}
		return pace - now.Sub(c.began), true
	case len(q.dirty) > 0 && q.finishing && c.last == 0:
		return 0, true
	case len(q.dirty) > 0 && q.finishing && c.errs > 0 && c.last >= lastTries:
		return 0, false
	case len(q.dirty) > 0 && !c.retryAt.IsZero():
		return c.retryAt.Sub(now), true
	case len(q.dirty) > 0 && (q.urgent || q.finishing):
		return 0, true
	case len(q.dirty) > 0:
		return rideAlong - now.Sub(q.dirtyAt), true
	case q.finishing:
		return 0, false
	}
	return idle, true
}

// commit makes one batch of what waits and writes it.
func (c *committer) commit(ctx context.Context) {
	q := c.q
	c.collect()
	c.count(len(c.taken), time.Now())
	err := q.store.Commit(ctx, &c.batch)
	took := time.Since(c.began)
	// Before anybody is told: who asks then hears how it is.
	if err != nil || len(c.batch.Events) > 0 || time.Since(c.refused) > refusedFor {
		q.noteCommit(err)
	}
	if err == nil {
		c.committed(took)
	} else {
		c.failed(err)
	}
	clear(c.taken)
	clear(c.batch.Events)
	clear(c.batch.Rows)
	clear(c.sinks)
	c.taken, c.sinks = c.taken[:0], c.sinks[:0]
	c.batch = Batch{Events: c.batch.Events[:0], Rows: c.batch.Rows[:0], Gone: c.batch.Gone[:0], Sinks: c.batch.Sinks[:0]}
}

// count notes what a batch has, and how many events there are a second.
func (c *committer) count(events int, now time.Time) {
	since := now.Sub(c.began)
	c.events, c.began = events, now
	if since >= crowdSpan {
		c.rate = float64(events) / since.Seconds()
		return
	}
	c.rate += (float64(events) - c.rate*since.Seconds()) / crowdSpan.Seconds()
}

// collect fills the batch.
func (c *committer) collect() {
	q := c.q
	q.mu.Lock()
	if q.finishing {
		if c.last == 0 {
			c.pause = 0 // what failed before the end does not count
		}
		c.last++
	}
	if alone := c.alone && len(q.dirty) > 0; !alone {
		c.taken = q.takeAppendsLocked(c.taken)
	}
	c.alone = false
	for _, s := range q.dirty {
		s.listed = false
		c.include(s)
	}
	clear(q.dirty)
	q.dirty, q.urgent = q.dirty[:0], false
	q.mu.Unlock()
	for _, a := range c.taken {
		c.batch.Events = append(c.batch.Events, a.event)
		items := make([]item, len(a.event.Targets))
		for i := range a.event.Targets {
			t := &a.event.Targets[i]
			items[i] = item{event: a.event, lane: LaneOf(t.Key), at: a.event.At.UnixMilli()}
			s := q.sinkOf(t.Sink)
			c.include(s)
			s.arriving = append(s.arriving, &items[i])
		}
	}
	for _, s := range c.sinks {
		s.take(&c.batch)
	}
}

func (c *committer) include(s *sink) {
	if !s.batched {
		s.batched = true
		c.sinks = append(c.sinks, s)
	}
}

// committed lets the callers go and hands the events to their sinks, in the order of the log.
func (c *committer) committed(took time.Duration) {
	q := c.q
	for _, a := range c.taken {
		a.done <- nil
	}
	if n := len(c.batch.Events); n > 0 {
		q.metrics.commitSeconds.Observe(took.Seconds())
		q.metrics.commitEvents.Observe(float64(n))
	}
	for _, s := range c.sinks {
		s.batched = false
		s.stored()
	}
	if n := len(c.batch.Events); n > 0 {
		q.fed.Store(c.batch.Events[n-1].Seq)
	}
	c.pause, c.retryAt, c.errs = 0, time.Time{}, 0
	q.wakeTrim()
}

// failed tells the callers; settlements stay for the next batch.
func (c *committer) failed(err error) {
	for _, a := range c.taken {
		a.done <- err
		c.q.metrics.appendErrors.Inc()
	}
	for _, s := range c.sinks {
		s.batched = false
		s.notStored(err)
	}
	c.errs, c.err = c.errs+1, err
	c.pause = min(max(firstPause, 2*c.pause), lastPause)
	c.retryAt = time.Now().Add(c.pause)
	if len(c.batch.Events) > 0 {
		c.alone, c.refused = true, time.Now()
	}
	if errors.Is(err, ErrLost) && !c.q.lost.Load() {
		c.q.lose(err)
	}
}

// lose ends all work: whoever has the deliveries now goes on with them.
func (q *Queue) lose(err error) {
	q.log.Error("another process has taken over the queue: nothing is accepted or delivered here any more")
	q.lost.Store(true)
	q.halt()
	q.cancel()
	q.failAppends(err)
	close(q.over)
}

// wake makes the committer look.
func (q *Queue) wake() {
	select {
	case q.wakeup <- struct{}{}:
	default:
	}
}

// markDirty has a sink's settlements written; urgent ones do not wait for company.
func (q *Queue) markDirty(s *sink, urgent bool) {
	q.mu.Lock()
	first := q.listLocked(s)
	q.urgent = q.urgent || urgent
	q.mu.Unlock()
	if first || urgent {
		q.wake()
	}
}

// listLocked adds a sink to the dirty ones; first says that it is the only one.
func (q *Queue) listLocked(s *sink) (first bool) {
	if s.listed {
		return false
	}
	s.listed = true
	if first = len(q.dirty) == 0; first {
		q.dirtyAt = time.Now()
	}
	q.dirty = append(q.dirty, s)
	return first
}
