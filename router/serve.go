package router

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"callboard/openim"
)

// ServeHTTP answers one callback: always status 200 and one JSON object, inside the budget. What
// cannot be handled gets what RefuseOnTrouble says, and is counted and logged.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	t := &Trace{ID: newID(now), Received: now}
	var cb *openim.Callback
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("panic while handling a callback", "callback", t.ID, "panic", p, "stack", string(debug.Stack()))
			if t.Reply == nil { // otherwise it has left: a second one would make both unreadable
				g.inTrouble(t, panicked, errors.New("a bug; the log has the stack"))
				g.answer(w, cb, t)
			}
		}
	}()
	defer g.inFlight.Add(-1)
	if g.inFlight.Add(1) > int64(g.o.MaxInFlight) {
		g.inTrouble(t, overloaded, fmt.Errorf("%d callbacks are being handled", g.o.MaxInFlight))
		g.answer(w, nil, t)
		return
	}
	cb = g.handle(r, t)
	g.answer(w, cb, t)
}

// handle takes the callback down the straight line: body, Callback, Plan, votes, verdict. It returns nil
// where there is no callback. Everything it finds is in the trace.
func (g *Gateway) handle(r *http.Request, t *Trace) *openim.Callback {
	body, kind, err := g.read(r)
	if err != nil {
		g.inTrouble(t, kind, err)
		return nil
	}
	cb, err := openim.Decode(openim.Request{Path: r.URL.Path, RawQuery: r.URL.RawQuery, Header: r.Header, Body: body})
	if err != nil {
		g.inTrouble(t, decodeTrouble(err), err)
		return nil
	}
	t.describe(cb)
	if t.Hops, err = hops(r.Header); err != nil {
		g.inTrouble(t, looping, err)
		return cb
	}
	table := g.tableFor(cb, t)
	if table == nil {
		g.inTrouble(t, noTable, fmt.Errorf("no rules are loaded yet"))
		return cb
	}
	t.Revision = table.Rules.Revision
	if table.Rules.Dedup == nil {
		g.decide(cb, table, t)
		return cb
	}
	first, answered := g.repeat(cb, table, t)
	if first != nil {
		t.undecided = true // should decide panic
		defer g.dedup.end(first, t)
	}
	if !answered {
		g.decide(cb, table, t)
		t.undecided = false
	}
	return cb
}

// decide matches, asks, folds, and sees that what is to be notified is on disk.
func (g *Gateway) decide(cb *openim.Callback, table *prepared, t *Trace) {
	plan := table.Rules.Match(cb, t.Received)
	g.metrics.planned(table, plan)
	if len(plan.Matched) > 0 {
		t.TraceParent = traceParent(cb)
	}
	accepted := g.notify(cb, plan, t)
	c := newCall(cb, t.Received.Add(g.o.AnswerWithin))
	defer c.release()
	c.begin(table, plan, t.Received)
	g.collect(c, t)
	t.conclude(c, plan, g.o.OnTrace != nil)
	if accepted != nil {
		g.accept(accepted, t)
	}
}

// answer writes the reply and tells of it. net/http sends the reply when ServeHTTP returns, so whoever is told
// must be quick. A flush here would only let IMServer's next callback arrive while this goroutine is still busy.
func (g *Gateway) answer(w http.ResponseWriter, cb *openim.Callback, t *Trace) {
	t.Reply = openim.AppendReply(make([]byte, 0, 128), cb, t.Verdict, g.o.Version)
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Callboard-Id"] = []string{t.ID}
	w.Write(t.Reply) // an error means that IMServer has gone: there is nobody to tell
	t.Duration = time.Since(t.Received)
	g.metrics.answered(cb, t)
	g.logTrace(cb, t)
	if g.o.OnTrace != nil {
		t.Callback = cb
		g.o.OnTrace(t)
	}
}

var jsonType = []string{"application/json"}

func (g *Gateway) inTrouble(t *Trace, kind trouble, err error) {
	t.Trouble, t.Why = string(kind), err.Error()
	t.Verdict = g.verdictOn(kind, err.Error())
	g.metrics.trouble.WithLabelValues(string(kind)).Inc()
}

// Drain waits until the callbacks in flight and the requests that linger are done, or ctx ends. Stop what
// brings new callbacks first.
func (g *Gateway) Drain(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		inFlight, requests := g.inFlight.Load(), g.requests.Load()
		if inFlight == 0 && requests == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("draining: %d callbacks and %d requests to sinks left: %w", inFlight, requests, ctx.Err())
		case <-tick.C:
		}
	}
}
