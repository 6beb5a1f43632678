package router

import (
	"context"
	"errors"
	"slices"
	"time"

	"callboard/internal/queue"
	"callboard/openim"
	"callboard/rules"
)

// A Queue accepts what is to be delivered later. *queue.Queue is one.
type Queue interface {
	// Submit begins to make e durable; wait, called once, returns when it is or why it is not.
	Submit(e *queue.Event) (wait func(ctx context.Context) error)
}

// notify hands the plan's notifications to the queue, all in one event. The disk then works while sinks are asked. It
// returns nil where there are none.
func (g *Gateway) notify(cb *openim.Callback, plan rules.Plan, t *Trace) (wait func(context.Context) error) {
	if len(plan.Notify) == 0 {
		return nil
	}
	e := event(cb, plan.Notify, t)
	t.Notified = e.Targets
	if g.o.Queue == nil {
		return func(context.Context) error { return errNoQueue }
	}
	return g.o.Queue.Submit(e)
}

var errNoQueue = errors.New("there is no data folder to keep deliveries in")

// event is what the queue keeps of a callback.
func event(cb *openim.Callback, notices []rules.Notice, t *Trace) *queue.Event {
	return &queue.Event{
		ID:          t.ID,
		At:          t.Received,
		Command:     cb.Name,
		Source:      cb.Source,
		OperationID: t.OperationID,
		MessageID:   t.MessageID,
		TraceParent: t.TraceParent,
		Hops:        t.Hops + 1,
		ReplayOf:    t.ReplayOf,
		Targets:     targets(notices),
		Body:        cb.Body,
	}
}

func targets(notices []rules.Notice) []queue.Target {
	targets := make([]queue.Target, len(notices))
	for i, n := range notices {
		targets[i] = queue.Target{Sink: n.Sink.Name, Key: n.Key, Rules: n.Rules}
	}
	return targets
}

// accept waits until the notifications are on disk, within the budget. Where they are not, the callback is in trouble: a
// refusal stands, and an allow stays one unless RefuseOnTrouble says otherwise.
func (g *Gateway) accept(wait func(context.Context) error, t *Trace) {
	ctx := g.budgets.until(t.Received.Add(g.o.AnswerWithin))
	defer g.budgets.giveBack(ctx)
	err := wait(ctx)
	if err == nil {
		t.Queued = true
		return
	}
	kind := queueFailed
	if errors.Is(err, queue.ErrFull) {
		kind = queueFull
	}
	decided, why := t.Verdict, t.Why
	g.inTrouble(t, kind, errors.New("keeping the notifications: "+err.Error()))
	if decided.Refuse || !t.Verdict.Refuse {
		t.Verdict = decided
		if why != "" {
			t.Why = why + "; " + t.Why
		}
		return
	}
	t.DecidedBy = ""
}

// traceParent returns the traceparent of a callback: the one that it came with, or a new one.
func traceParent(cb *openim.Callback) string {
	if s := cb.Header.Get("Traceparent"); isTraceParent(s) {
		return s
	}
	return newTraceParent()
}

// Replay sends a recorded callback through the table in use once more, at the present time: its notifications are delivered
// again, under a new id; nobody is asked. sinks, when there are any, limits who is notified; dryRun only tells. It returns
// the sinks.
// A callback that had passed too many gateways is refused now as then.
func (g *Gateway) Replay(ctx context.Context, r openim.Request, of string, sinks []string, dryRun bool) ([]string, error) {
	cb, err := openim.Decode(r)
	if err != nil {
		return nil, err
	}
	passed, err := hops(r.Header)
	if err != nil {
		return nil, err
	}
	table := g.table.Load()
	if table == nil {
		return nil, errors.New("no rules are loaded yet")
	}
	now := time.Now()
	t := &Trace{ID: newID(now), Received: now, ReplayOf: of, Revision: table.Rules.Revision, TraceParent: traceParent(cb), Hops: passed}
	t.describe(cb)
	plan := table.Rules.Match(cb, now)
	plan.Notify = among(plan.Notify, sinks)
	var names []string
	for _, n := range plan.Notify {
		names = append(names, n.Sink.Name)
	}
	if dryRun || len(names) == 0 {
		return names, nil
	}
	if err := g.notify(cb, plan, t)(ctx); err != nil {
		return nil, err
	}
	t.Queued = true
	for _, rule := range plan.Matched {
		t.Rules = append(t.Rules, RuleTrace{Rule: rule.Name, Matched: true, Metadata: &rule.Metadata})
	}
	t.Why = "a replay: only notifications count"
	t.Duration = time.Since(now)
	if g.o.OnTrace != nil {
		t.Callback = cb
		g.o.OnTrace(t)
	}
	return names, nil
}

// among returns the notices for the sinks named, all of them where none is.
func among(notices []rules.Notice, sinks []string) []rules.Notice {
	if len(sinks) == 0 {
		return notices
	}
	var kept []rules.Notice
	for _, n := range notices {
		if slices.Contains(sinks, n.Sink.Name) {
			kept = append(kept, n)
		}
	}
	return kept
}
