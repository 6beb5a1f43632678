package index

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"callboard/rules/formula"
)

// fields are few, so that the rules of a table name the same ones.
var fields = []formula.Field{
	{Root: formula.OfField, Type: formula.String, Key: "groupID", Name: "groupID"},
	{Root: formula.OfField, Type: formula.String, Key: "sendID", Name: "sendID"},
	{Root: formula.OfField, Type: formula.Int, Key: "seq", Name: "seq"},
	{Root: formula.OfField, Type: formula.Bool, Key: "isRead", Name: "isRead"},
	{Root: formula.OfField, Type: formula.Strings, Key: "atUserList", Name: "atUserList"},
	{Root: formula.Data, Type: formula.Unknown, Name: "data.x", Path: "x"},
}

var (
	words   = []string{"", "a", "b", "A", "ab", "abc", "bcab", "ſ", "S", "é"}
	anyWord = rapid.SampledFrom(words)
	anyInt  = rapid.IntRange(-1, 4)
)

// values are those of one callback, by the name of the field.
type values map[string]any

func (v values) Field(f formula.Field) any { return v[f.Name] }

func anyValues(t *rapid.T) values {
	v := values{
		"groupID": anyWord.Draw(t, "groupID"), "sendID": anyWord.Draw(t, "sendID"), "seq": anyInt.Draw(t, "seq"), "isRead": rapid.Bool().Draw(t, "isRead"),
		"data.x": rapid.OneOf(anyWord.AsAny(), anyInt.AsAny(), rapid.Bool().AsAny(), rapid.SampledFrom([]any{nil, 1.0, 1.5, 1e300})).Draw(t, "data.x"),
	}
	var list []any
	for _, word := range rapid.OneOf(rapid.SliceOfN(anyWord, 0, 3), rapid.SliceOfN(anyWord, longList, longList+2)).Draw(t, "atUserList") {
		list = append(list, word)
	}
	v["atUserList"] = list
	return v
}

func anyAtom(t *rapid.T) formula.Formula {
	a := formula.Atom{Field: rapid.SampledFrom(fields).Draw(t, "field")}
	someWords := rapid.SliceOfNDistinct(anyWord, 1, 4, rapid.ID[string])
	someInts := rapid.SliceOfNDistinct(anyInt, 1, 3, rapid.ID[int])
	pick := func(kinds ...formula.Kind) formula.Kind { return rapid.SampledFrom(kinds).Draw(t, "kind") }
	switch a.Field.Type {
	case formula.Bool:
		a.Kind, a.Bools = formula.OneOf, []bool{rapid.Bool().Draw(t, "is")}
	case formula.Strings:
		a.Kind, a.Texts = pick(formula.Has, formula.HasNone), someWords.Draw(t, "words")
	case formula.Unknown:
		a.Kind, a.Texts, a.Ints = pick(formula.OneOf, formula.NoneOf), someWords.Draw(t, "words"), someInts.Draw(t, "ints")
	case formula.Int:
		if a.Kind = pick(formula.OneOf, formula.NoneOf, formula.Range); a.Kind != formula.Range {
			a.Ints = someInts.Draw(t, "ints")
		}
	default:
		a.View = rapid.SampledFrom([]formula.View{formula.Plain, formula.Plain, formula.Lower, formula.Folded, formula.Length, formula.Bytes}).Draw(t, "view")
		if a.View == formula.Length || a.View == formula.Bytes {
			a.Kind = formula.Range
			break
		}
		a.Kind = pick(formula.OneOf, formula.OneOf, formula.NoneOf, formula.HasPrefix, formula.HasSuffix, formula.Contains)
		a.Texts = someWords.Draw(t, "words")
	}
	if a.Kind == formula.Range {
		a.From = rapid.SampledFrom([]int{formula.Lowest, -1, 0, 1, 2, formula.Highest}).Draw(t, "from")
		a.To = rapid.SampledFrom([]int{formula.Lowest, 0, 1, 2, 3, formula.Highest}).Draw(t, "to")
	}
	return formula.Of(a, true)
}

func anyFormula(t *rapid.T, depth int) formula.Formula {
	if depth == 0 || rapid.Bool().Draw(t, "atom") {
		return anyAtom(t)
	}
	var parts []formula.Formula
	for range rapid.IntRange(1, 4).Draw(t, "parts") {
		parts = append(parts, anyFormula(t, depth-1))
	}
	switch rapid.IntRange(0, 7).Draw(t, "join") {
	case 0:
		return formula.Formula{}
	case 1, 2, 3:
		return formula.SomeOf(parts...)
	}
	return formula.AllOf(parts...)
}

// Whatever a callback fulfils is found, for the rule's commands and no others, each rule once.
func TestFindsWhatHolds(t *testing.T) { rapid.Check(t, findsWhatHolds) }

func FuzzFindsWhatHolds(f *testing.F) { f.Fuzz(rapid.MakeFuzz(findsWhatHolds)) }

func findsWhatHolds(t *rapid.T) {
	commands := [][]string{nil, {"one"}, {"two"}, {"one", "two"}}
	var entries []Entry
	for range rapid.IntRange(1, 40).Draw(t, "rules") {
		entries = append(entries, Entry{rapid.SampledFrom(commands).Draw(t, "commands"), anyFormula(t, 3)})
	}
	x := New(entries, func(int) {})
	for range 5 {
		v, command := anyValues(t), rapid.SampledFrom([]string{"one", "two", "three"}).Draw(t, "command")
		hits := x.Find(command, v)
		found := hits.Rules()
		if !slices.IsSorted(found) || len(slices.Compact(slices.Clone(found))) != len(found) {
			t.Fatalf("found %v, which are not ascending or not once each", found)
		}
		for i, e := range entries {
			isFor := e.Commands == nil || slices.Contains(e.Commands, command)
			got := slices.Contains(found, uint32(i))
			if got && !isFor {
				t.Fatalf("%s found a rule for %v", command, e.Commands)
			}
			if !got && isFor && e.When.Holds(v.Field) {
				t.Fatalf("%s with %v did not find rule %d: %s, by %v", command, v, i, e.When, x.Found(uint32(i)))
			}
		}
		hits.Release()
	}
}

func equals(f formula.Field, texts ...string) formula.Formula {
	return formula.Of(formula.Atom{Field: f, Kind: formula.OneOf, Texts: texts}, true)
}

// Fields beyond the 65,536th are told apart in keys of several fields.
func TestKeysOfManyFields(t *testing.T) {
	const many = 70_000
	var entries []Entry
	v := values{}
	header := func(i int) formula.Field {
		return formula.Field{Root: formula.Header, Type: formula.String, Name: fmt.Sprint("h", i), Path: fmt.Sprint("h", i)}
	}
	for i := range many {
		entries = append(entries, Entry{When: equals(header(i), "x")})
	}
	for _, i := range []int{1, 1<<16 + 1} { // their numbers have the same 16 bits at their end
		entries = append(entries, Entry{When: formula.AllOf(equals(header(i), "x"), equals(header(i+1), "x"))})
		v[fmt.Sprint("h", i)], v[fmt.Sprint("h", i+1)] = "x", "x"
	}
	hits := New(entries, func(int) {}).Find("one", v)
	defer hits.Release()
	for _, rule := range []uint32{many, many + 1} {
		if !slices.Contains(hits.Rules(), rule) {
			t.Errorf("rule %d was not found by both its headers", rule)
		}
	}
}
