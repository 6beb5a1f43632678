package rules

import (
	"cmp"
	"slices"

	"callboard/rules/when"
)

// A near miss is a rule that did not match, and how far it was from that.
type nearMiss struct {
	place    int // in the order of matching
	distance when.Distance
}

func (m nearMiss) compare(other nearMiss) int {
	return cmp.Or(m.distance.Compare(other.distance), m.place-other.place)
}

// closerLooks bounds how many rules more than wanted are taken apart: of a hundred thousand that are estimated alike, some that are
// as near as those found may be missing.
const closerLooks = 2000

// rank finds the nearest of the rules that did not match and takes their conditions apart. An estimate is never too far, so
// that a rule needs no closer look once enough have been found that are nearer than its estimate.
func (x *examiner) rank() {
	wanted := x.how.Nearest
	if wanted == 0 {
		return
	}
	var estimated []nearMiss
	for i := range x.Rules {
		if e := &x.Rules[i]; !e.Foreign && !e.Matched && !e.MayMatch {
			estimated = append(estimated, nearMiss{i, x.estimate(e)})
		}
	}
	if wanted < 0 {
		wanted = len(estimated)
	}
	slices.SortFunc(estimated, nearMiss.compare)
	var found []nearMiss // in order
	for looked, m := range estimated {
		if len(found) >= wanted && (looked >= wanted+closerLooks || found[wanted-1].compare(m) <= 0) {
			break
		}
		e := &x.Rules[m.place]
		x.takeApart(e)
		m.distance.Missing = max(m.distance.Missing, e.Missing)
		at, _ := slices.BinarySearchFunc(found, m, nearMiss.compare)
		found = slices.Insert(found, at, m)
	}
	for i, m := range found {
		if i < wanted {
			x.Near = append(x.Near, m.place)
		} else if e := &x.Rules[m.place]; e.Rule.Name != x.how.Rule {
			e.Parts, e.Missing = nil, 0 // looked at, and too far
		}
	}
}

// estimate is at most how far the rule was from matching.
func (x *examiner) estimate(e *Explanation) when.Distance {
	if e.Rule.cond == nil || e.Truth == when.True {
		return when.Distance{} // it was stopped
	}
	d := x.scope.Near(e.Rule.cond)
	d.Missing = max(d.Missing, 1)
	return d
}
