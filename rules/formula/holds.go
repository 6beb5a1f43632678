package formula

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Holds reports whether a formula holds for values: value returns that of a field, nil when it is absent. It is the
// plain reading of a formula, to hold quicker ones against.
func (f Formula) Holds(value func(Field) any) bool {
	switch f.Op {
	case Nothing:
		return false
	case Leaf:
		return f.Atom.Holds(value(f.Atom.Field))
	case All:
		return !slices.ContainsFunc(f.Of, func(part Formula) bool { return !part.Holds(value) })
	case Some:
		return slices.ContainsFunc(f.Of, func(part Formula) bool { return part.Holds(value) })
	}
	return true
}

// Holds reports whether the atom holds for a value of its field.
func (a *Atom) Holds(value any) bool {
	switch a.Kind {
	case NoneOf, HasNone:
		positive := *a
		positive.Kind--
		return !positive.Holds(value)
	case Has:
		entries, _ := value.([]any)
		return slices.ContainsFunc(entries, a.equals)
	}
	value = a.View.Of(value)
	if n, ok := value.(int); ok && a.Kind == Range {
		return a.From <= n && n <= a.To
	}
	text, isText := value.(string)
	switch a.Kind {
	case OneOf:
		return a.equals(value)
	case HasPrefix:
		return isText && slices.ContainsFunc(a.Texts, func(t string) bool { return strings.HasPrefix(text, t) })
	case HasSuffix:
		return isText && slices.ContainsFunc(a.Texts, func(t string) bool { return strings.HasSuffix(text, t) })
	case Contains:
		return isText && slices.ContainsFunc(a.Texts, func(t string) bool { return strings.Contains(text, t) })
	}
	return false
}

func (a *Atom) equals(value any) bool {
	switch v := value.(type) {
	case string:
		return slices.Contains(a.Texts, v)
	case int:
		return slices.Contains(a.Ints, v)
	case float64:
		return slices.ContainsFunc(a.Ints, func(n int) bool { return float64(n) == v })
	case bool:
		return slices.Contains(a.Bools, v)
	}
	return false
}

// Of returns a value as the view shows it; nil when the view has nothing to show of it.
func (v View) Of(value any) any {
	text, isText := value.(string)
	switch {
	case v == Plain:
		return value
	case v == Lower && isText:
		return strings.ToLower(text)
	case v == Folded && isText:
		return string(AppendFolded(nil, text))
	}
	if n, ok := v.Len(value); ok {
		return n
	}
	return nil
}

// Len returns what the views Length and Bytes show of a value, and whether they show anything.
func (v View) Len(value any) (int, bool) {
	switch value := value.(type) {
	case string:
		if v == Bytes {
			return len(value), true
		}
		return utf8.RuneCountInString(value), v == Length
	case []any:
		return len(value), v == Length
	}
	return 0, false
}
