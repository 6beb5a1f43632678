package prove

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"callboard/rules/formula"
)

var (
	group   = formula.Field{Type: formula.String, Key: "groupID", Name: "groupID"}
	content = formula.Field{Type: formula.Int, Key: "contentType", Name: "contentType"}
	read    = formula.Field{Type: formula.Bool, Key: "isRead", Name: "isRead"}
	at      = formula.Field{Type: formula.Strings, Key: "atUserList", Name: "atUserList"}
)

func leaf(a formula.Atom) formula.Formula { return formula.Of(a, true) }

func is(texts ...string) formula.Formula {
	return leaf(formula.Atom{Field: group, Kind: formula.OneOf, Texts: texts})
}

func isNot(texts ...string) formula.Formula {
	return leaf(formula.Atom{Field: group, Kind: formula.NoneOf, Texts: texts})
}

func begins(texts ...string) formula.Formula {
	return leaf(formula.Atom{Field: group, Kind: formula.HasPrefix, Texts: texts})
}

func number(ns ...int) formula.Formula {
	return leaf(formula.Atom{Field: content, Kind: formula.OneOf, Ints: ns})
}

func between(from, to int) formula.Formula {
	return leaf(formula.Atom{Field: content, Kind: formula.Range, From: from, To: to})
}

func long(from, to int) formula.Formula {
	return leaf(formula.Atom{Field: group, View: formula.Length, Kind: formula.Range, From: from, To: to})
}

func lowered(text string) formula.Formula {
	return leaf(formula.Atom{Field: group, View: formula.Lower, Kind: formula.OneOf, Texts: []string{text}})
}

func mentions(kind formula.Kind, ids ...string) formula.Formula {
	return leaf(formula.Atom{Field: at, Kind: kind, Texts: ids})
}

func truth(b bool) formula.Formula {
	return leaf(formula.Atom{Field: read, Kind: formula.OneOf, Bools: []bool{b}})
}

func both(fs ...formula.Formula) formula.Formula   { return formula.AllOf(fs...) }
func either(fs ...formula.Formula) formula.Formula { return formula.SomeOf(fs...) }

func TestContradiction(t *testing.T) {
	for _, c := range []struct {
		f   formula.Formula
		why string // "" for none
	}{
		{is("a"), ""},
		{both(is("a"), number(101)), ""},
		{both(is("a"), is("b")), `groupID cannot be both "a" and "b"`},
		{both(is("a", "b"), is("b", "c"), is("a", "c")), `nothing that groupID in ["a", "b"] allows is left by the rest`},
		{both(is("a", "b"), isNot("a", "b")), `groupID in ["a", "b"] and groupID not in ["a", "b"] cannot both be true`},
		{both(is("team-1"), begins("support-")), `groupID == "team-1" and groupID startsWith "support-" cannot both be true`},
		{both(begins("team-"), begins("support-")), `groupID startsWith "team-" and groupID startsWith "support-" cannot both be true`},
		{both(begins("team-"), begins("team-1")), ""},
		{both(is("ab"), long(3, formula.Highest)), `groupID == "ab" and len(groupID) >= 3 cannot both be true`},
		{both(is("äb"), long(2, 2)), ""},
		{both(number(7), between(8, 9)), `contentType == 7 and contentType in 8..9 cannot both be true`},
		{lowered("Team"), `lower(groupID) == "Team" looks for capital letters in a text that has none`},
		{both(is("Team"), lowered("team")), ""},
		{both(mentions(formula.Has, "u1"), mentions(formula.HasNone, "u1")), `"u1" in atUserList and "u1" not in atUserList cannot both be true`},
		{both(mentions(formula.Has, "u1"), mentions(formula.Has, "u2")), ""},
		{both(truth(true), truth(false)), `isRead cannot be both true and false`},
		{both(is("a"), either(is("b"), number(1))), ""},
		{both(is("a"), number(2), either(is("b"), number(1))), `groupID cannot be both "a" and "b"`},
		{both(either(is("a"), number(1)), either(is("b"), number(2)), either(both(is("a"), number(3)), both(is("b"), number(3)))),
			`groupID cannot be both "a" and "b"`},
	} {
		why, found := Contradiction(c.f)
		if found != (c.why != "") || why != c.why {
			t.Errorf("Contradiction(%s) = %q, %t, want %q", c.f, why, found, c.why)
		}
	}
}

func TestImplies(t *testing.T) {
	for _, c := range []struct {
		a, b formula.Formula
		want bool
	}{
		{is("a"), is("a", "b"), true},
		{is("a", "b"), is("a"), false},
		{is("team-1"), begins("team-"), true},
		{begins("team-1"), begins("team-"), true},
		{begins("team-"), begins("team-1"), false},
		{is("a"), isNot("b"), true},
		{isNot("a", "b"), isNot("b"), true},
		{both(is("a"), number(1)), is("a"), true},
		{is("a"), both(is("a"), number(1)), false},
		{both(is("a"), number(1)), either(number(1), number(2)), true},
		{either(is("a"), both(is("b"), number(1))), is("b", "a"), true},
		{either(is("a"), is("b")), either(is("b"), both(is("a"), number(1))), false},
		{between(3, 5), between(1, 9), true},
		{number(3), between(1, 9), true},
		{formula.Formula{}, is("a"), false},
		{is("a"), formula.Always, true},
		{formula.Never, is("a"), true},
		{both(is("a"), is("b")), number(1), true},
	} {
		if got := Implies(c.a, c.b); got != c.want {
			t.Errorf("Implies(%s, %s) = %t, want %t", c.a, c.b, got, c.want)
		}
	}
}

// A world is what one callback has, as far as the formulas of these tests go.
type world struct {
	group   string
	content int
	read    bool
	at      []string
}

func (w world) fulfils(f formula.Formula) bool {
	switch f.Op {
	case formula.Nothing:
		return false
	case formula.All:
		return !slices.ContainsFunc(f.Of, func(p formula.Formula) bool { return !w.fulfils(p) })
	case formula.Some:
		return slices.ContainsFunc(f.Of, w.fulfils)
	case formula.Leaf:
		return w.atom(f.Atom)
	}
	return true
}

// atom is written apart from the code under test.
func (w world) atom(a *formula.Atom) bool {
	n := w.content
	text := w.group
	switch {
	case a.Field == read:
		return slices.Contains(a.Bools, w.read) == (a.Kind == formula.OneOf)
	case a.Field == at && a.View == formula.Length:
		n = len(w.at)
	case a.Field == at:
		has := slices.ContainsFunc(w.at, func(id string) bool { return slices.Contains(a.Texts, id) })
		return has == (a.Kind == formula.Has)
	case a.View == formula.Length:
		n = utf8.RuneCountInString(text)
	case a.View == formula.Bytes:
		n = len(text)
	case a.View == formula.Lower:
		text = strings.ToLower(text)
	}
	if a.Kind == formula.Range {
		return a.From <= n && n <= a.To
	}
	if a.Field == content {
		return slices.Contains(a.Ints, n) == (a.Kind == formula.OneOf)
	}
	switch a.Kind {
	case formula.OneOf:
		return slices.Contains(a.Texts, text)
	case formula.NoneOf:
		return !slices.Contains(a.Texts, text)
	}
	return slices.ContainsFunc(a.Texts, func(part string) bool {
		switch a.Kind {
		case formula.HasPrefix:
			return strings.HasPrefix(text, part)
		case formula.HasSuffix:
			return strings.HasSuffix(text, part)
		}
		return strings.Contains(text, part)
	})
}

// words are few, so that formulas meet.
var words = []string{"", "a", "A", "ab", "aB", "ba", "é", "aba"}

func worlds() []world {
	var all []world
	for _, g := range append(words, "bab", "x") {
		for n := range 4 {
			for _, r := range []bool{true, false} {
				for _, list := range [][]string{nil, {"u"}, {"u", "v"}, {"w"}} {
					all = append(all, world{g, n, r, list})
				}
			}
		}
	}
	return all
}

func someFormula(depth int) *rapid.Generator[formula.Formula] {
	return rapid.Custom(func(t *rapid.T) formula.Formula {
		if depth > 0 && rapid.Bool().Draw(t, "joined") {
			parts := rapid.SliceOfN(someFormula(depth-1), 1, 3).Draw(t, "parts")
			if rapid.Bool().Draw(t, "all") {
				return formula.AllOf(parts...)
			}
			return formula.SomeOf(parts...)
		}
		texts := rapid.SliceOfNDistinct(rapid.SampledFrom(words), 1, 3, rapid.ID[string])
		from := rapid.IntRange(0, 4).Draw(t, "from")
		switch rapid.IntRange(0, 5).Draw(t, "what") {
		case 0:
			return leaf(formula.Atom{Field: read, Kind: formula.OneOf, Bools: []bool{rapid.Bool().Draw(t, "b")}})
		case 1:
			kind := rapid.SampledFrom([]formula.Kind{formula.OneOf, formula.NoneOf}).Draw(t, "kind")
			return leaf(formula.Atom{Field: content, Kind: kind, Ints: rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 3, rapid.ID[int]).Draw(t, "ints")})
		case 2:
			return between(from, from+rapid.IntRange(-1, 3).Draw(t, "width"))
		case 3:
			if rapid.Bool().Draw(t, "length") {
				return leaf(formula.Atom{Field: at, View: formula.Length, Kind: formula.Range, From: formula.Lowest, To: from})
			}
			kind := rapid.SampledFrom([]formula.Kind{formula.Has, formula.HasNone}).Draw(t, "kind")
			return mentions(kind, rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"u", "v", "w"}), 1, 2, rapid.ID[string]).Draw(t, "ids")...)
		case 4:
			view := rapid.SampledFrom([]formula.View{formula.Length, formula.Bytes}).Draw(t, "view")
			return leaf(formula.Atom{Field: group, View: view, Kind: formula.Range, From: from, To: from + 1})
		}
		view := rapid.SampledFrom([]formula.View{formula.Plain, formula.Plain, formula.Lower}).Draw(t, "view")
		kind := rapid.SampledFrom([]formula.Kind{formula.OneOf, formula.NoneOf, formula.HasPrefix, formula.HasSuffix, formula.Contains}).Draw(t, "kind")
		return leaf(formula.Atom{Field: group, View: view, Kind: kind, Texts: texts.Draw(t, "texts")})
	})
}

// Whatever is claimed is so, of every callback that there can be.
func TestClaimsAreTrue(t *testing.T) {
	all := worlds()
	rapid.Check(t, func(t *rapid.T) {
		a, b := someFormula(3).Draw(t, "a"), someFormula(2).Draw(t, "b")
		why, never := Contradiction(a)
		implied := Implies(a, b)
		given := Given(a, func(atom *formula.Atom) (bool, bool) {
			if atom.Field == at {
				return Absent(atom)
			}
			return false, false
		})
		for _, w := range all {
			if never && w.fulfils(a) {
				t.Fatalf("%s is no contradiction (%s): %+v", a, why, w)
			}
			if implied && w.fulfils(a) && !w.fulfils(b) {
				t.Fatalf("%s does not imply %s: %+v", a, b, w)
			}
			if w.at == nil && w.fulfils(a) != w.fulfils(given) {
				t.Fatalf("%s is not %s without a list: %+v", a, given, w)
			}
		}
	})
}
