package table

import (
	"context"
	"time"
)

// watch looks at the folder after hints, polls, and demands until ctx ends. Events are only hints to look: what is
// there decides.
func (k *Keeper) watch(ctx context.Context, w *watcher) {
	poll := time.NewTicker(k.o.Poll)
	defer poll.Stop()
	d := newDebounce(k.o.Debounce)
	defer d.timer.Stop()

	if k.look(w, true) { // for what changed between Load and now, and to set the watches
		d.hint()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-k.demand:
			if k.lookNow(w) {
				d.hint()
			}
		case <-w.hints:
			d.hint()
		case <-poll.C:
			if d.first.IsZero() && k.changed(w) { // within a burst, a look comes anyway
				d.hint()
			}
		case <-d.timer.C:
			if k.look(w, d.spent()) {
				d.again()
			} else {
				d.end()
			}
		}
	}
}

// A debounce finds the quiet moment after a burst of hints.
type debounce struct {
	quiet time.Duration
	timer *time.Timer // fires when it has been quiet, or after maxBurst
	first time.Time   // hint of the burst, zero outside one
}

func newDebounce(quiet time.Duration) *debounce {
	d := &debounce{quiet: quiet, timer: time.NewTimer(quiet)}
	d.timer.Stop()
	return d
}

func (d *debounce) hint() {
	if d.first.IsZero() {
		d.first = time.Now()
	}
	left := max(0, maxBurst-time.Since(d.first))
	d.timer.Reset(min(d.quiet, left))
}

// again asks for another look within the same burst.
func (d *debounce) again() { d.timer.Reset(d.quiet) }

// spent reports whether the burst has lasted as long as may be waited.
func (d *debounce) spent() bool { return time.Since(d.first) >= maxBurst }

func (d *debounce) end() { d.first = time.Time{} }
