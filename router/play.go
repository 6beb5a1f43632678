package router

import (
	"cmp"
	"slices"
	"time"

	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// A Script says what the requests to each sink meet: sink name → steps, as sinks.Rehearse takes them. A sink without steps
// allows at once.
type Script map[string][]sinks.Step

// Play tells what would come of a callback at a time if the sinks' requests met the script. It is what the gateway does,
// deadlines, retries, hedges and cut-off sinks included, in time that is counted and not waited for: Duration of the
// trace and of each sink that was done are exact. Matching, the network and the disk take none of it; Duration of a sink that was
// not waited for is zero. What is computed for sinks is computed; votes are neither kept nor taken from those kept. The trace's
// ID is empty and nothing is queued. sinks.Rehearse says what becomes of chance.
func (r *Rehearsal) Play(cb *openim.Callback, now time.Time, script Script) *Trace {
	return r.through(cb, now, func(c *call) time.Time { return r.play(c, now, script) })
}

// play takes in what the sinks say in the order of its coming, as collect and gather do, and returns when the answer
// was certain.
func (r *Rehearsal) play(c *call, now time.Time, script Script) time.Time {
	arrivals := make([]arrival, 0, len(c.asks))
	for i := range c.asks {
		a := &c.asks[i]
		if a.done { // there was nothing to send
			continue
		}
		a.bound(c.budget, true)
		arrivals = append(arrivals, arrival{i, sinks.Rehearse(r.settings[a.sink.name], script[a.sink.name], a.until.Sub(now))})
	}
	deadline, wait := c.next()
	if !wait {
		return now
	}
	if c.alone(deadline) {
		c.arrive(0, arrivals[0].result)
		return now.Add(arrivals[0].result.Duration)
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return cmp.Compare(a.result.Duration, b.result.Duration) })
	ended := now
	for wait {
		next := c.budget
		if len(arrivals) > 0 {
			next = now.Add(arrivals[0].result.Duration)
		}
		if next.Before(deadline) {
			c.arrive(arrivals[0].place, arrivals[0].result)
			arrivals = arrivals[1:]
			ended = next
		} else {
			c.expire(deadline)
			ended = deadline
		}
		deadline, wait = c.next()
	}
	return ended
}

// rehearsed are the settings of a sink that a rehearsal depends on.
func rehearsed(s *rules.Sink) sinks.Options {
	return sinks.Options{
		Name:        s.Name,
		Timeout:     s.Timeout,
		Attempts:    s.Attempts,
		Backoff:     s.Backoff,
		MaxBackoff:  s.MaxBackoff,
		Hedge:       s.Hedge,
		Concurrency: s.Concurrency,
		MaxAnswer:   s.MaxAnswer,
		Dialect:     s.Dialect,
	}
}
