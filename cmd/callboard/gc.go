package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// gcPercent lets the heap grow to five times what lives before it is collected. What lives is a few MiB, so the
	// default would collect dozens of times a second under load, for memory that nobody misses.
	gcPercent = 400
	// gcHeadroom bounds how far the heap grows beyond what lives, in bytes: with 100,000 rules, five times would be much.
	gcHeadroom = 80 << 20
	// leastGCPercent bounds what collecting may cost where even more lives.
	leastGCPercent = 33
	// holdAfter is how long after a load the heap is not collected for its sake: callbacks that had to wait are answered first.
	holdAfter = 500 * time.Millisecond
)

// A gcTuner sets how far the heap may grow before it is collected, anew after each collection. Nil leaves that to GOGC.
type gcTuner struct {
	mu      sync.Mutex // guards what follows
	percent int        // that is wanted
	held    int        // calls of during that run
}

// tuneGC starts a gcTuner, unless GOGC says otherwise.
func tuneGC(lookupEnv func(string) (string, bool)) *gcTuner {
	if _, set := lookupEnv("GOGC"); set {
		return nil
	}
	t := &gcTuner{}
	t.set(gcPercent)
	t.afterNextGC()
	return t
}

// gcPercentFor returns the percentage for so many live bytes.
func gcPercentFor(live uint64) int {
	return int(min(gcPercent, max(leastGCPercent, 100*gcHeadroom/max(live, 1))))
}

// during calls f and lets the heap grow twice as far until a moment after: collecting beside something else that takes long
// would leave callbacks no core.
func (t *gcTuner) during(f func()) {
	if t != nil {
		t.hold(1)
		defer time.AfterFunc(holdAfter, func() { t.hold(-1) })
	}
	f()
}

func (t *gcTuner) hold(more int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held += more
	t.applyLocked()
}

// set makes a percentage the wanted one. Changing it stops the world for a moment, so a little more or less does not count.
func (t *gcTuner) set(percent int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if percent < t.percent*9/10 || percent > t.percent*11/10 {
		t.percent = percent
		t.applyLocked()
	}
}

func (t *gcTuner) applyLocked() {
	if t.held > 0 {
		debug.SetGCPercent(2 * t.percent)
	} else {
		debug.SetGCPercent(t.percent)
	}
}

// A gcMark is garbage as soon as it is made: the runtime's word on that is the word that the heap was collected.
type gcMark struct{ _ *gcMark }

// afterNextGC sets the percentage to what lives after the next collection, and so on.
func (t *gcTuner) afterNextGC() {
	runtime.AddCleanup(new(gcMark), func(t *gcTuner) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		t.set(gcPercentFor(live[0].Value.Uint64()))
		t.afterNextGC()
	}, t)
}
