package shadow

import (
	"fmt"
	"strconv"
	"time"
)

// Bounds are shares of the canary's callbacks, 0 to 1, that may end in a way within a window. Beyond one of them the canary is
// rolled back.
type Bounds struct {
	// Refusals may be refused that the serving rules would not refuse.
	Refusals float64
	// Errors may be in trouble, have a sink that failed, or a condition that fails with the candidate only, beyond the share of
	// the other callbacks that are in trouble or have a sink that failed.
	Errors float64
	// Matches may be matched by more rules than the serving table's.
	Matches float64
	// Window is the time that shares are taken over. Zero means 5 minutes.
	Window time.Duration
	// Least is how many callbacks the canary must have had within the window before it is judged. Zero means 50.
	Least int
}

func (b Bounds) withDefaults() Bounds {
	if b.Window == 0 {
		b.Window = 5 * time.Minute
	}
	if b.Least == 0 {
		b.Least = 50
	}
	return b
}

// passed says which bound is passed, "" for none.
func (b Bounds) passed(canary, others counts) string {
	if canary.callbacks < b.Least {
		return ""
	}
	failed := canary.share(canary.failed) - others.share(others.failed)
	switch {
	case beyond(canary.share(canary.refused), b.Refusals):
		return b.why(canary.refused, canary, "were refused that the serving rules would not refuse", b.Refusals)
	case beyond(failed, b.Errors):
		return b.why(canary.failed, canary, fmt.Sprintf("failed, of the others %s,", Percent(others.share(others.failed))), b.Errors)
	case beyond(canary.share(canary.matched), b.Matches):
		return b.why(canary.matched, canary, "were matched by more rules than the serving table's", b.Matches)
	}
	return ""
}

// beyond reports whether a share is more than a bound, by more than binary fractions make of decimal ones: 4% - 3% is not
// more than 1%.
func beyond(share, bound float64) bool { return share-bound > 1e-9 }

func (b Bounds) why(n int, canary counts, what string, bound float64) string {
	return fmt.Sprintf("%d of %d callbacks (%s) %s within %v; the bound is %s",
		n, canary.callbacks, Percent(canary.share(n)), what, b.Window, Percent(bound))
}

// Percent writes a share as people do: 5%, 0.25%.
func Percent(share float64) string {
	return strconv.FormatFloat(float64(int64(share*1e6+.5))/1e4, 'f', -1, 64) + "%"
}

// counts are callbacks, and how some of them ended.
type counts struct{ callbacks, refused, failed, matched int }

func (c *counts) add(o counts) {
	c.callbacks += o.callbacks
	c.refused += o.refused
	c.failed += o.failed
	c.matched += o.matched
}

// share is which share n are; of nothing it is 0.
func (c *counts) share(n int) float64 { return float64(n) / float64(max(c.callbacks, 1)) }

// steps is how many a window moves on in.
const steps = 10

// A window counts what happened within a time that moves on.
type window struct {
	step   time.Duration
	newest int64 // step since 1970
	canary [steps]counts
	others [steps]counts
}

func newWindow(d time.Duration) window { return window{step: max(d/steps, 1)} }

// moveTo forgets what is too old at a time.
func (w *window) moveTo(now time.Time) {
	at := now.UnixNano() / int64(w.step)
	for i := max(w.newest+1, at-steps+1); i <= at; i++ {
		w.canary[i%steps], w.others[i%steps] = counts{}, counts{}
	}
	w.newest = max(w.newest, at)
}

func (w *window) add(now time.Time, canary bool, c counts) {
	w.moveTo(now)
	if canary {
		w.canary[w.newest%steps].add(c)
	} else {
		w.others[w.newest%steps].add(c)
	}
}

func (w *window) sum(now time.Time) (canary, others counts) {
	w.moveTo(now)
	for i := range steps {
		canary.add(w.canary[i])
		others.add(w.others[i])
	}
	return canary, others
}
