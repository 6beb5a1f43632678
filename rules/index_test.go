package rules

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"callboard/internal/manyrules"
	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/rules/when"
)

// Matching by the index and by looking at every rule come to the same: plan, errors and notes.
func TestIndexMatchesLikeAScan(t *testing.T) {
	rapid.Check(t, matchesLikeAScan)
}

func FuzzIndexMatchesLikeAScan(f *testing.F) {
	for seed := range byte(8) { // tables to begin with
		drawn := make([]byte, 1<<15)
		rand.NewChaCha8([32]byte{seed}).Read(drawn)
		f.Add(drawn)
	}
	f.Fuzz(rapid.MakeFuzz(matchesLikeAScan))
}

func matchesLikeAScan(t *rapid.T) {
	set := anyTable(t)
	for range 5 {
		cb := anyCallback(t)
		got, want := planText(set.Match(cb, noon)), planText(set.scan(cb, noon))
		if got != want {
			t.Fatalf("for %s the index plans\n%s\na scan\n%s\nthe rules are\n%s", cb.Body, got, want, tableText(set))
		}
	}
}

// An index that was built for other rules finds those that are left, wherever they are now, and those that have come.
func TestAnIndexServesAgain(t *testing.T) {
	rapid.Check(t, servesAgain)
}

func servesAgain(t *rapid.T) {
	before, set := anyTable(t), anyTable(t)
	l := &Loader{}
	old := outlinesOf(before.Rules)
	l.indexAll(old, nil)
	rules := outlinesOf(set.Rules)
	for _, r := range old {
		if rapid.Bool().Draw(t, "stays") {
			rules = append(rules, r)
		}
	}
	rules = rapid.Permutation(rules).Draw(t, "order")
	set.Rules, set.reads = nil, conditional{}
	var conds []*when.Cond
	for _, r := range rules {
		set.Rules = append(set.Rules, r.Rule)
		set.reads.note(r.Rule)
		if r.cond != nil {
			conds = append(conds, r.cond)
		}
	}
	set.env = when.NewEnv(conds)
	set.index = l.indexChanged(rules, nil)
	anew := &Set{Rules: set.Rules}
	anew.buildIndex()
	for i := range rules {
		if got, want := set.Indexing(i), anew.Indexing(i); (got.By == "") != (want.By == "") || got.Because != want.Because {
			t.Fatalf("rule %s is indexed by %+v, anew by %+v", set.Rules[i].When, got, want)
		}
	}
	for range 5 {
		cb := anyCallback(t)
		if got, want := planText(set.Match(cb, noon)), planText(set.scan(cb, noon)); got != want {
			t.Fatalf("for %s the index plans\n%s\na scan\n%s\nthe rules are\n%s", cb.Body, got, want, tableText(set))
		}
	}
}

// Of a big table only what has changed is indexed again, as long as that is little.
func TestFewChangesAreIndexedAlone(t *testing.T) {
	m := manyrules.New(manyrules.Realistic, 6000, 3)
	var files []File
	for _, f := range m.Files(60, "http://127.0.0.1:1") {
		files = append(files, File{Name: f.Name, Data: f.Data})
	}
	l := NewLoader(Options{})
	loadWith(t, l, files)
	first := l.indexed
	edit := func(n int) {
		files[n].Data = bytes.Replace(files[n].Data, []byte("when: "), []byte("when: seq > 0 && "), 1)
	}
	for n, anew := range []bool{false, false, false, true, false} {
		edit(1 + n) // a file of 101 rules: four of them are one rule in sixteen
		set := loadWith(t, l, files)
		if (l.indexed != first) != anew {
			t.Errorf("after edit %d the index is built anew: %t", n, !anew)
		}
		first = l.indexed
		for _, body := range m.Bodies(50) {
			cb, err := openim.Decode(openim.Request{Path: "/" + body.Command.Name, Body: body.Data})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := planText(set.Match(cb, noon)), planText(set.scan(cb, noon)); got != want {
				t.Errorf("after edit %d the index plans\n%s\na scan\n%s", n, got, want)
			}
		}
	}
	if loadWith(t, l, files[:40]); l.indexed == first {
		t.Error("a table without a third of its rules keeps their index")
	}
}

func loadWith(t *testing.T, l *Loader, files []File) *Set {
	t.Helper()
	set, diagnostics := l.Load(slices.Clone(files))
	if set == nil {
		t.Fatal(diagnostics)
	}
	return set
}

// What is cut is noted whether or not the condition that reads it is evaluated.
func TestNotesDoNotDependOnTheIndex(t *testing.T) {
	set := load(t, text(`
rules:
  - {name: words, callbacks: beforeSendGroupMsg, when: 'groupID == "other" && text contains "refund"', reply: allow}
  - {name: people, callbacks: beforeSendGroupMsg, when: '"nobody" in atUserList', reply: allow}
`))
	long := strings.Repeat("x", 70_000)
	cb := func() *openim.Callback {
		return callback(t, "beforeSendGroupMsg", `"groupID": "g", "contentType": 101, "content": "`+long+`", "atUserList": [`+strings.Repeat(`"u",`, 10_000)+`"u"]`)
	}
	got, want := set.Match(cb(), noon).Notes, set.scan(cb(), noon).Notes
	if len(got) != 2 || !slices.Equal(got, want) {
		t.Errorf("the index notes %q, a scan %q, want the same two notes", got, want)
	}
}

// tableCommands are what rules and callbacks of random tables are for; callbacks may be of one that no rule names.
var tableCommands = []string{"beforeSendGroupMsg", "afterSendGroupMsg", "beforeSendSingleMsg", "callbackNewCommand", "callbackOtherCommand"}

func anyTable(t *rapid.T) *Set {
	s := &Set{}
	var conds []*when.Cond
	for i := range rapid.IntRange(1, 30).Draw(t, "rules") {
		r := &Rule{
			Name:       fmt.Sprint("r", i),
			Priority:   rapid.IntRange(0, 2).Draw(t, "priority"),
			Stop:       rapid.IntRange(0, 19).Draw(t, "stop") == 0,
			MatchOnErr: rapid.Bool().Draw(t, "on error"),
		}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(tableCommands[:4]), 0, 3, rapid.ID).Draw(t, "callbacks") {
			if c, ok := openim.Lookup(name); ok {
				r.Callbacks = append(r.Callbacks, c)
			} else {
				r.Unknown = append(r.Unknown, name)
			}
		}
		if rapid.IntRange(0, 9).Draw(t, "condition") > 0 {
			commands := r.Callbacks
			if len(r.Unknown) > 0 {
				commands = nil
			}
			r.When = testkit.Condition(t)
			if r.cond, _ = when.Compile(r.When, commands); r.cond == nil {
				continue
			}
			conds = append(conds, r.cond)
		}
		s.Rules = append(s.Rules, r)
	}
	slices.SortStableFunc(s.Rules, func(a, b *Rule) int { return cmp.Compare(b.Priority, a.Priority) })
	s.env = when.NewEnv(conds)
	s.buildIndex()
	return s
}

func outlinesOf(rules []*Rule) []*outline {
	outlines := make([]*outline, len(rules))
	for i, r := range rules {
		outlines[i] = &outline{Rule: r}
	}
	return outlines
}

func anyCallback(t *rapid.T) *openim.Callback {
	name := rapid.SampledFrom(tableCommands).Draw(t, "command")
	if c, ok := openim.Lookup(name); ok {
		name = c.Name
	}
	body := testkit.Body(t)
	body["callbackCommand"] = name
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := openim.Decode(openim.Request{
		Path: rapid.SampledFrom([]string{"/", "/prod/", "/a/"}).Draw(t, "source") + name, RawQuery: "key=a",
		Header: map[string][]string{"X-Real-Ip": {rapid.SampledFrom([]string{"10.1.2.3", "a", "ab"}).Draw(t, "header")}}, Body: text,
	})
	if err != nil {
		t.Fatal(err)
	}
	return cb
}

func planText(p Plan) string {
	var b strings.Builder
	fmt.Fprintln(&b, "matched", names(p.Matched))
	for _, e := range p.Errors {
		fmt.Fprintln(&b, "error", e.Rule.Name, e.Matched, e.Err)
	}
	fmt.Fprintln(&b, "notes", p.Notes)
	return b.String()
}

func tableText(s *Set) string {
	var b strings.Builder
	for _, r := range s.Rules {
		fmt.Fprintf(&b, "%s for %d and %v, stop %t: %s\n", r.Name, len(r.Callbacks), r.Unknown, r.Stop, r.When)
		if r.cond != nil {
			fmt.Fprintf(&b, "  necessary: %v\n", r.cond.Candidate())
		}
	}
	return b.String()
}
