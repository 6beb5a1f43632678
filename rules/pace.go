package rules

import (
	"iter"
	"time"

	"callboard/rules/when"
)

const (
	// workTime is how long is worked before a rest, restTime how long that is: a callback should wait for neither.
	workTime = time.Millisecond
	restTime = 500 * time.Microsecond
)

// A pace lets callbacks go first while something is done for each of many rules: a hundred thousand take longer than a
// callback should wait for a core. It sleeps, since a goroutine that only yields keeps its core from looking for callbacks
// that have come. The nil pace does not rest. It is for one goroutine.
type pace struct{ rested time.Time }

// breathe rests if it is time to; i counts the calls.
func (p *pace) breathe(i int) {
	if p != nil && i%100 == 99 {
		p.rest()
	}
}

// rest rests if it is time to.
func (p *pace) rest() {
	if p != nil && time.Since(p.rested) >= workTime {
		time.Sleep(restTime)
		p.rested = time.Now()
	}
}

// conds yields conditions at this pace.
func (p *pace) conds(all []*when.Cond) iter.Seq[*when.Cond] {
	return func(yield func(*when.Cond) bool) {
		for i, c := range all {
			p.breathe(i)
			if !yield(c) {
				return
			}
		}
	}
}
