package queue

// A trouble is why the store does not take what it is given.
type trouble struct{ err error }

// noteCommit says when trouble with the store begins and when it is over.
func (q *Queue) noteCommit(err error) {
	was := q.trouble.Load()
	switch {
	case err == nil && was != nil:
		q.trouble.Store(nil)
		q.log.Error("the queue can be written again")
	case err != nil:
		q.trouble.Store(&trouble{err})
		if was == nil {
			q.log.Error("the queue cannot be written: new callbacks are not accepted", "err", err)
		}
	}
	q.checkRoom()
}

// roomAgain is how much of MaxBytes must be free for events to be accepted again, as a divisor.
const roomAgain = 20

// checkRoom compares what the store uses with MaxBytes.
func (q *Queue) checkRoom() {
	if q.o.MaxBytes <= 0 {
		return
	}
	used := q.store.Usage().Bytes
	switch full := q.full.Load(); {
	case !full && used >= q.o.MaxBytes:
		q.full.Store(true)
		q.wakeTrim()
		q.log.Error("the queue is full: new callbacks are not accepted", "bytes", used, "max_bytes", q.o.MaxBytes)
	case full && used < q.o.MaxBytes-q.o.MaxBytes/roomAgain:
		q.full.Store(false)
		q.log.Error("the queue has room again", "bytes", used, "max_bytes", q.o.MaxBytes)
	}
}

// Healthy returns why new events cannot be accepted at present, nil when they can.
func (q *Queue) Healthy() error {
	if q.full.Load() {
		return ErrFull
	}
	if t := q.trouble.Load(); t != nil {
		return t.err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case q.waiting >= maxAppends || q.waitingBytes >= maxAppendBytes:
		return errBacklog
	}
	return nil
}
