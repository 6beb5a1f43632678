// Package prove tells what follows from formulas: that no callback fulfils one, and that one follows from another.
//
// Contradiction, Implies and Given are where to begin. What they claim is so; what they do not claim may be so all the same:
// a search that grows too long is given up. Formulas come from package when, what findings follow is for package rules.
package prove

import "callboard/rules/formula"

// mostSteps bounds the work on one question: || within && multiply.
const mostSteps = 2000

// Contradiction reports whether no callback can fulfil f, and why.
func Contradiction(f formula.Formula) (why string, found bool) {
	s := search{steps: mostSteps}
	return s.contradiction(nil, []formula.Formula{f})
}

// Implies reports whether every callback that fulfils a fulfils b, too. For that to say something of the conditions behind
// them, a has to be necessary for its condition, and b exact.
func Implies(a, b formula.Formula) bool {
	s := search{steps: mostSteps}
	return s.implies([]formula.Formula{a}, b)
}

// Given returns f for callbacks of which something is known: decide tells of an atom whether they fulfil it, if that is known.
func Given(f formula.Formula, decide func(*formula.Atom) (holds, known bool)) formula.Formula {
	switch f.Op {
	case formula.Leaf:
		holds, known := decide(f.Atom)
		switch {
		case !known:
			return f
		case !holds:
			return formula.Never
		case f.Exact:
			return formula.Always
		}
		return formula.Formula{}
	case formula.All, formula.Some:
		parts := make([]formula.Formula, len(f.Of))
		for i, part := range f.Of {
			parts[i] = Given(part, decide)
		}
		if f.Op == formula.All {
			return formula.AllOf(parts...)
		}
		return formula.SomeOf(parts...)
	}
	return f
}

// Absent tells of an atom whether a callback that lacks its field fulfils it: the field then has its type's zero value.
func Absent(a *formula.Atom) (holds, known bool) {
	if v, ok := zero(a.Field.Type); ok {
		return v.fulfils(a)
	}
	if a.Field.Type == formula.Unknown {
		return false, false
	}
	return emptyList(a)
}

// Equals tells of an atom whether a field with a text as its value fulfils it.
func Equals(a *formula.Atom, text string) (holds, known bool) {
	return value{what: formula.String, text: text}.fulfils(a)
}

// A search is the work on one question.
type search struct{ steps int }

// spend takes a step; false: the search is given up.
func (s *search) spend() bool {
	s.steps--
	return s.steps > 0
}

// contradiction looks for what keeps all atoms and all formulas from holding together.
func (s *search) contradiction(atoms []*formula.Atom, all []formula.Formula) (why string, found bool) {
	var open []formula.Formula // Some, one of whose parts has to hold
	for len(all) > 0 {
		f := all[0]
		all = all[1:]
		switch f.Op {
		case formula.Nothing:
			return "no value fulfils its condition", true
		case formula.Leaf:
			atoms = append(atoms[:len(atoms):len(atoms)], f.Atom)
		case formula.All:
			all = append(all[:len(all):len(all)], f.Of...)
		case formula.Some:
			open = append(open, f)
		}
	}
	if why, found = clash(atoms); found {
		return why, true
	}
	for _, f := range open { // each by itself is cheap
		if why, found = s.noneHolds(atoms, f, nil); found {
			return why, true
		}
	}
	if len(open) < 2 {
		return "", false
	}
	return s.noneHolds(atoms, open[0], open[1:])
}

// noneHolds reports whether no part of a Some can hold beside the atoms and the rest.
func (s *search) noneHolds(atoms []*formula.Atom, some formula.Formula, rest []formula.Formula) (why string, found bool) {
	for _, part := range some.Of {
		if !s.spend() {
			return "", false
		}
		partWhy, none := s.contradiction(atoms, append([]formula.Formula{part}, rest...))
		if !none {
			return "", false
		}
		if why == "" {
			why = partWhy
		}
	}
	return why, true
}

// implies reports whether b follows where all of them hold.
func (s *search) implies(all []formula.Formula, b formula.Formula) bool {
	if !s.spend() {
		return false
	}
	switch b.Op {
	case formula.Anything:
		return true
	case formula.All:
		for _, part := range b.Of {
			if !s.implies(all, part) {
				return false
			}
		}
		return true
	}
	var atoms []*formula.Atom
	var some *formula.Formula
	var rest []formula.Formula
	for todo := all; len(todo) > 0; {
		f := todo[0]
		todo = todo[1:]
		switch {
		case f.Op == formula.Nothing:
			return true
		case f.Op == formula.Leaf:
			atoms = append(atoms, f.Atom)
			rest = append(rest, f)
		case f.Op == formula.All:
			todo = append(todo[:len(todo):len(todo)], f.Of...)
		case f.Op == formula.Some && some == nil:
			some = &f
		case f.Op == formula.Some:
			rest = append(rest, f)
		}
	}
	if follows(atoms, b) {
		return true
	}
	if some != nil { // then from each of its parts
		for _, part := range some.Of {
			if !s.implies(append(rest[:len(rest):len(rest)], part), b) {
				return false
			}
		}
		return true
	}
	if b.Op == formula.Some {
		for _, part := range b.Of {
			if s.implies(all, part) {
				return true
			}
		}
	}
	_, never := clash(atoms)
	return never
}

// follows reports whether an atom follows from one of the atoms.
func follows(atoms []*formula.Atom, b formula.Formula) bool {
	if b.Op != formula.Leaf {
		return false
	}
	for _, a := range atoms {
		if entails(a, b.Atom) {
			return true
		}
	}
	return false
}
