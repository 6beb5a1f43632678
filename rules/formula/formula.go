// Package formula says as data what a condition makes necessary: which fields must have which values before it can be
// true.
//
// A Formula never claims too much: what is not understood of a condition is Anything. Package when extracts formulas
// from conditions, package index finds rules by them, and static analysis compares them.
package formula

import (
	"math"
	"slices"
)

// An Op says what a Formula is made of.
type Op uint8

// The ops.
const (
	Anything Op = iota // nothing is known: it holds for every callback
	Nothing            // it holds for no callback
	Leaf               // one Atom
	All                // every one of Of
	Some               // at least one of Of
)

// A Formula holds for every callback for which a condition has the outcome that the Formula was asked for. The zero
// value is Anything. Formulas are read-only and may be shared.
type Formula struct {
	Op    Op
	Exact bool      // also holds for no other callback; exact Anything is always so
	Atom  *Atom     // of Leaf
	Of    []Formula // of All and Some: two or more, none of them Anything (but for exact ones in Some), Nothing or of the same Op
}

// Always is the exact formula of what is true of every callback, Never of what is true of none.
var (
	Always = Formula{Op: Anything, Exact: true}
	Never  = Formula{Op: Nothing, Exact: true}
)

// Of returns the formula of one atom. exact tells whether the atom says all of what it stands for.
func Of(a Atom, exact bool) Formula {
	switch {
	case a.impossible():
		return Never
	case a.sure():
		return Formula{Op: Anything, Exact: exact}
	}
	return Formula{Op: Leaf, Exact: exact, Atom: a.prepare()}
}

// AllOf returns the formula of what makes all of fs necessary. It is exact when all are.
func AllOf(fs ...Formula) Formula {
	all := Formula{Op: All, Exact: true}
	for _, f := range fs {
		all.Exact = all.Exact && f.Exact
		switch f.Op {
		case Nothing:
			return Never
		case Anything:
		case All:
			all.Of = append(all.Of, f.Of...)
		default:
			all.Of = append(all.Of, f)
		}
	}
	if len(all.Of) > 1 && !all.joinRanges() {
		return Never
	}
	return all.simple(Anything)
}

// SomeOf returns the formula of what makes one of fs necessary. It is exact when all are.
func SomeOf(fs ...Formula) Formula {
	some := Formula{Op: Some, Exact: true}
	for _, f := range fs {
		some.Exact = some.Exact && f.Exact
	}
	for _, f := range fs {
		switch f.Op {
		case Anything:
			if f.Exact {
				return Always
			}
			return Formula{}
		case Nothing:
		case Some:
			some.Of = append(some.Of, f.Of...)
		default:
			some.Of = append(some.Of, f)
		}
	}
	some.joinSets()
	return some.simple(Nothing)
}

// simple drops an All or Some of fewer than two; empty is what one of none comes to.
func (f Formula) simple(empty Op) Formula {
	switch len(f.Of) {
	case 0:
		return Formula{Op: empty, Exact: f.Exact}
	case 1:
		one := f.Of[0]
		one.Exact = f.Exact
		return one
	}
	return f
}

// Inexact returns f as a formula that other callbacks may fulfil, too.
func (f Formula) Inexact() Formula {
	if f.Op != Nothing {
		f.Exact = false
	}
	return f
}

// joinRanges makes one range of those of the same value. It reports false when they leave nothing.
func (f *Formula) joinRanges() bool {
	for i := 0; i < len(f.Of); i++ {
		a := f.Of[i].Atom
		if a == nil || a.Kind != Range {
			continue
		}
		for j := len(f.Of) - 1; j > i; j-- {
			b := f.Of[j].Atom
			if b == nil || b.Kind != Range || b.Field != a.Field || b.View != a.View {
				continue
			}
			joined := Atom{Field: a.Field, View: a.View, Kind: Range, From: max(a.From, b.From), To: min(a.To, b.To)}
			if joined.impossible() {
				return false
			}
			f.Of[i].Exact = f.Of[i].Exact && f.Of[j].Exact
			a = joined.prepare()
			f.Of[i].Atom = a
			f.Of = slices.Delete(f.Of, j, j+1)
		}
	}
	return true
}

// joinSets makes one set of those of the same value and kind: x == "a" || x == "b" is x in ["a", "b"].
func (f *Formula) joinSets() {
	for i := 0; i < len(f.Of); i++ {
		a := f.Of[i].Atom
		if a == nil || !a.Kind.joins() {
			continue
		}
		for j := len(f.Of) - 1; j > i; j-- {
			b := f.Of[j].Atom
			if b == nil || b.Kind != a.Kind || b.Field != a.Field || b.View != a.View {
				continue
			}
			joined := *a
			joined.Texts = union(a.Texts, b.Texts)
			joined.Ints = union(a.Ints, b.Ints)
			joined.Bools = union(a.Bools, b.Bools)
			f.Of[i].Exact = f.Of[i].Exact && f.Of[j].Exact
			a = joined.prepare()
			f.Of[i].Atom = a
			f.Of = slices.Delete(f.Of, j, j+1)
		}
	}
}

func union[T comparable](a, b []T) []T {
	u := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(a, v) {
			u = append(u, v)
		}
	}
	return u
}

// The ends of a range that is open there.
const (
	Lowest  = math.MinInt
	Highest = math.MaxInt
)
