package queue

// CutOff ends the grace of a Run whose ctx has ended: attempts in flight are cancelled and go back to the queue.
func (q *Queue) CutOff() { q.cancel() }
