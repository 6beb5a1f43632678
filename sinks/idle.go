package sinks

import (
	"sync"
	"sync/atomic"
	"time"
)

// idleFor is how long a sink is not used before its connections are closed; at most twice as long.
const idleFor = 90 * time.Second

// An idler closes the connections of a sink that is not used any more. It stands in for http.Transport's IdleConnTimeout,
// which sets a timer and asks for the time with every request: some 2 µs each.
type idler struct {
	used  atomic.Bool // since the timer was set
	mu    sync.Mutex  // guards timer, and used where it changes
	timer *time.Timer // nil while the sink is idle
}

// use notes that a request has left a connection.
func (s *Sink) use() {
	if s.closed.Load() {
		s.closeIdle()
		return
	}
	i := &s.idle
	if i.used.Load() { // as nearly always: a load alone takes nothing from others
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.used.Store(true)
	if i.timer == nil {
		i.timer = time.AfterFunc(idleFor, s.lookIdle)
	}
}

// lookIdle is what the timer does.
func (s *Sink) lookIdle() {
	i := &s.idle
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.used.Swap(false) && !s.closed.Load() {
		i.timer.Reset(idleFor)
		return
	}
	i.timer = nil
	s.closeIdle()
}

func (s *Sink) closeIdle() {
	if t, ok := s.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}
