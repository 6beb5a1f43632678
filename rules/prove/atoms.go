package prove

import (
	"fmt"
	"slices"
	"strings"

	"callboard/rules/formula"
)

// clash looks for what keeps atoms from holding together.
func clash(atoms []*formula.Atom) (why string, found bool) {
	for i, a := range atoms {
		if why, found = alone(a); found {
			return why, true
		}
		for _, b := range atoms[:i] {
			if b.Field == a.Field && apart(b, a) {
				return bothWhy(b, a), true
			}
		}
	}
	for _, a := range atoms { // several together leave none of its literals
		if a.Kind != formula.OneOf || a.View != formula.Plain {
			continue
		}
		left := slices.DeleteFunc(values(a), func(v value) bool { return excluded(v, atoms, a.Field) })
		if len(left) == 0 {
			return fmt.Sprintf("nothing that %s allows is left by the rest", a), true
		}
	}
	return "", false
}

func excluded(v value, atoms []*formula.Atom, f formula.Field) bool {
	return slices.ContainsFunc(atoms, func(b *formula.Atom) bool {
		if b.Field != f {
			return false
		}
		holds, known := v.fulfils(b)
		return known && !holds
	})
}

// bothWhy says why two atoms do not go together.
func bothWhy(a, b *formula.Atom) string {
	if a.Kind == formula.OneOf && b.Kind == formula.OneOf && a.View == formula.Plain && b.View == formula.Plain && a.Len() == 1 && b.Len() == 1 {
		return fmt.Sprintf("%s cannot be both %s and %s", a.Field.Name, literal(a), literal(b))
	}
	return fmt.Sprintf("%s and %s cannot both be true", a, b)
}

func literal(a *formula.Atom) string {
	_, text, _ := strings.Cut(a.String(), " == ")
	if text == "" { // a bare boolean
		return fmt.Sprint(a.Bools[0])
	}
	return text
}

// alone reports whether nothing fulfils an atom by itself.
func alone(a *formula.Atom) (why string, found bool) {
	if a.View != formula.Lower || a.Kind == formula.NoneOf || len(a.Texts) == 0 || a.Len() != len(a.Texts) {
		return "", false
	}
	for _, t := range a.Texts {
		if strings.ToLower(t) == t {
			return "", false
		}
	}
	return fmt.Sprintf("%s looks for capital letters in a text that has none", a), true
}

// apart reports whether two atoms about one field cannot both hold.
func apart(a, b *formula.Atom) bool {
	return oneApart(a, b) || oneApart(b, a)
}

func oneApart(a, b *formula.Atom) bool {
	switch {
	case a.Kind == formula.OneOf && a.View == formula.Plain:
		return !slices.ContainsFunc(values(a), func(v value) bool {
			holds, known := v.fulfils(b)
			return holds || !known
		})
	case a.Kind == formula.OneOf && a.View == b.View && (b.Kind == formula.OneOf || b.Kind == formula.NoneOf):
		return !slices.ContainsFunc(values(a), func(v value) bool { return v.among(b) == (b.Kind == formula.OneOf) })
	case a.View == b.View && a.Kind == formula.Range && b.Kind == formula.Range:
		return max(a.From, b.From) > min(a.To, b.To)
	case a.View == b.View && a.Kind == b.Kind && a.Kind == formula.HasPrefix:
		return noPair(a, b, func(x, y string) bool { return strings.HasPrefix(x, y) || strings.HasPrefix(y, x) })
	case a.View == b.View && a.Kind == b.Kind && a.Kind == formula.HasSuffix:
		return noPair(a, b, func(x, y string) bool { return strings.HasSuffix(x, y) || strings.HasSuffix(y, x) })
	case a.Kind == formula.Has && b.Kind == formula.HasNone:
		return !slices.ContainsFunc(values(a), func(v value) bool { return !v.among(b) })
	case a.Kind == formula.Has && b.View == formula.Length:
		holds, known := emptyList(b)
		return known && holds && b.Kind == formula.Range && b.To == 0 // the empty list only
	case a.View == formula.Plain && a.Kind == formula.HasPrefix && b.View == formula.Bytes && b.Kind == formula.Range:
		return !slices.ContainsFunc(a.Texts, func(t string) bool { return len(t) <= b.To })
	}
	return false
}

func noPair(a, b *formula.Atom, fit func(x, y string) bool) bool {
	for _, x := range a.Texts {
		for _, y := range b.Texts {
			if fit(x, y) {
				return false
			}
		}
	}
	return true
}

// entails reports whether whatever fulfils a fulfils b.
func entails(a, b *formula.Atom) bool {
	if a.Field != b.Field {
		return false
	}
	if a.Kind == formula.OneOf && a.View == formula.Plain {
		return a.Len() > 0 && !slices.ContainsFunc(values(a), func(v value) bool {
			holds, known := v.fulfils(b)
			return !holds || !known
		})
	}
	if a.View != b.View {
		return false
	}
	each := func(fit func(x, y string) bool) bool {
		for _, x := range a.Texts {
			if !slices.ContainsFunc(b.Texts, func(y string) bool { return fit(x, y) }) {
				return false
			}
		}
		return true
	}
	switch {
	case a.Kind == formula.OneOf && b.Kind == formula.OneOf, a.Kind == formula.Has && b.Kind == formula.Has:
		return !slices.ContainsFunc(values(a), func(v value) bool { return !v.among(b) })
	case a.Kind == formula.NoneOf && b.Kind == formula.NoneOf, a.Kind == formula.HasNone && b.Kind == formula.HasNone:
		return !slices.ContainsFunc(values(b), func(v value) bool { return !v.among(a) })
	case a.Kind == formula.Range && b.Kind == formula.Range:
		return b.From <= a.From && a.To <= b.To
	case a.Kind == formula.HasPrefix && b.Kind == formula.HasPrefix:
		return each(strings.HasPrefix)
	case a.Kind == formula.HasSuffix && b.Kind == formula.HasSuffix:
		return each(strings.HasSuffix)
	case b.Kind == formula.Contains && (a.Kind == formula.Contains || a.Kind == formula.HasPrefix || a.Kind == formula.HasSuffix):
		return each(strings.Contains)
	}
	return false
}
