package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/internal/diag"
)

// load loads one file that must be good.
func load(t testing.TB, files ...File) *Set {
	t.Helper()
	set, found := Load(files, corpusOptions)
	if set == nil {
		t.Fatalf("loading: %v", found)
	}
	return set
}

func okCase(t testing.TB, name string) *Set {
	t.Helper()
	return load(t, corpus(t, "ok")[name]...)
}

func text(lines string) File { return File{Name: "rules.yaml", Data: []byte(lines)} }

func TestOrderOfRules(t *testing.T) {
	set := load(t,
		File{"b.yaml", []byte("rules: [{name: b1, reply: allow}, {name: b2, priority: 5, reply: allow}]")},
		File{"a.yaml", []byte("rules: [{name: a1, reply: allow}, {name: a2, priority: 5, reply: allow}, {name: a3, priority: -1, reply: allow}]")},
	)
	var got []string
	for _, r := range set.Rules {
		got = append(got, r.Name)
	}
	if want := []string{"b2", "a2", "b1", "a1", "a3"}; !slices.Equal(got, want) {
		t.Errorf("order %v, want %v: by priority, then as given", got, want)
	}
}

// The order of files decides the order of rules of one priority and nothing else.
func TestFilesInAnyOrder(t *testing.T) {
	teams := corpus(t, "ok")["teams"]
	more := []File{
		{"calls.yaml", []byte("rules: [{name: calls, callbacks: beforeAddBlack, await: {sinks: [calls, risk]}}]\nsinks: {calls: {url: 'http://calls'}}")},
		{"night.yaml", []byte("defaults: {rules: {priority: 3}}\nrules: [{name: night, stop: true, when: 'source == \"night\"'}, {name: day, reply: allow}]")},
	}
	bad := []File{
		{"typo.yaml", []byte("rules: [{name: typo, await: {sinks: clals, deadline: 9s}}]\nsink: {}")},
		{"when.yaml", []byte("rules: [{name: when, stop: true, when: 'nonsense =='}]")},
	}
	for what, files := range map[string][]File{"good": slices.Concat(teams, more), "bad": slices.Concat(teams, more, bad)} {
		want := summary(Load(files, corpusOptions))
		rapid.Check(t, func(t *rapid.T) {
			shuffled := rapid.Permutation(files).Draw(t, "files")
			if diff := cmp.Diff(want, summary(Load(shuffled, corpusOptions))); diff != "" {
				t.Fatalf("%s files: another order, another table (-want +got):\n%s", what, diff)
			}
		})
	}
}

// summary is what a table comes to whatever the order of its files: what is found wrong, and its rules by name.
func summary(set *Set, found []diag.Diagnostic) []string {
	var lines []string
	for _, d := range found {
		lines = append(lines, d.String())
	}
	if set != nil {
		for _, r := range set.Rules {
			lines = append(lines, fmt.Sprintf("%s at %s:%d: %q", r.Name, r.File, r.Line, r.When))
		}
	}
	slices.Sort(lines)
	return lines
}

// A file with something of everything loads.
func TestAWholeFile(t *testing.T) {
	file := text(`
sinks:
  moderation:
    url: ${env:MODERATION_URL}
    timeout: 400ms            # one attempt
    retry: {attempts: 2, backoff: 50ms}
  risk: {url: http://risk.internal/}
  archive:
    url: http://archive.internal/im
    order_by: groupID
    concurrency: 32
    rate: 500/s
    retry: {for: 24h, backoff: 1s, max_backoff: 10m}
    secret: ${file:/run/secrets/archive}

rules:
  - name: moderate-support-groups
    callbacks: [beforeSendGroupMsg]
    when: groupID startsWith "support-" && contentType in [Text, AtText] && text matches "(?i)refund"
    await:
      sinks: [moderation, risk]
      policy: all
      deadline: 900ms
      on_failure: allow
    notify: [archive]

  - name: announcements-are-read-only
    callbacks: [beforeSendGroupMsg]
    when: groupID == "announcements" && sendID not in ["admin1", "admin2"]
    reply: {refuse: {code: 20403, message: "Only administrators post here"}}
`)
	set := load(t, file)
	if got := names(set.Rules); got != "moderate-support-groups announcements-are-read-only" || len(set.Sinks) != 3 {
		t.Errorf("rules %q, %d sinks", got, len(set.Sinks))
	}
}

func TestAnswerWithin(t *testing.T) {
	file := text("sinks: {s: {url: 'http://s'}}\nrules: [{name: r, await: {sinks: s, deadline: 4s}}]")
	for within, want := range map[time.Duration]bool{0: true, 4 * time.Second: true, 3 * time.Second: false} {
		set, _ := Load([]File{file}, Options{AnswerWithin: within})
		if (set != nil) != want {
			t.Errorf("a deadline of 4s within %v loads: %t, want %t", within, set != nil, want)
		}
	}
}

// FuzzLoad: no input makes Load panic, every finding stands in its file, and no secret shows. What loads makes plans.
func FuzzLoad(f *testing.F) {
	for _, dir := range []string{"ok", "bad"} {
		for _, files := range corpus(f, dir) {
			for _, file := range files {
				f.Add(file.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), secretMark) || len(data) > 10_000 {
			return // the mark itself would be found, and large files only make fuzzing slow
		}
		file := File{Name: "fuzz.yaml", Data: data}
		set, found := Load([]File{file}, corpusOptions)
		if (set == nil) != diag.HasErrors(found) {
			t.Errorf("set is nil: %t, errors: %t", set == nil, diag.HasErrors(found))
		}
		lines := newSource("", trimByteOrderMark(data))
		for _, d := range found {
			checkFinding(t, lines, d)
		}
		if set != nil {
			checkPlan(t, set)
		}
	})
}

// checkPlan makes a plan and holds its notices to what they promise.
func checkPlan(t *testing.T, set *Set) {
	t.Helper()
	cb := callback(t, "beforeSendGroupMsg", `"groupID": "gé", "sendID": "u1", "contentType": 101, "content": "`+strings.Repeat("x", 1000)+`"`)
	seen := map[*Sink]bool{}
	for _, n := range set.Match(cb, noon).Notify {
		if seen[n.Sink] || len(n.Rules) == 0 || len(n.Key) > longestKey || !utf8.ValidString(n.Key) || n.Sink.OrderBy == "" && n.Key != "" {
			t.Errorf("notice %+v of sink %+v", n, n.Sink)
		}
		seen[n.Sink] = true
	}
	if key, ok := set.DedupKey(cb); ok && (set.Dedup == nil || key == "") {
		t.Errorf("dedup %+v, key %q", set.Dedup, key)
	}
}

func checkFinding(t *testing.T, lines *source, d diag.Diagnostic) {
	t.Helper()
	if strings.Contains(d.String()+d.Hint+d.Source, secretMark) {
		t.Errorf("a secret shows: %+v", d)
	}
	if d.ID == "" || d.Message == "" {
		t.Errorf("a finding without id or message: %+v", d)
	}
	if d.Line == 0 {
		return
	}
	if d.Line > lines.lineCount() || d.Col < 1 || d.EndCol <= d.Col || d.ID != idEncoding && d.Col > len(lines.line(d.Line))+1 {
		t.Errorf("a finding outside of the file: %+v", d)
	}
}
