package queue

import (
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// A breaker decides whether attempts may begin. It lets one probe out at a time, and waits twice as long after each that
// fails: the library's delay is fixed, so a breaker that opens again is a new one. It is guarded by its sink's mutex.
type breaker struct {
	how     Breaker
	circuit circuitbreaker.CircuitBreaker[any] // nil: off
	delay   time.Duration
	since   time.Time // not closed since then; zero when it is closed
	opens   time.Time // when a probe may go out
	why     string    // the failure that opened it
}

func newBreaker(how Breaker) *breaker {
	b := &breaker{how: how}
	b.close()
	return b
}

func (b *breaker) close() {
	b.since, b.opens, b.why, b.delay = time.Time{}, time.Time{}, "", b.how.Delay
	if !b.how.Off {
		b.build()
	}
}

func (b *breaker) build() {
	b.circuit = circuitbreaker.NewBuilder[any]().WithFailureThreshold(uint(b.how.Failures)).WithSuccessThreshold(1).
		WithDelay(b.delay).Build()
}

// isOpen says whether the sink is left alone, but for probes.
func (b *breaker) isOpen() bool { return b != nil && !b.since.IsZero() }

// admits says whether an attempt may begin: while the breaker is not closed only a probe may, one at a time.
func (b *breaker) admits() bool {
	return !b.isOpen() || !b.circuit.IsHalfOpen() && !time.Now().Before(b.opens)
}

// begin notes that an attempt begins, and says whether it is a probe.
func (b *breaker) begin() (probe bool) {
	return b.isOpen() && b.circuit.TryAcquirePermit()
}

// giveBack takes back a probe that told nothing.
func (b *breaker) giveBack() {
	if b.isOpen() {
		b.reopen(0)
	}
}

// opensAt is when a probe may go out, zero when nobody has to wait for that.
func (b *breaker) opensAt() time.Time {
	if b.isOpen() && !b.circuit.IsHalfOpen() && b.opens.After(time.Now()) {
		return b.opens
	}
	return time.Time{}
}

// record takes in how an attempt ended. Of a breaker that is not closed only probes tell something.
func (b *breaker) record(failed, probe bool, why string) (opened, closed bool) {
	probe = probe && b.isOpen() // else it was another breaker's
	switch {
	case b.how.Off || b.isOpen() && !probe:
		return false, false
	case probe && failed:
		b.delay = min(2*b.delay, b.how.MaxDelay)
		b.reopen(b.delay)
	case probe:
		b.close()
		return false, true
	case failed:
		b.circuit.RecordFailure()
		if b.circuit.IsOpen() {
			b.since = time.Now()
			b.opens = b.since.Add(b.delay)
			b.why = why
			return true, false
		}
	default:
		b.circuit.RecordSuccess()
	}
	return false, false
}

// reopen waits for so long before the next probe.
func (b *breaker) reopen(d time.Duration) {
	delay := b.delay
	b.delay = d
	b.build()
	b.delay = delay
	b.circuit.Open()
	b.opens = time.Now().Add(d)
}
