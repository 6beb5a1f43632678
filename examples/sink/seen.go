package main

import "sync"

// seen remembers which deliveries were handled, the last ones only, so that its memory is bounded.
//
// It is memory, so a restart forgets, and a crash between the line written and the id remembered repeats the line. A service for
// which that matters keeps the ids where its effect is, in the same transaction: INSERT the id (primary key) and the rows
// together; when the id is there already, there is nothing to do. Both are then done, or neither, whatever fails.
type seen struct {
	mu      sync.Mutex
	states  map[string]state // id → how far it is; guarded by mu
	handled []string         // a ring of the ids that are done; guarded by mu
	next    int              // the oldest of them once the ring is full; guarded by mu
}

// A state is how far a delivery is.
type state int

const (
	unknown state = iota // never had, forgotten, or failed before
	underWay
	done
)

func newSeen(most int) *seen {
	return &seen{states: map[string]state{}, handled: make([]string, 0, most)}
}

// begin says how far a delivery is. One that is unknown is under way from now on, and end must follow.
func (s *seen) begin(id string) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.states[id]
	if before == unknown {
		s.states[id] = underWay
	}
	return before
}

// end remembers a delivery that is done, and forgets one that failed, so that its next attempt counts.
func (s *seen) end(id string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !ok {
		delete(s.states, id)
		return
	}
	s.states[id] = done
	if len(s.handled) < cap(s.handled) {
		s.handled = append(s.handled, id)
		return
	}
	delete(s.states, s.handled[s.next])
	s.handled[s.next] = id
	s.next = (s.next + 1) % len(s.handled)
}
