package router

import (
	"time"

	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// A Rehearsal is a set of rules made ready to tell what would come of callbacks; nobody is asked. It is safe for
// concurrent use.
type Rehearsal struct {
	gateway  *Gateway
	table    *prepared
	settings map[string]sinks.Options // sink name → what counts of its settings
}

// NewRehearsal makes ready what any number of rehearsals share. Of o, Version and AnswerWithin count.
func NewRehearsal(set *rules.Set, o Options) *Rehearsal {
	o.Registerer = nil
	return rehearse(New(o), set)
}

// With is the same for another set of rules. It costs less than a new one.
func (r *Rehearsal) With(set *rules.Set) *Rehearsal { return rehearse(r.gateway, set) }

func rehearse(g *Gateway, set *rules.Set) *Rehearsal {
	table := &Table{Rules: set, Sinks: make(map[string]Asker, len(set.Sinks))}
	r := &Rehearsal{gateway: g, settings: make(map[string]sinks.Options, len(set.Sinks))}
	for _, s := range set.Sinks {
		table.Sinks[s.Name] = nil // never asked
		r.settings[s.Name] = rehearsed(s)
	}
	r.table = g.metrics.prepare(table)
	return r
}

// Run tells what would come of a callback at a time if sinks vote so. A sink without an answer allows. The trace's
// durations are zero and its ID is empty.
func (r *Rehearsal) Run(cb *openim.Callback, now time.Time, votes Votes) *Trace {
	return r.through(cb, now, func(c *call) time.Time { votes.cast(c); return now })
}

// through takes a callback down the line as decide does; vote takes in what the sinks say, and returns when the answer was certain.
func (r *Rehearsal) through(cb *openim.Callback, now time.Time, vote func(*call) time.Time) *Trace {
	set := r.table.Rules
	plan := set.Match(cb, now)
	c := newCall(cb, now.Add(r.gateway.o.AnswerWithin))
	defer c.release()
	c.begin(r.table, plan, now)
	c.shape(now)
	t := &Trace{Received: now, Duration: vote(c).Sub(now), Revision: set.Revision}
	t.describe(cb)
	t.Notified = targets(plan.Notify)
	t.conclude(c, plan, true)
	t.Reply = openim.AppendReply(nil, cb, t.Verdict, r.gateway.o.Version)
	return t
}
