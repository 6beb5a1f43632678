package router

import (
	"context"
	"sync/atomic"
	"time"

	"callboard/openim"
	"callboard/sinks"
)

// maxLingering bounds how many requests to sinks there may be for new ones to linger; beyond it they
// are cancelled like any other.
const maxLingering = 4096

// arrival is what one goroutine brings back.
type arrival struct {
	place  int
	result sinks.Result
}

// A leash is the context that the requests of one callback share when they end at the same time.
type leash struct {
	ctx    context.Context
	cancel context.CancelFunc
	held   atomic.Int32 // by how many requests
}

// collect asks the sinks and takes in what they say until the rules have decided or their deadlines have
// passed. It never waits for a sink beyond that: requests that are no longer needed are cancelled, or left to
// finish within the budget where they linger.
func (g *Gateway) collect(c *call, t *Trace) {
	if len(c.asks) == 0 {
		return
	}
	c.shape(t.Received)
	deadline, wait := c.next()
	g.leash(c)
	req := sinks.Request{ID: t.ID, Command: c.cb.Name, Source: c.cb.Source, OperationID: t.OperationID,
		TraceParent: t.TraceParent, Hops: t.Hops + 1, Body: c.cb.Body}
	// One sink that has exactly as long as the rules wait needs nobody beside it: that saves a goroutine, a channel and
	// a timer, some 4 µs of CPU.
	if wait && c.alone(deadline) {
		c.arrive(0, c.asks[0].fetch(req))
		return
	}
	g.gather(c, req, deadline, wait)
}

// gather asks several sinks at once.
func (g *Gateway) gather(c *call, req sinks.Request, deadline time.Time, wait bool) {
	results := make(chan arrival, len(c.asks)) // room for all: a late sink never blocks
	for i := range c.asks {
		if !c.asks[i].done {
			g.requests.Add(1)
			go g.gatherOne(c.asks[i], i, req, results)
		}
	}
	defer c.letGo()
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for wait {
		select {
		case a := <-results:
			c.arrive(a.place, a.result)
		case <-timer.C:
			c.expire(time.Now())
			deadline = time.Time{} // the timer is spent: whoever still waits needs it set again
		}
		next, more := c.next()
		if more && !next.Equal(deadline) {
			timer.Reset(time.Until(next))
		}
		deadline, wait = next, more
	}
}

// leash gives each request a context that ends when its time does. Requests that end together share one: contexts
// and their timers are a good part of what a fan-out costs.
func (g *Gateway) leash(c *call) {
	mayLinger := g.requests.Load() < maxLingering
	for i := range c.asks {
		a := &c.asks[i]
		if a.done {
			continue
		}
		a.bound(c.budget, mayLinger)
		for j := range c.asks[:i] {
			if b := &c.asks[j]; b.leash != nil && b.linger == a.linger && b.until.Equal(a.until) {
				a.leash = b.leash
				break
			}
		}
		if a.leash == nil {
			a.leash = new(leash)
			a.leash.ctx, a.leash.cancel = context.WithDeadline(context.Background(), a.until)
		}
		a.leash.held.Add(1)
	}
}

// bound says how long the request may take: until the deadline of the rules that await it, or to the end of the budget
// where it lingers.
func (a *ask) bound(budget time.Time, mayLinger bool) {
	a.linger = a.linger && mayLinger
	a.until = a.deadline
	if a.linger {
		a.until = budget
	}
}

// alone reports whether one sink only is asked, which has exactly as long as the rules wait.
func (c *call) alone(deadline time.Time) bool {
	return len(c.asks) == 1 && !c.asks[0].done && c.asks[0].until.Equal(deadline)
}

// letGo cancels what is no longer needed once the answer is certain.
func (c *call) letGo() {
	for i := range c.asks {
		if a := &c.asks[i]; a.leash != nil && !a.linger {
			a.leash.cancel()
		}
	}
}

// fetch makes the request, however that ends.
func (a *ask) fetch(req sinks.Request) sinks.Result {
	l := a.leash
	defer func() {
		if l.held.Add(-1) == 0 {
			l.cancel()
		}
	}()
	r := askSafely(l.ctx, a.sink, a.request(req))
	a.sink.metrics.observe(r, l.ctx.Err() == context.Canceled)
	return r
}

// gatherOne is the goroutine of one of several requests. It has a copy of its ask, since the call may end first.
func (g *Gateway) gatherOne(a ask, place int, req sinks.Request, results chan<- arrival) {
	defer g.requests.Add(-1)
	growStack()
	r := a.fetch(req)
	results <- arrival{place, r}
	if a.linger && r.Answer.Vote == openim.Failed {
		g.log.Warn("sink failed", "sink", a.sink.name, "callback", req.ID, "command", req.Command,
			"attempts", r.Attempts, "reason", r.Answer.Reason)
	}
}

// askSafely turns a panic below Ask into a failed vote.
func askSafely(ctx context.Context, s *preparedSink, req sinks.Request) (r sinks.Result) {
	defer func() {
		if p := recover(); p != nil {
			r = sinks.Result{Sink: s.name, Answer: openim.Answer{Reason: "asking it panicked"}}
		}
	}()
	return s.asker.Ask(ctx, req)
}

func (m *sinkMetrics) observe(r sinks.Result, cancelled bool) {
	m.attempts.Add(float64(r.Attempts))
	vote := r.Answer.Vote
	switch {
	case r.Cache == sinks.Hit:
		m.votes[vote].Inc()
		return
	case r.Cache == sinks.Stale:
		vote = openim.Failed
	case cancelled && vote == openim.Failed:
		m.cancelled.Inc()
		return
	}
	m.votes[vote].Inc()
	m.seconds.Observe(r.Duration.Seconds())
}
