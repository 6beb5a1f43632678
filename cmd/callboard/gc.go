package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// gcPercent lets the heap grow to five times what lives before it is collected. What lives is a few MiB, so the
	// default would collect dozens of times a second under load, for memory that nobody misses.
	gcPercent = 400
	// gcHeadroom bounds how far the heap grows beyond what lives, in bytes: with 100,000 rules, five times would be much.
	gcHeadroom = 80 << 20
	// leastGCPercent bounds what collecting may cost where even more lives.
	leastGCPercent = 33
)

// tuneGC sets how far the heap may grow, now and after each collection, unless GOGC says otherwise.
func tuneGC(lookupEnv func(string) (string, bool)) {
	if _, set := lookupEnv("GOGC"); set {
		return
	}
	debug.SetGCPercent(gcPercent)
	new(gcTuner).afterNextGC(gcPercent)
}

// gcPercentFor returns the percentage for so many live bytes.
func gcPercentFor(live uint64) int {
	return int(min(gcPercent, max(leastGCPercent, 100*gcHeadroom/max(live, 1))))
}

// A gcTuner is garbage as soon as it is made: the runtime's word on that is the word that the heap was collected.
type gcTuner struct{ _ *gcTuner }

// afterNextGC sets the percentage, which is current now, to what lives after the next collection, and so on.
func (t *gcTuner) afterNextGC(current int) {
	runtime.AddCleanup(t, func(current int) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		wanted := gcPercentFor(live[0].Value.Uint64())
		if wanted < current*9/10 || wanted > current*11/10 { // setting it stops the world for a moment
			debug.SetGCPercent(wanted)
			current = wanted
		}
		new(gcTuner).afterNextGC(current)
	}, current)
}
