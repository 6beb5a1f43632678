package queue

import (
	"slices"
	"strings"
)

// Match says whether f chooses a delivery: w is its row, or what stands for one in State WaitingTurn, with its
// event. It is what Search means, for stores to ask of what they found.
func (f *Filter) Match(w *Waiting) bool {
	e := w.Event
	t := e.target(w.Sink)
	switch {
	case t == nil || w.State == Skipped,
		f.Sink != "" && f.Sink != w.Sink,
		len(f.States) > 0 && !slices.Contains(f.States, w.State),
		f.Status != 0 && f.Status != w.Status,
		f.Command != "" && f.Command != e.Command,
		f.OperationID != "" && f.OperationID != e.OperationID,
		f.MessageID != "" && f.MessageID != e.MessageID,
		f.CallbackID != "" && f.CallbackID != e.ID,
		f.Key != "" && f.Key != t.Key,
		f.Rule != "" && !slices.Contains(t.Rules, f.Rule),
		!f.Since.IsZero() && e.At.Before(f.Since),
		!f.Until.IsZero() && !e.At.Before(f.Until):
		return false
	}
	return len(f.IDs) == 0 || slices.ContainsFunc(f.IDs, func(id string) bool {
		rest, ok := strings.CutPrefix(id, e.ID)
		return ok && len(rest) == 1+len(w.Sink) && rest[0] == '.' && rest[1:] == w.Sink
	})
}

// target returns a sink's part in the event, nil when it has none.
func (e *Event) target(sink string) *Target {
	for i := range e.Targets {
		if e.Targets[i].Sink == sink {
			return &e.Targets[i]
		}
	}
	return nil
}
