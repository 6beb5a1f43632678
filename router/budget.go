package router

import (
	"context"
	"sync"
	"time"
)

// A budgetContext is a context that ends at a time, and is used again when it did not: waiting for the disk is on the way of
// every callback that is notified, and the disk is nearly always in time. context.WithDeadline costs 2 µs more.
type budgetContext struct {
	context.Context
	deadline time.Time
	done     chan struct{} // closed at the deadline
	timer    *time.Timer
}

// budgets are used again. Each gateway has its own, since timers and channels of one test are not another's.
type budgets struct{ pool sync.Pool }

// until returns a context that ends at a time. It must be given back when nobody looks at it any more.
func (p *budgets) until(deadline time.Time) *budgetContext {
	b, ok := p.pool.Get().(*budgetContext)
	if !ok {
		b = &budgetContext{Context: context.Background(), done: make(chan struct{})}
		b.timer = time.AfterFunc(time.Hour, func() { close(b.done) })
	}
	b.deadline = deadline
	b.timer.Reset(time.Until(deadline))
	return b
}

func (p *budgets) giveBack(b *budgetContext) {
	if b.timer.Stop() { // otherwise done is closed, or about to be
		p.pool.Put(b)
	}
}

// Deadline returns it.
func (b *budgetContext) Deadline() (time.Time, bool) { return b.deadline, true }

// Done is closed at the deadline.
func (b *budgetContext) Done() <-chan struct{} { return b.done }

// Err is context.DeadlineExceeded from the deadline on.
func (b *budgetContext) Err() error {
	select {
	case <-b.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
