package formula

import (
	"fmt"
	"strconv"
	"strings"
)

// shownLiterals is how many literals String writes out.
const shownLiterals = 3

// String writes the formula as a condition would say it; long lists are cut. Anything is "anything", Nothing "never".
func (f Formula) String() string {
	switch f.Op {
	case Nothing:
		return "never"
	case Leaf:
		return f.Atom.String()
	case All:
		return f.join(" && ", Some)
	case Some:
		return f.join(" || ", All)
	}
	if f.Exact {
		return "always"
	}
	return "anything"
}

func (f Formula) join(operator string, bracketed Op) string {
	parts := make([]string, len(f.Of))
	for i, part := range f.Of {
		parts[i] = part.String()
		if part.Op == bracketed {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, operator)
}

// String writes the atom as a condition would say it; long lists are cut.
func (a *Atom) String() string {
	value := a.value()
	switch a.Kind {
	case OneOf, NoneOf:
		return a.comparison(value)
	case Has:
		if a.Len() == 1 {
			return a.literals() + " in " + value
		}
		return fmt.Sprintf("any(%s, # in %s)", value, a.literals())
	case HasNone:
		if a.Len() == 1 {
			return a.literals() + " not in " + value
		}
		return fmt.Sprintf("none(%s, # in %s)", value, a.literals())
	case HasPrefix:
		return a.eachText(value, "startsWith")
	case HasSuffix:
		return a.eachText(value, "endsWith")
	case Contains:
		return a.eachText(value, "contains")
	}
	return a.rangeString(value)
}

// value is the value that the atom is about, as conditions write it.
func (a *Atom) value() string {
	switch a.View {
	case Length:
		return "len(" + a.Field.Name + ")"
	case Bytes:
		return "bytes of " + a.Field.Name
	case Lower:
		return "lower(" + a.Field.Name + ")"
	case Folded:
		return a.Field.Name + " in any case"
	}
	return a.Field.Name
}

func (a *Atom) comparison(value string) string {
	if len(a.Bools) == 1 && a.Len() == 1 && a.Field.Type == Bool {
		if a.Bools[0] == (a.Kind == OneOf) {
			return value
		}
		return "!" + value
	}
	operators := [2]string{" == ", " in "}
	if a.Kind == NoneOf {
		operators = [2]string{" != ", " not in "}
	}
	if a.Len() == 1 {
		return value + operators[0] + a.literals()
	}
	return value + operators[1] + a.literals()
}

// eachText writes an operator that knows no lists.
func (a *Atom) eachText(value, operator string) string {
	if len(a.Texts) == 1 {
		return value + " " + operator + " " + a.literals()
	}
	return value + " " + operator + " one of " + a.literals()
}

func (a *Atom) rangeString(value string) string {
	switch {
	case a.From == a.To:
		return fmt.Sprintf("%s == %d", value, a.From)
	case a.To == Highest:
		return fmt.Sprintf("%s >= %d", value, a.From)
	case a.From == Lowest:
		return fmt.Sprintf("%s <= %d", value, a.To)
	}
	return fmt.Sprintf("%s in %d..%d", value, a.From, a.To)
}

// literals writes one literal as such and several as a list.
func (a *Atom) literals() string {
	var shown []string
	for _, t := range a.Texts[:min(len(a.Texts), shownLiterals)] {
		shown = append(shown, strconv.Quote(t))
	}
	for _, n := range a.Ints[:min(len(a.Ints), shownLiterals)] {
		shown = append(shown, strconv.Itoa(n))
	}
	for _, b := range a.Bools {
		shown = append(shown, strconv.FormatBool(b))
	}
	if a.Len() == 1 {
		return shown[0]
	}
	if more := a.Len() - len(shown); more > 0 {
		shown = append(shown, fmt.Sprintf("… %d in all", a.Len()))
	}
	return "[" + strings.Join(shown, ", ") + "]"
}
