package index

import (
	"slices"

	"callboard/rules/formula"
)

// statistics are what all rules together say about subjects: how many different literals they name for each, and how
// often each literal.
type statistics struct {
	often    counts
	distinct map[class]int
	ends     map[int][]int // subject → where ranges begin or end
	literals int
}

// A class is one use of a subject: texts that it begins with say nothing about those that it equals.
type class struct {
	subject int
	kind    formula.Kind
}

func newStatistics(literals int) statistics {
	return statistics{often: newCounts(literals), distinct: map[class]int{}, ends: map[int][]int{}}
}

// count takes a formula into the statistics.
func (b *builder) count(f formula.Formula) {
	for _, part := range f.Of {
		b.count(part)
	}
	if f.Op != formula.Leaf {
		return
	}
	a, s := f.Atom, &b.stats
	i := b.subject(a)
	switch a.Kind {
	case formula.NoneOf, formula.HasNone:
	case formula.Range:
		if a.From != formula.Lowest {
			s.ends[i] = append(s.ends[i], a.From)
		}
		if a.To != formula.Highest {
			s.ends[i] = append(s.ends[i], a.To)
		}
	default:
		c := class{i, a.Kind}
		distinct := 0
		for _, h := range a.Hashes() {
			s.literals++
			if s.often.add(keyOf(uint64(a.Kind), i, h)) == 1 {
				distinct++
			}
		}
		s.distinct[c] += distinct
	}
}

func (s *statistics) finish() {
	for _, ends := range s.ends {
		slices.Sort(ends)
	}
}

// cost is about the share of callbacks of which a literal of the atom holds, if all literals were as frequent. Of words it
// prefers those that fewer rules look for: some are in every text.
func (s *statistics) cost(i int, a *formula.Atom) float64 {
	cost := float64(a.Len()) / float64(s.distinct[class{i, a.Kind}]+unnamed(a))
	if a.Kind == formula.Contains {
		for _, h := range a.Hashes() {
			cost += 1e-9 * float64(s.often.of(keyOf(uint64(a.Kind), i, h)))
		}
	}
	return cost
}

// unnamed is about how many values a field has that no rule names: many, where few rules name any.
func unnamed(a *formula.Atom) int {
	switch {
	case a.Field.Root == formula.Command:
		return 0 // callbacks are mostly of the commands that have rules
	case len(a.Bools) == a.Len():
		return 1
	case len(a.Ints) == a.Len():
		return 5
	}
	return 20
}

// share is about the share of callbacks within a range. Ranges mostly ask for what is rare, so it is a tenth of what it
// would be if the numbers were spread as the ends of all ranges.
func (s *statistics) share(i int, a *formula.Atom) float64 {
	if a.View == formula.Bytes {
		return longInput // only what may run out of steps asks for it
	}
	ends := s.ends[i]
	from, _ := slices.BinarySearch(ends, a.From)
	to := len(ends)
	if a.To != formula.Highest {
		to, _ = slices.BinarySearch(ends, a.To+1)
	}
	return 0.01 + 0.1*float64(to-from)/float64(len(ends)+1)
}

// counts maps hashes to how often they came.
type counts struct {
	keys []uint64 // 0: free
	n    []uint32
	used int
}

// newCounts makes room for about n hashes.
func newCounts(n int) counts {
	size := 64
	for size < 2*n {
		size *= 2
	}
	return counts{keys: make([]uint64, size), n: make([]uint32, size)}
}

func (c *counts) at(key uint64) int {
	mask := len(c.keys) - 1
	i := int(key) & mask
	for c.keys[i] != 0 && c.keys[i] != key {
		i = (i + 1) & mask
	}
	return i
}

// add returns how often the key came by now.
func (c *counts) add(key uint64) uint32 {
	key |= 1
	if c.used >= len(c.keys)/2 {
		old := *c
		c.keys, c.n = make([]uint64, 2*len(old.keys)), make([]uint32, 2*len(old.n))
		for i, k := range old.keys {
			if k != 0 {
				at := c.at(k)
				c.keys[at], c.n[at] = k, old.n[i]
			}
		}
	}
	i := c.at(key)
	if c.keys[i] == 0 {
		c.keys[i] = key
		c.used++
	}
	c.n[i]++
	return c.n[i]
}

func (c *counts) of(key uint64) uint32 { return c.n[c.at(key|1)] }
