package index

import (
	"slices"

	"callboard/rules/formula"
)

// An Index finds rules. Where few of many have changed, most are found by the part that was built for those before, and the
// others by a small part of their own. It is read-only and safe for concurrent use.
type Index struct {
	parts []placed // one or two
}

// placed is a part with where its rules are among all now.
type placed struct {
	*part
	places []uint32 // number → place, or Gone; nil: the number itself
}

// Gone is the place of a rule that is no more.
const Gone = ^uint32(0)

// New builds the index of entries, whose places are what Find returns. It calls each with the number
// of the entry that it is at, several times over: what takes long may want to rest.
func New(entries []Entry, each func(int)) *Index {
	return &Index{[]placed{{newPart(entries, each), nil}}}
}

// Changed returns the index of rules of which many are among those that x was built for by New. places tells for each of
// those where it is now, or that it is Gone. The other rules are in added, and their places in at. The slices belong to the Index.
// each is as in New.
func (x *Index) Changed(places []uint32, added []Entry, at []uint32, each func(int)) *Index {
	parts := []placed{{x.parts[0].part, places}}
	if len(added) > 0 {
		parts = append(parts, placed{newPart(added, each), at})
	}
	return &Index{parts}
}

// Hits are the rules that were found. Release them after use.
type Hits struct {
	search *search
}

// Rules returns the places of the rules, ascending, each once. The slice is gone when the Hits are released.
func (h Hits) Rules() []uint32 { return h.search.rules }

// Release gives the Hits back.
func (h Hits) Release() { h.search.release() }

// Find returns the rules that a callback of a command with these values may match; values is nil when no rule for the
// command asks for any. It may be called concurrently.
func (x *Index) Find(command string, values Values) Hits {
	s := x.parts[0].find(command, values)
	for _, p := range x.parts[1:] {
		more := p.find(command, values)
		s.rules = append(s.rules, more.rules...)
		more.release()
	}
	slices.Sort(s.rules)
	s.rules = slices.Compact(s.rules)
	return Hits{s}
}

// find is part.find with places for numbers.
func (p placed) find(command string, values Values) *search {
	s := p.part.find(command, values)
	if p.places == nil {
		return s
	}
	kept := s.rules[:0]
	for _, number := range s.rules {
		if at := p.places[number]; at != Gone {
			kept = append(kept, at)
		}
	}
	s.rules = kept
	return s
}

// Found returns how the rule at a place is found: by each of several ways, of which one is that all of some atoms hold.
// There is none for a rule that every callback finds.
func (x *Index) Found(place uint32) [][]*formula.Atom {
	for _, p := range x.parts {
		if p.places == nil {
			return p.by[place].each()
		}
		if number := slices.Index(p.places, place); number >= 0 {
			return p.by[number].each()
		}
	}
	return nil
}
