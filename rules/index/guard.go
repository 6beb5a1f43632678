package index

import "callboard/rules/formula"

// guards are what else is necessary of rules: a few cheap questions that spare most candidates an evaluation.
type guards struct {
	start  []uint32 // rule → its first question; one more at the end
	list   []question
	hashes []uint64
}

// A question is whether a subject equals one of some literals, or is within bounds.
type question struct {
	subject  uint32
	isRange  bool
	from, to int // bounds, or a part of hashes
}

// maxQuestions bounds the questions of one rule, maxLiterals the literals of one.
const (
	maxQuestions = 4
	maxLiterals  = 8
)

// guard adds the questions of a rule, of which all of parts are necessary; by is how it is found.
func (b *builder) guard(parts []formula.Formula, by choices) {
	g := &b.part.guards
	asked := 0
	for _, part := range parts {
		if part.Op != formula.Leaf || asked == maxQuestions || part.Atom == b.command || by.imply(part.Atom) {
			continue
		}
		a := part.Atom
		q := question{}
		switch {
		case a.Kind == formula.Range:
			q.isRange, q.from, q.to = true, a.From, a.To
		case a.Kind == formula.OneOf && a.Len() <= maxLiterals && a.View == formula.Plain:
			q.from = len(g.hashes)
			g.hashes = append(g.hashes, a.Hashes()...)
			q.to = len(g.hashes)
		default:
			continue
		}
		q.subject = uint32(b.subject(a))
		g.list = append(g.list, q)
		asked++
	}
}

// passes reports whether a rule may match for all that its questions tell.
func (s *search) passes(rule uint32) bool {
	g := &s.part.guards
	for _, q := range g.list[g.start[rule]:g.start[rule+1]] {
		v := s.value(int(q.subject))
		if q.isRange {
			if v.kind != number || v.number < q.from || v.number > q.to {
				return false
			}
			continue
		}
		if !v.hashed || !has(g.hashes[q.from:q.to], v.hash) {
			return false
		}
	}
	return true
}

func has(hashes []uint64, h uint64) bool {
	for _, other := range hashes {
		if other == h {
			return true
		}
	}
	return false
}
