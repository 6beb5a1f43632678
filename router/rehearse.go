package router

import (
	"time"

	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// Rehearse tells what would come of a callback at a time if each sink answered as given; nobody is
// asked. A sink without an answer allows. Of o, Version and AnswerWithin count. The trace's durations are
// zero and its ID is empty.
func Rehearse(set *rules.Set, cb *openim.Callback, now time.Time, answers map[string]openim.Answer, o Options) *Trace {
	o.Registerer = nil
	g := New(o)
	table := &Table{Rules: set, Sinks: make(map[string]Asker, len(set.Sinks))}
	for _, s := range set.Sinks {
		table.Sinks[s.Name] = nil // never asked
	}
	plan := set.Match(cb, now)
	c := newCall(cb, now.Add(g.o.AnswerWithin))
	defer c.release()
	c.begin(g.metrics.prepare(table), plan, now)
	for i := range c.asks {
		if _, wait := c.next(); !wait {
			break
		}
		name := c.asks[i].sink.name
		a, given := answers[name]
		if !given {
			a = openim.Answer{Vote: openim.Allow}
		}
		c.arrive(i, sinks.Result{Sink: name, Answer: a})
	}
	t := &Trace{Received: now, Revision: set.Revision}
	t.describe(cb)
	t.Notified = targets(plan.Notify)
	t.conclude(c, plan, true)
	t.Reply = openim.AppendReply(nil, cb, t.Verdict, o.Version)
	return t
}
