package formula

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

var (
	group = Field{Root: OfField, Type: String, Key: "groupID", Name: "groupID"}
	seq   = Field{Root: OfField, Type: Int, Key: "seq", Name: "seq"}
	at    = Field{Root: OfField, Type: Strings, Key: "atUserList", Name: "atUserList"}
	level = Field{Root: Data, Type: Unknown, Name: "data.level", Path: "level"}
)

func leaf(a Atom) Formula { return Of(a, true) }

func TestWhatIsSureOrImpossibleIsNoAtom(t *testing.T) {
	for _, c := range []struct {
		says string
		a    Atom
		want string
	}{
		{"none of no literals is always so", Atom{Field: group, Kind: NoneOf}, "always"},
		{"one of no literals never", Atom{Field: group, Kind: OneOf}, "never"},
		{"every text contains the empty one", Atom{Field: group, Kind: Contains, Texts: []string{"a", ""}}, "always"},
		{"what is no text contains nothing", Atom{Field: level, Kind: Contains, Texts: []string{""}}, `data.level contains ""`},
		{"an open range has every number", Atom{Field: seq, Kind: Range, From: Lowest, To: Highest}, "always"},
		{"a length is at least zero", Atom{Field: group, View: Length, Kind: Range, From: 0, To: Highest}, "always"},
		{"a number may be negative", Atom{Field: seq, Kind: Range, From: 0, To: Highest}, "seq >= 0"},
		{"no length is negative", Atom{Field: at, View: Length, Kind: Range, From: Lowest, To: -1}, "never"},
		{"a range from above to below is empty", Atom{Field: seq, Kind: Range, From: 2, To: 1}, "never"},
		{"one number is a range", Atom{Field: seq, Kind: Range, From: Highest, To: Highest}, "seq == 9223372036854775807"},
	} {
		if got := leaf(c.a).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.says, got, c.want)
		}
	}
}

func TestLongListsAreCut(t *testing.T) {
	a := Atom{Field: group, Kind: OneOf, Texts: []string{"a", "b", "c", "d", "e"}}
	if got, want := leaf(a).String(), `groupID in ["a", "b", "c", … 5 in all]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func anyFormula(t *rapid.T, depth int) Formula {
	if depth > 0 && rapid.Bool().Draw(t, "joined") {
		parts := anyFormulas(t, depth-1)
		if rapid.Bool().Draw(t, "all") {
			return AllOf(parts...)
		}
		return SomeOf(parts...)
	}
	words := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"", "a", "b", "ab"}), 0, 3, rapid.ID[string]).Draw(t, "words")
	bound := rapid.SampledFrom([]int{Lowest, -1, 0, 1, 2, Highest})
	exact := rapid.Bool().Draw(t, "exact")
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0:
		return Formula{Exact: exact}
	case 1:
		return Of(Atom{Field: seq, Kind: Range, From: bound.Draw(t, "from"), To: bound.Draw(t, "to")}, exact)
	case 2:
		return Of(Atom{Field: group, View: Length, Kind: Range, From: bound.Draw(t, "from"), To: bound.Draw(t, "to")}, exact)
	case 3:
		return Of(Atom{Field: at, Kind: rapid.SampledFrom([]Kind{Has, HasNone}).Draw(t, "kind"), Texts: words}, exact)
	case 4:
		return Of(Atom{Field: level, Kind: rapid.SampledFrom([]Kind{OneOf, NoneOf}).Draw(t, "kind"), Texts: words, Ints: []int{1}}, exact)
	}
	kind := rapid.SampledFrom([]Kind{OneOf, NoneOf, HasPrefix, HasSuffix, Contains}).Draw(t, "kind")
	return Of(Atom{Field: group, Kind: kind, Texts: words}, exact)
}

func anyFormulas(t *rapid.T, depth int) []Formula {
	parts := make([]Formula, rapid.IntRange(0, 4).Draw(t, "parts"))
	for i := range parts {
		parts[i] = anyFormula(t, depth)
	}
	return parts
}

// AllOf and SomeOf hold where all and one of their parts do, and are no more exact than those.
func TestJoinedFormulasHoldWhereTheirPartsDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := anyFormulas(t, 2)
		text := make([]string, len(parts))
		for i, part := range parts {
			text[i] = part.String()
		}
		values := map[Field]any{
			group: rapid.SampledFrom([]string{"", "a", "b", "ab", "ba"}).Draw(t, "group"), seq: rapid.SampledFrom([]int{Lowest, -1, 0, 1, 3, Highest}).Draw(t, "seq"),
			at: rapid.SampledFrom([][]any{nil, {"a"}, {"b", ""}}).Draw(t, "at"), level: rapid.SampledFrom([]any{nil, "a", 1, 1.0, 1.5, true}).Draw(t, "level"),
		}
		value := func(f Field) any { return values[f] }
		all, some, exact := true, false, true
		for _, part := range parts {
			holds := part.Holds(value)
			all, some, exact = all && holds, some || holds, exact && part.Exact
		}
		if f := AllOf(parts...); f.Holds(value) != all || f.Exact && !exact && f.Op != Nothing {
			t.Errorf("all of %q is %s (exact: %t), which holds: %t, want %t", text, f, f.Exact, !all, all)
		}
		if f := SomeOf(parts...); f.Holds(value) != some || f.Exact && !exact && f.Op != Anything {
			t.Errorf("some of %q is %s (exact: %t), which holds: %t, want %t", text, f, f.Exact, !some, some)
		}
		for i, part := range parts { // they are shared, and stay as they were
			if part.String() != text[i] {
				t.Errorf("joining made %s of %s", part, text[i])
			}
		}
	})
}

// The view Folded takes for the same what a pattern with (?i) does, of every character.
func TestFoldedIsWhatPatternsFold(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		next := unicode.SimpleFold(r)
		if next == r {
			continue
		}
		if a, b := string(AppendFolded(nil, string(r))), string(AppendFolded(nil, string(next))); a != b {
			t.Errorf("%q is folded to %q, %q to %q", r, a, next, b)
		}
	}
	for _, text := range []string{"ſ", "K", "İ", "ı", "ẞ", "Σ", "é"} {
		pattern := regexp.MustCompile("^(?i)" + text + "$")
		for _, other := range []string{"s", "S", "k", "K", "i", "I", "ß", "SS", "ς", "σ", "É", "i̇"} {
			folded := string(AppendFolded(nil, text)) == string(AppendFolded(nil, other))
			if folded != pattern.MatchString(other) {
				t.Errorf("%q and %q are folded alike: %t, a pattern says otherwise", text, other, folded)
			}
		}
	}
}

// Equal values have equal hashes, a whole number among fractions, too.
func TestHashesOfEqualValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(-1<<53, 1<<53).Draw(t, "n")
		whole, _ := Hash(n)
		fraction, ok := Hash(float64(n))
		if !ok || whole != fraction {
			t.Errorf("%d has another hash as a fraction", n)
		}
		text := rapid.String().Draw(t, "text")
		if h, _ := Hash(strings.Clone(text)); h != HashText(text) {
			t.Errorf("%q has two hashes", text)
		}
	})
	for _, v := range []any{nil, 1.5, 1e300, []any{}, map[string]any{}} {
		if _, ok := Hash(v); ok {
			t.Errorf("%v equals a literal", v)
		}
	}
}
