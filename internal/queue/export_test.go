package queue

// Held returns how many deliveries of a sink wait in memory, and how many of its track.
func (q *Queue) Held(sink string) (held, tracked int) {
	s := q.sinkNamed(sink)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held, s.log.track.len()
}
