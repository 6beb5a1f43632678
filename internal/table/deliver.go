package table

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"callboard/internal/diag"
	"callboard/internal/queue"
	"callboard/rules"
	"callboard/sinks"
)

// deliveries says how deliveries to the pool's sinks are made, by name.
func (p pool) deliveries() []queue.Sink {
	made := make([]queue.Sink, 0, len(p))
	for _, name := range slices.Sorted(maps.Keys(p)) {
		s := p[name].settings
		made = append(made, queue.Sink{
			Name:        name,
			Deliverer:   deliverer{p[name].sink, p[name].shaping},
			Batching:    queue.Batching{Max: s.Batch.Max, MaxBytes: int(s.Batch.MaxBytes), Wait: s.Batch.Wait},
			Concurrency: s.Concurrency,
			Rate:        s.Rate,
			Backoff:     s.Backoff,
			MaxBackoff:  s.MaxBackoff,
			For:         s.RetryFor,
			OnStuck:     queue.OnStuck(s.OnStuck),
			StuckLimit:  s.StuckLimit,
			Breaker:     queue.Breaker(s.Breaker),
		})
	}
	return made
}

// A deliverer is a sink as the queue sees it: here their words are translated, since neither knows the other.
type deliverer struct {
	sink    *sinks.Sink
	shaping *shaping // nil: deliveries are sent as they came
}

// Deliver makes one attempt.
func (d deliverer) Deliver(ctx context.Context, q queue.Delivery) queue.Outcome {
	delivery, refused := d.delivery(&q)
	if refused != nil {
		return *refused
	}
	return outcome(d.sink.Deliver(ctx, delivery))
}

// delivery translates. Where what the sink gets cannot be made it returns how that ends: it would fail again until somebody
// mends the rules.
func (d deliverer) delivery(q *queue.Delivery) (sinks.Delivery, *queue.Outcome) {
	delivery := sinks.Delivery{
		ID:          queue.DeliveryID(q.ID, q.Sink),
		CallbackID:  q.ID,
		Command:     q.Command,
		Source:      q.Source,
		OperationID: q.OperationID,
		TraceParent: q.TraceParent,
		ReplayOf:    q.ReplayOf,
		Hops:        q.Hops,
		Attempt:     q.Attempt,
		Body:        q.Body,
	}
	if d.shaping != nil {
		if err := d.shaping.apply(q, &delivery); err != nil {
			return delivery, &queue.Outcome{Verdict: queue.Refused, Reason: "not sent: " + err.Error()}
		}
	}
	return delivery, nil
}

func outcome(o sinks.Outcome) queue.Outcome {
	return queue.Outcome{
		Verdict:    verdict(o),
		Status:     o.Status,
		Reason:     o.Reason,
		RetryAfter: o.RetryAfter,
		Answer:     o.Answer,
		Duration:   o.Duration,
	}
}

func verdict(o sinks.Outcome) queue.Verdict {
	switch {
	case o.Delivered:
		return queue.Done
	case o.Gone:
		return queue.Gone
	case o.Retry:
		return queue.Again
	}
	return queue.Refused
}

// withoutQueue finds the rules that notify where there is nothing to keep deliveries in.
func withoutQueue(set *rules.Set) []diag.Diagnostic {
	var ds []diag.Diagnostic
	for _, r := range set.Rules {
		if len(r.Notify) == 0 {
			continue
		}
		ds = append(ds, diag.Diagnostic{
			ID:      "no-data-folder",
			File:    r.File,
			Line:    r.Line,
			Col:     1,
			EndCol:  2,
			Message: fmt.Sprintf("rule %q notifies sinks, but there is no data folder to keep deliveries in", r.Name),
			Hint:    "start callboard serve with --data DIR",
		})
	}
	return ds
}
