package compare

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/openim"
)

func refusedBy(rule string, code int32, message string) Outcome {
	return Outcome{Matched: []string{rule}, Refused: true, Code: code, Message: message, DecidedBy: rule}
}

func TestDifferences(t *testing.T) {
	allowed := Outcome{}
	for _, row := range []struct {
		name            string
		base, candidate Outcome
		want            []Difference
	}{
		{"nothing", refusedBy("a", 1, "no"), refusedBy("a", 1, "no"), nil},
		{"a refusal that is new", allowed, refusedBy("a", 1, "no"), []Difference{
			{Kind: Refused, Rule: "a", Was: "allow", Now: `refuse (1 "no") by a`},
			{Kind: MatchedMore, Rule: "a"},
		}},
		{"a refusal that is gone", refusedBy("a", 1, "no"), allowed, []Difference{
			{Kind: NotRefused, Rule: "a", Was: `refuse (1 "no") by a`, Now: "allow"},
			{Kind: MatchedLess, Rule: "a"},
		}},
		{"another code", refusedBy("a", 1, "no"), refusedBy("a", 2, "no"), []Difference{
			{Kind: CodeChanged, Rule: "a", Was: `refuse (1 "no") by a`, Now: `refuse (2 "no") by a`},
		}},
		{"another message", refusedBy("a", 1, "no"), refusedBy("a", 1, "never"), []Difference{
			{Kind: CodeChanged, Rule: "a", Was: `refuse (1 "no") by a`, Now: `refuse (1 "never") by a`},
		}},
		{"another field", Outcome{Fields: fields("a", "1", "b", "2")}, Outcome{Fields: fields("b", "3", "c", "4")}, []Difference{
			{Kind: FieldsChanged, Field: "b", Was: "2", Now: "3"},
			{Kind: FieldsChanged, Field: "c", Was: "not set", Now: "4"},
			{Kind: FieldsChanged, Field: "a", Was: "1", Now: "not set"},
		}},
		{"fields of a refusal do not count", Outcome{Refused: true, Fields: fields("a", "1")}, Outcome{Refused: true}, nil},
		{"a condition that fails", allowed, Outcome{Failed: []string{"a"}}, []Difference{{Kind: Failed, Rule: "a"}}},
		{"one that no longer fails", Outcome{Failed: []string{"a"}}, allowed, []Difference{{Kind: NotFailed, Rule: "a"}}},
		{"a sink more, for two rules", allowed, Outcome{Notified: []Part{{Sink: "s", Rules: []string{"a", "b"}}}}, []Difference{
			{Kind: NotifiedMore, Rule: "a", Sink: "s"}, {Kind: NotifiedMore, Rule: "b", Sink: "s"},
		}},
		{"a sink less, nobody knows for which rule", Outcome{Asked: []Part{{Sink: "s"}}}, allowed, []Difference{{Kind: AskedLess, Sink: "s"}}},
		{"a sink for another rule", Outcome{Asked: []Part{{Sink: "s", Rules: []string{"a"}}}}, Outcome{Asked: []Part{{Sink: "s", Rules: []string{"b"}}}}, nil},
		{"another key", Outcome{Notified: []Part{{Sink: "s", Key: "g1"}}}, Outcome{Notified: []Part{{Sink: "s"}}}, []Difference{
			{Kind: KeyChanged, Sink: "s", Was: `key "g1"`, Now: "no key"},
		}},
		{"another order of rules", Outcome{Matched: []string{"a", "b"}}, Outcome{Matched: []string{"b", "a"}}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, Differences(&row.base, &row.candidate)); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func fields(pairs ...string) (fs []openim.FieldValue) {
	for i := 0; i < len(pairs); i += 2 {
		fs = append(fs, openim.FieldValue{Name: pairs[i], Raw: []byte(pairs[i+1])})
	}
	return fs
}

// reverse is what a kind is when the sides are swapped.
var reverse = map[Kind]Kind{
	Refused: NotRefused, NotRefused: Refused, CodeChanged: CodeChanged, FieldsChanged: FieldsChanged, Failed: NotFailed, NotFailed: Failed,
	NotifiedMore: NotifiedLess, NotifiedLess: NotifiedMore, KeyChanged: KeyChanged, AskedMore: AskedLess, AskedLess: AskedMore,
	MatchedMore: MatchedLess, MatchedLess: MatchedMore,
}

func drawOutcome(t *rapid.T, name string) Outcome {
	names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID)
	parts := rapid.Custom(func(t *rapid.T) Part {
		return Part{
			Sink: rapid.SampledFrom([]string{"s", "t", "u"}).Draw(t, "sink"), Key: rapid.SampledFrom([]string{"", "g"}).Draw(t, "key"),
			Rules: names.Draw(t, "rules"),
		}
	})
	all := rapid.SliceOfNDistinct(parts, 0, 3, func(p Part) string { return p.Sink })
	o := Outcome{
		Matched: names.Draw(t, name+" matched"), Failed: names.Draw(t, name+" failed"),
		Asked: all.Draw(t, name+" asked"), Notified: all.Draw(t, name+" notified"),
	}
	if rapid.Bool().Draw(t, name+" refused") {
		o.Refused, o.Code, o.DecidedBy = true, rapid.Int32Range(1, 2).Draw(t, name+" code"), rapid.SampledFrom([]string{"a", "b"}).Draw(t, name+" by")
	} else if rapid.Bool().Draw(t, name+" sets") {
		o.Fields = fields(rapid.SampledFrom([]string{"x", "y"}).Draw(t, name+" field"), rapid.SampledFrom([]string{"1", "2"}).Draw(t, name+" value"))
	}
	return o
}

// What is so of any two outcomes: none differs from itself, and swapping them turns each difference round.
func TestDifferencesOfAnyOutcomes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawOutcome(t, "base"), drawOutcome(t, "candidate")
		if ds := Differences(&a, &a); ds != nil {
			t.Fatalf("an outcome differs from itself: %+v", ds)
		}
		there, back := Differences(&a, &b), Differences(&b, &a)
		turned := make([]Difference, len(back))
		for i, d := range back {
			turned[i] = Difference{Kind: reverse[d.Kind], Rule: d.Rule, Sink: d.Sink, Field: d.Field, Was: d.Now, Now: d.Was}
		}
		for i := range there {
			if there[i].Kind == CodeChanged { // it is told of the rule that refuses with the candidate
				there[i].Rule = ""
			}
		}
		for i := range turned {
			if turned[i].Kind == CodeChanged {
				turned[i].Rule = ""
			}
		}
		slices.SortFunc(there, compareKeys)
		slices.SortFunc(turned, compareKeys)
		if !slices.Equal(there, turned) {
			t.Fatalf("there %+v\nback %+v", there, turned)
		}
		seen := map[entryKey]bool{}
		for _, d := range there {
			key := entryKey{d.Kind, d.Rule, d.Sink, d.Field}
			if seen[key] {
				t.Fatalf("twice: %+v", d)
			}
			seen[key] = true
		}
	})
}

func compareKeys(x, y Difference) int {
	return slices.Compare([]string{x.Kind.String(), x.Rule, x.Sink, x.Field}, []string{y.Kind.String(), y.Rule, y.Sink, y.Field})
}

// However callbacks are dealt to reports, the merged ones say the same as one that saw them all.
func TestReportsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "callbacks")
		whole := &Report{Samples: 2}
		shares := []*Report{{Samples: 2}, {Samples: 2}, {Samples: 2}}
		different := 0
		for i := range n {
			a, b := drawOutcome(t, "base"), drawOutcome(t, "candidate")
			ds := Differences(&a, &b)
			if ds != nil {
				different++
			}
			share := shares[rapid.IntRange(0, 2).Draw(t, "share")]
			for _, r := range []*Report{whole, share} {
				r.Add(int64(i), Sample{ID: string(rune('a' + i))}, ds)
				if i%3 == 0 {
					r.Skip("odd")
					r.Assume([]string{"s"})
					r.Doubt([]string{"headers"})
				}
			}
		}
		merged := &Report{Samples: 2}
		for _, r := range shares {
			merged.Merge(r)
		}
		if diff := cmp.Diff(whole, merged, cmp.AllowUnexported(Report{}, Sample{})); diff != "" {
			t.Fatalf("merged (-whole +merged):\n%s", diff)
		}
		if whole.Callbacks != n || whole.Different != different {
			t.Fatalf("%d of %d differ, want %d of %d", whole.Different, whole.Callbacks, different, n)
		}
		for _, e := range whole.Entries() {
			if e.Callbacks > whole.Totals[e.Kind] || e.Callbacks < len(e.Samples) || len(e.Samples) == 0 {
				t.Fatalf("%+v of %d", e, whole.Totals[e.Kind])
			}
		}
	})
}

func TestAReportIsBounded(t *testing.T) {
	r := &Report{Samples: 1, MaxEntries: 2}
	for i, rule := range []string{"a", "b", "c", "a"} {
		r.Add(int64(i), Sample{}, []Difference{{Kind: MatchedMore, Rule: rule}})
	}
	if len(r.Entries()) != 2 || r.Unlisted != 1 || r.Different != 4 || r.Totals[MatchedMore] != 4 {
		t.Errorf("entries %+v, unlisted %d, different %d", r.Entries(), r.Unlisted, r.Different)
	}
	if e := r.Entries()[0]; e.Rule != "a" || e.Callbacks != 2 || len(e.Samples) != 1 {
		t.Errorf("first entry %+v", e)
	}
}

func TestKindsHaveNames(t *testing.T) {
	for _, k := range Kinds() {
		if got, ok := ParseKind(k.String()); !ok || got != k || k.String() == "" {
			t.Errorf("%d is called %q, which reads as %d", k, k, got)
		}
	}
	if _, ok := ParseKind("worse"); ok {
		t.Error("worse is no kind")
	}
}
