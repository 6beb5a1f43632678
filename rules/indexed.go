package rules

import (
	"slices"

	"callboard/rules/index"
)

const (
	// manyToIndex is from how many rules on an index serves again: fewer are indexed anew in some milliseconds.
	manyToIndex = 5000
	// fewChanged is how small a part of the rules may differ from those of an index that serves again: one in so many.
	fewChanged = 16
)

// An indexed is the index that a Loader has last built of all rules. Their outlines know their numbers in it.
type indexed struct {
	index *index.Index
	rules int
}

// index makes the index of rules, which are in the order of matching. Where only few are new it is built of those.
func (l *Loader) index(rules []*outline, with *pace) *index.Index {
	added := 0
	for i, r := range rules {
		with.breathe(i)
		if r.indexed == 0 {
			added++
		}
	}
	x := l.indexed
	if x == nil || x.rules < manyToIndex || max(added, x.rules+added-len(rules)) > x.rules/fewChanged {
		return l.indexAll(rules, with)
	}
	return l.indexChanged(rules, with)
}

// indexChanged takes the index that there is for the rules that are in it.
func (l *Loader) indexChanged(rules []*outline, with *pace) *index.Index {
	x := l.indexed
	places := slices.Repeat([]uint32{index.Gone}, x.rules)
	var entries []index.Entry
	var at []uint32
	lists := commandLists{}
	for i, r := range rules {
		with.breathe(i)
		if r.indexed > 0 {
			places[r.indexed-1] = uint32(i)
		} else {
			entries, at = append(entries, lists.entry(r.Rule)), append(at, uint32(i))
		}
	}
	return x.index.Changed(places, entries, at, with.breathe)
}

func (l *Loader) indexAll(rules []*outline, with *pace) *index.Index {
	entries := make([]index.Entry, len(rules))
	lists := commandLists{}
	for i, r := range rules {
		with.breathe(i)
		entries[i] = lists.entry(r.Rule)
		r.indexed = uint32(i) + 1
	}
	l.indexed = &indexed{index.New(entries, with.breathe), len(rules)}
	return l.indexed.index
}
