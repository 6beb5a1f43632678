package index

import (
	"cmp"
	"slices"
)

// intervals are the ranges in which the number that is a subject must be: a balanced tree over them, sorted by where they
// begin, that knows how far the ranges below each reach.
type intervals struct {
	subject int
	sorted  []interval
}

// An interval is never empty: formula leaves no such range.
type interval struct {
	from, to int
	reach    int // the highest to of the intervals of which this one is the root
	rule     uint32
}

func (v *intervals) build() {
	slices.SortFunc(v.sorted, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	reach(v.sorted)
}

// reach fills in the tree whose root is in the middle.
func reach(tree []interval) int {
	if len(tree) == 0 {
		return -1 << 63
	}
	middle := len(tree) / 2
	root := &tree[middle]
	root.reach = max(root.to, reach(tree[:middle]), reach(tree[middle+1:]))
	return root.reach
}

// stab adds the rules whose interval has n.
func (s *search) stab(tree []interval, n int) {
	for len(tree) > 0 {
		middle := len(tree) / 2
		root := &tree[middle]
		if root.reach < n {
			return
		}
		s.stab(tree[:middle], n)
		if root.from > n {
			return // and so do all behind it
		}
		if root.to >= n {
			s.add(root.rule)
		}
		tree = tree[middle+1:]
	}
}
