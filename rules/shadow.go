package rules

import (
	"callboard/rules/formula"
	"callboard/rules/prove"
)

// mostBroadStops bounds the rules that stop and that no literal finds: each later rule is compared with all of them.
const mostBroadStops = 200

// A literalKey is a literal that a formula requires of a field.
type literalKey struct {
	field formula.Field
	text  string
	n     int
}

// checkShadowed finds rules whose condition implies that of an earlier rule that stops.
func (a *analysis) checkShadowed() {
	byLiteral := map[literalKey][]*outline{} // literal → rules that stop and require it or one of its alternatives
	var broad []*outline
	for _, r := range a.ordered() {
		if a.never[r] {
			continue
		}
		if by := a.shadow(r, byLiteral, broad); by != nil {
			a.never[r] = true
			r.from.warn(r.at, idUnreachable, "", "rule %q is never reached: what it matches, rule %q at %s:%d matches before it, and stops", r.Name, by.Name, by.File, by.Line)
			continue
		}
		if f := a.truth[r]; r.Stop && r.cond != nil && f.Exact {
			keys := required(f)
			for _, k := range keys {
				byLiteral[k] = append(byLiteral[k], r)
			}
			if keys == nil && len(broad) < mostBroadStops {
				broad = append(broad, r)
			}
		}
	}
}

// shadow returns the rule that stops whatever the rule matches, nil when there is none.
func (a *analysis) shadow(r *outline, byLiteral map[literalKey][]*outline, broad []*outline) *outline {
	if r.MatchOnErr { // then it may be reached by what the other fails on
		return nil
	}
	covers := func(by *outline) bool { return by.includes(r) && prove.Implies(a.truth[r], a.truth[by]) }
	seen := map[*outline]bool{}
	for _, k := range mentioned(a.truth[r], nil) {
		for _, by := range byLiteral[k] {
			if !seen[by] && covers(by) {
				return by
			}
			seen[by] = true
		}
	}
	for _, by := range broad {
		if covers(by) {
			return by
		}
	}
	return nil
}

// required returns the literals of the shortest set, one of which a formula requires; nil when it requires none.
func required(f formula.Formula) []literalKey {
	switch f.Op {
	case formula.Leaf:
		if f.Atom.Kind == formula.OneOf && f.Atom.View == formula.Plain {
			return literalKeys(f.Atom)
		}
	case formula.All:
		var best []literalKey
		for _, part := range f.Of {
			if keys := required(part); keys != nil && (best == nil || len(keys) < len(best)) {
				best = keys
			}
		}
		return best
	}
	return nil
}

// mentioned adds all literals that a field is compared with in a formula.
func mentioned(f formula.Formula, keys []literalKey) []literalKey {
	if f.Op == formula.Leaf && f.Atom.Kind == formula.OneOf && f.Atom.View == formula.Plain {
		return append(keys, literalKeys(f.Atom)...)
	}
	for _, part := range f.Of {
		keys = mentioned(part, keys)
	}
	return keys
}

func literalKeys(a *formula.Atom) []literalKey {
	var keys []literalKey
	for _, text := range a.Texts {
		keys = append(keys, literalKey{field: a.Field, text: text})
	}
	for _, n := range a.Ints {
		keys = append(keys, literalKey{field: a.Field, n: n})
	}
	for _, b := range a.Bools {
		k := literalKey{field: a.Field, text: "false"}
		if b {
			k.text = "true"
		}
		keys = append(keys, k)
	}
	return keys
}
