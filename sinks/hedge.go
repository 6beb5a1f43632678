package sinks

import (
	"context"
	"time"
)

// race makes one attempt of up to two requests: a hedge follows the first when that is slow. The first
// answer that can be read counts, the other request is called off and waited for; a failure waits for the
// other. While the first is quick, this costs a timer and no goroutine.
func (a *ask) race() exchange {
	firstCtx, callOffFirst := context.WithCancel(a.ctx)
	defer callOffFirst()
	hedgeCtx, callOffHedge := context.WithCancel(a.ctx)
	defer callOffHedge()

	var hedge exchange // readable once done is closed
	done := make(chan struct{})
	timer := time.AfterFunc(a.sink.options.Hedge, func() {
		defer close(done)
		if !a.sink.tryAcquire() {
			return // a hedge would only take another callback's turn
		}
		defer a.sink.release()
		a.hedged = true
		if hedge = a.exchange(hedgeCtx); hedge.usable() {
			callOffFirst()
		}
	})

	first := a.exchange(firstCtx)
	if timer.Stop() {
		return first
	}
	if first.usable() {
		callOffHedge()
	}
	<-done
	if !first.usable() && (hedge.usable() || first.status == 0 && hedge.status != 0) {
		return hedge
	}
	return first
}
