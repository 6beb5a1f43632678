package router

import "callboard/openim"

// A candidate is a second table that decides a share of the callbacks.
type candidate struct {
	*prepared
	takes func(*openim.Callback) bool
}

// SetCandidate puts a second table beside the one that serves: it decides the callbacks that takes chooses, and its sinks are
// asked and notified for them. takes is called once for each callback, concurrently, and must be quick. A nil table takes the
// second one away. As with Swap, requests under way finish with the table that they began with. Replays never use it.
func (g *Gateway) SetCandidate(t *Table, takes func(*openim.Callback) bool) {
	g.swapping.Lock()
	defer g.swapping.Unlock()
	var next *candidate
	if t != nil {
		next = &candidate{g.metrics.prepare(t), takes}
	}
	if old := g.candidate.Swap(next); old != nil {
		g.metrics.forget(old.prepared, g.table.Load(), next.table())
	}
}

// table is nil where there is no candidate.
func (c *candidate) table() *prepared {
	if c == nil {
		return nil
	}
	return c.prepared
}

// tableFor returns the table that decides a callback, nil before there is any.
func (g *Gateway) tableFor(cb *openim.Callback, t *Trace) *prepared {
	table := g.table.Load()
	if c := g.candidate.Load(); c != nil && table != nil && c.takes(cb) {
		t.Canary = true
		return c.prepared
	}
	return table
}
