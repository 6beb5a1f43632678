package index

import (
	"slices"

	"callboard/rules/formula"
)

// What makes a combination of subjects one key.
const (
	selective = 0.02 // of the callbacks: what selects as well by itself is not combined
	maxKeys   = 64   // of one rule and shape
	maxAtoms  = 4    // of a shape
	maxShapes = 48   // of an index
	dearly    = 0.02 // what a field costs that must be decoded from content or from an unknown member
	longInput = 0.001
)

// choices are how a rule is found: by one atom, or by each of several that stand for atoms which hold together. The zero
// value is no way.
type choices struct {
	one  *formula.Atom
	many [][]*formula.Atom
}

// imply reports whether an atom holds wherever the rule is found.
func (c choices) imply(a *formula.Atom) bool {
	return c.one == a || len(c.many) == 1 && slices.Contains(c.many[0], a)
}

// each lists the ways.
func (c choices) each() [][]*formula.Atom {
	if c.one != nil {
		return [][]*formula.Atom{{c.one}}
	}
	return c.many
}

// A way is how a rule may be found, with about the share of callbacks that find it so.
type way struct {
	by   choices
	cost float64
	ok   bool
}

func (b *builder) best(f formula.Formula) way {
	switch f.Op {
	case formula.Leaf:
		return b.leaf(f.Atom)
	case formula.All:
		return b.bestOf(f.Of)
	case formula.Some:
		all := way{ok: true}
		for _, part := range f.Of {
			w := b.best(part)
			if !w.ok {
				return way{}
			}
			all.by.many = append(all.by.many, w.by.each()...)
			all.cost += w.cost
		}
		return all
	}
	return way{}
}

// leaf returns the way by one atom.
func (b *builder) leaf(a *formula.Atom) way {
	switch a.Kind {
	case formula.NoneOf, formula.HasNone:
		return way{}
	case formula.Range:
		return way{by: choices{one: a}, cost: b.stats.share(b.subject(a), a), ok: true}
	}
	for _, t := range a.Texts {
		if t == "" && a.Kind != formula.OneOf && a.Kind != formula.Has {
			return way{}
		}
	}
	w := way{by: choices{one: a}, cost: b.stats.cost(b.subject(a), a), ok: true}
	if a.Field.Root == formula.Data || a.Field.Root == formula.Raw {
		w.cost += dearly
	}
	return w
}

// bestOf returns the best way by one of what is necessary together, or by several as one key.
func (b *builder) bestOf(parts []formula.Formula) way {
	var best way
	equal := b.equal[:0]
	b.equal = nil // an All within has room of its own
	defer func() { b.equal = equal }()
	for _, part := range parts {
		w := b.best(part)
		if !w.ok {
			continue
		}
		if !best.ok || w.cost < best.cost {
			best = w
		}
		if part.Op == formula.Leaf && part.Atom.Kind == formula.OneOf && part.Atom.Len() <= maxKeys {
			equal = append(equal, w)
		}
	}
	if best.cost <= selective || len(equal) < 2 {
		return best
	}
	if combined := b.combined(equal); combined.ok && combined.cost < best.cost {
		return combined
	}
	return best
}

// combined makes one key of the equalities that select best.
func (b *builder) combined(equal []way) way {
	slices.SortStableFunc(equal, func(x, y way) int {
		switch {
		case x.cost < y.cost:
			return -1
		case x.cost > y.cost:
			return 1
		}
		return 0
	})
	var atoms []*formula.Atom
	keys, cost := 1, 1.0
	for _, w := range equal {
		a := w.by.one
		sameSubject := slices.ContainsFunc(atoms, func(other *formula.Atom) bool { return other.Subject() == a.Subject() })
		if len(atoms) == maxAtoms || keys*a.Len() > maxKeys || sameSubject {
			continue
		}
		atoms, keys, cost = append(atoms, a), keys*a.Len(), cost*w.cost
	}
	if len(atoms) < 2 {
		return way{}
	}
	slices.SortFunc(atoms, func(x, y *formula.Atom) int { return b.subject(x) - b.subject(y) })
	subjects := make(shape, len(atoms))
	for i, a := range atoms {
		subjects[i] = b.subject(a)
	}
	return way{by: choices{many: [][]*formula.Atom{atoms}}, cost: cost, ok: b.noteShape(subjects)}
}
