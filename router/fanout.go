package router

import (
	"context"
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

// collect asks the sinks at once and takes in what they say until the rules have decided or their
// deadlines have passed. It never waits for a sink beyond that: requests that are no longer needed are
// cancelled, or left to finish where they linger.
func (g *Gateway) collect(c *call, t *Trace) {
	deadline, wait := c.next()
	if len(c.asks) == 0 {
		return
	}
	g.leash(c)
	defer c.letGo()
	results := make(chan arrival, len(c.asks)) // room for all: a late sink never blocks
	req := sinks.Request{ID: t.ID, Command: c.cb.Name, Source: c.cb.Source, OperationID: t.OperationID, Body: c.cb.Body}
	for i := range c.asks {
		a := &c.asks[i]
		go g.fetch(a.ctx, a.sink, a.linger, i, req, results)
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for wait {
		select {
		case a := <-results:
			c.arrive(a.place, a.result)
		case now := <-timer.C:
			c.expire(now)
		}
		next, more := c.next()
		if more && !next.Equal(deadline) {
			timer.Reset(time.Until(next))
		}
		deadline, wait = next, more
	}
}

// leash gives every ask a context that ends at its deadline, or none where it lingers: a sink bounds
// itself. Asks that end together share one, since contexts and their timers are a good part of what a fan-out
// costs.
func (g *Gateway) leash(c *call) {
	mayLinger := g.requests.Add(int64(len(c.asks))) <= maxLingering
	for i := range c.asks {
		a := &c.asks[i]
		if a.linger = a.linger && mayLinger; a.linger {
			a.ctx = context.Background()
			continue
		}
		for j := range c.asks[:i] {
			if b := &c.asks[j]; !b.linger && b.deadline.Equal(a.deadline) {
				a.ctx = b.ctx
				break
			}
		}
		if a.ctx == nil {
			a.ctx, a.cancel = context.WithDeadline(context.Background(), a.deadline)
		}
	}
}

// letGo cancels what is no longer needed once the answer is certain.
func (c *call) letGo() {
	for i := range c.asks {
		if cancel := c.asks[i].cancel; cancel != nil {
			cancel()
		}
	}
}

// fetch asks one sink, on a goroutine of its own.
func (g *Gateway) fetch(ctx context.Context, sink *preparedSink, linger bool, place int, req sinks.Request, results chan<- arrival) {
	defer g.requests.Add(-1)
	r := askSafely(ctx, sink, req)
	sink.metrics.observe(r, ctx.Err() == context.Canceled)
	results <- arrival{place, r}
	if linger && r.Answer.Vote == openim.Failed {
		g.log.Warn("sink failed", "sink", sink.name, "callback", req.ID, "command", req.Command,
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
	if cancelled && r.Answer.Vote == openim.Failed {
		m.cancelled.Inc()
		return
	}
	m.votes[r.Answer.Vote].Inc()
	m.seconds.Observe(r.Duration.Seconds())
}
