package sqlite

import (
	"cmp"
	"slices"
)

// A span is places in the log, both ends included.
type span struct{ from, to uint64 }

// maxSpans bounds how many are remembered; beyond it the closest two become one, what lies between them included.
const maxSpans = 1024

// spans is a set of places in the log as spans in order that do not touch.
type spans []span

// add puts from to to into the set; nothing when from is above to.
func (s *spans) add(from, to uint64) {
	if from > to {
		return
	}
	all := *s
	// What touches from … to: i … j-1.
	i, _ := slices.BinarySearchFunc(all, from, func(a span, from uint64) int {
		if a.to+1 < from {
			return -1
		}
		return 1
	})
	j := i
	for j < len(all) && all[j].from <= to+1 {
		from, to = min(from, all[j].from), max(to, all[j].to)
		j++
	}
	*s = slices.Replace(all, i, j, span{from, to})
	if len(*s) > maxSpans {
		s.join()
	}
}

// join makes one of the closest two.
func (s *spans) join() {
	all := *s
	best := 1
	for i := 2; i < len(all); i++ {
		if cmp.Less(all[i].from-all[i-1].to, all[best].from-all[best-1].to) {
			best = i
		}
	}
	all[best-1].to = all[best].to
	*s = slices.Delete(all, best, best+1)
}

// dropTo removes all up to and including to.
func (s *spans) dropTo(to uint64) {
	all := *s
	for len(all) > 0 && all[0].to <= to {
		all = all[1:]
	}
	if len(all) > 0 && all[0].from <= to {
		all[0].from = to + 1
	}
	*s = all
}
