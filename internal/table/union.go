package table

import (
	"slices"
	"sync"

	"callboard/internal/queue"
)

// A Union makes one list of sinks of two folders' for the queue, which delivers by name: of a sink that both have, the
// serving folder's settings count. It is safe for concurrent use.
type Union struct {
	deliver func([]queue.Sink)

	mu        sync.Mutex   // guards what follows; held while delivering, so that the queue gets the lists in order
	serving   []queue.Sink // by name
	candidate []queue.Sink
}

// NewUnion hands each new list to deliver.
func NewUnion(deliver func([]queue.Sink)) *Union { return &Union{deliver: deliver} }

// Serving takes the sinks of the folder that serves: Options.Deliver of its Keeper.
func (u *Union) Serving(sinks []queue.Sink) { u.change(&u.serving, sinks) }

// Candidate takes the sinks of the candidate's folder, none where there is none any more.
func (u *Union) Candidate(sinks []queue.Sink) { u.change(&u.candidate, sinks) }

func (u *Union) change(part *[]queue.Sink, sinks []queue.Sink) {
	u.mu.Lock()
	defer u.mu.Unlock()
	*part = sinks
	all := slices.Clone(u.serving)
	for _, s := range u.candidate {
		if !slices.ContainsFunc(u.serving, func(have queue.Sink) bool { return have.Name == s.Name }) {
			all = append(all, s)
		}
	}
	u.deliver(all)
}
