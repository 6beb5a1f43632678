package when

import "slices"

// A Distance tells how far a condition was from being true: the smaller, the nearer.
type Distance struct {
	Missing int // comparisons that would have to come out otherwise, at least; 0 when that is none, or not known
	Of      int // comparisons that have to come out right on that way: of two that miss one, the longer way has come further
}

// Compare orders distances, the nearest first, as cmp.Compare does.
func (d Distance) Compare(other Distance) int {
	if d.Missing != other.Missing {
		return d.Missing - other.Missing
	}
	return other.Of - d.Of
}

// unreachable is more than any condition has.
const unreachable = 1 << 20

// A way is how a joint could come out as wanted with the least change.
type way struct {
	Distance
	flips []*joint // the comparisons that would have to change, where somebody wants to know
}

func (w way) plus(other way) way {
	return way{Distance{w.Missing + other.Missing, w.Of + other.Of}, slices.Concat(w.flips, other.flips)}
}

func shorter(a, b way) way {
	if b.Compare(a.Distance) < 0 {
		return b
	}
	return a
}

// ways returns how a joint could become true and how false. of tells that of a comparison.
func (j *joint) ways(of func(*joint) (becomeTrue, becomeFalse way)) (becomeTrue, becomeFalse way) {
	switch j.kind {
	case comparison, constantly:
		return of(j)
	case notOf:
		becomeTrue, becomeFalse = j.below[0].ways(of)
		return becomeFalse, becomeTrue
	case variable:
		return j.below[1].ways(of) // a value that fails is for the whole to tell
	case choice:
		yes, no := j.below[0].ways(of)
		thenTrue, thenFalse := j.below[1].ways(of)
		elseTrue, elseFalse := j.below[2].ways(of)
		return shorter(yes.plus(thenTrue), no.plus(elseTrue)), shorter(yes.plus(thenFalse), no.plus(elseFalse))
	}
	var all way
	one := way{Distance: Distance{Missing: unreachable}}
	for _, b := range j.below {
		t, f := b.ways(of)
		if j.kind == anyOf {
			t, f = f, t
		}
		all, one = all.plus(t), shorter(one, f)
	}
	if j.kind == anyOf {
		return one, all
	}
	return all, one
}

// waysTo is what it takes a comparison to come out true, and false.
func waysTo(came outcomes, flips ...*joint) (becomeTrue, becomeFalse way) {
	becomeTrue.Of, becomeFalse.Of = 1, 1
	came = came.asked()
	if came&comesTrue == 0 {
		becomeTrue.Missing, becomeTrue.flips = 1, flips
	}
	if came&comesFalse == 0 {
		becomeFalse.Missing, becomeFalse.flips = 1, flips
	}
	return becomeTrue, becomeFalse
}

// waysToBe is the same for true and false as written, which cannot change.
func waysToBe(written bool) (becomeTrue, becomeFalse way) {
	if written {
		return way{}, way{Distance: Distance{Missing: unreachable}}
	}
	return way{Distance: Distance{Missing: unreachable}}, way{}
}

// Near estimates how far a condition was from being true without compiling anything: Missing is at least so many. Comparisons that
// are not simple count as what they should be. Explain knows better, and costs more.
func (s *Scope) Near(c *Cond) Distance {
	j := newDraft(c.source, c.schema).joints()
	if j == nil {
		return Distance{}
	}
	becomeTrue, _ := j.ways(func(j *joint) (way, way) {
		if j.kind == constantly {
			return waysToBe(j.written())
		}
		came := anything
		if simple := simpleOf(j.node); simple != nil {
			if truth, ok := simple.holds(s, c.schema); ok {
				came = outcomeOf(truth, nil)
			}
		}
		return waysTo(came)
	})
	return becomeTrue.Distance
}
