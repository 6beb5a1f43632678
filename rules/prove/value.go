package prove

import (
	"slices"
	"strings"
	"unicode/utf8"

	"callboard/rules/formula"
)

// A value is one literal that a field may have.
type value struct {
	what formula.Type // String, Int or Bool
	text string
	n    int
	b    bool
}

// values returns the literals of an atom.
func values(a *formula.Atom) []value {
	list := make([]value, 0, a.Len())
	for _, t := range a.Texts {
		list = append(list, value{what: formula.String, text: t})
	}
	for _, n := range a.Ints {
		list = append(list, value{what: formula.Int, n: n})
	}
	for _, b := range a.Bools {
		list = append(list, value{what: formula.Bool, b: b})
	}
	return list
}

// zero is what a callback that does not carry a field has in its place; ok is false for lists, see emptyList.
func zero(t formula.Type) (v value, ok bool) {
	switch t {
	case formula.String, formula.Int, formula.Bool:
		return value{what: t}, true
	}
	return value{}, false
}

// among reports whether an atom names the value as a literal.
func (v value) among(a *formula.Atom) bool {
	switch v.what {
	case formula.String:
		return slices.Contains(a.Texts, v.text)
	case formula.Int:
		return slices.Contains(a.Ints, v.n)
	default:
		return slices.Contains(a.Bools, v.b)
	}
}

// fulfils reports whether a field that has the value fulfils an atom about it; known is false where that cannot be told.
func (v value) fulfils(a *formula.Atom) (holds, known bool) {
	if v.what != formula.String {
		if a.View != formula.Plain {
			return false, true
		}
		switch a.Kind {
		case formula.OneOf:
			return v.among(a), true
		case formula.NoneOf:
			return !v.among(a), true
		case formula.Range:
			return v.what == formula.Int && a.From <= v.n && v.n <= a.To, true
		}
		return false, true
	}
	seen := v
	switch a.View {
	case formula.Length:
		seen = value{what: formula.Int, n: utf8.RuneCountInString(v.text)}
		plain := *a
		plain.View = formula.Plain
		return seen.fulfils(&plain)
	case formula.Bytes:
		seen = value{what: formula.Int, n: len(v.text)}
		plain := *a
		plain.View = formula.Plain
		return seen.fulfils(&plain)
	case formula.Lower:
		seen.text = strings.ToLower(v.text)
	case formula.Folded:
		return false, false
	}
	some := func(test func(text, part string) bool) bool {
		return slices.ContainsFunc(a.Texts, func(part string) bool { return test(seen.text, part) })
	}
	switch a.Kind {
	case formula.OneOf:
		return seen.among(a), true
	case formula.NoneOf:
		return !seen.among(a), true
	case formula.HasPrefix:
		return some(strings.HasPrefix), true
	case formula.HasSuffix:
		return some(strings.HasSuffix), true
	case formula.Contains:
		return some(strings.Contains), true
	}
	return false, false
}

// emptyList reports whether an empty list fulfils an atom about a list.
func emptyList(a *formula.Atom) (holds, known bool) {
	switch {
	case a.View == formula.Length && a.Kind == formula.Range:
		return a.From <= 0 && 0 <= a.To, true
	case a.View == formula.Length && (a.Kind == formula.OneOf || a.Kind == formula.NoneOf):
		return slices.Contains(a.Ints, 0) == (a.Kind == formula.OneOf), true
	case a.Kind == formula.Has:
		return false, true
	case a.Kind == formula.HasNone:
		return true, true
	}
	return false, false
}
