package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const changedRules = `
sinks:
  a: {url: "http://a/"}
  b: {url: "http://b/", on_failure: refuse}
  c: {url: "http://c/"}
rules:
  - name: ask
    callbacks: [beforeSendGroupMsg, afterSendGroupMsg]
    await: {sinks: [a, b, c], policy: {quorum: 2}, deadline: 1s}
    stop: true
    priority: 3
  - name: one
    callbacks: [afterSendGroupMsg]
    await: {sinks: [a]}
  - name: primary
    await: {sinks: [a, b], policy: {primary: a}}
    notify: [c]
  - name: own
    callbacks: [beforeMsgModify]
    reply: {fields: {ex: x}}
`

func TestMutants(t *testing.T) {
	set := load(t, text(changedRules))
	want := map[string][]string{
		"ask": {
			"callbacks: [beforeSendGroupMsg, afterSendGroupMsg] -> callbacks: [afterSendGroupMsg]",
			"callbacks: [beforeSendGroupMsg, afterSendGroupMsg] -> callbacks: [beforeSendGroupMsg]",
			"sinks: [a, b, c] -> sinks: [b, c]",
			"on_failure: {a: allow} -> on_failure: {a: refuse}",
			"sinks: [a, b, c] -> sinks: [a, c]",
			"on_failure: {b: refuse} -> on_failure: {b: allow}",
			"sinks: [a, b, c] -> sinks: [a, b]",
			"on_failure: {c: allow} -> on_failure: {c: refuse}",
			"policy: {quorum: 2} -> policy: {quorum: 1}",
			"policy: {quorum: 2} -> policy: {quorum: 3}",
			"deadline: 1s -> no deadline",
			"stop: true -> stop: false",
			"priority: 3 -> priority: 0",
		},
		"one": {"sinks: [a] -> no await", "on_failure: {a: refuse} -> on_failure: {a: allow}"},
		"primary": {
			"on_failure: {a: allow} -> on_failure: {a: refuse}",
			"sinks: [a, b] -> sinks: [a]",
			"on_failure: {b: refuse} -> on_failure: {b: allow}",
			"policy: {primary: a} -> policy: all",
			"notify: [c] -> notify: []",
		},
		"own": {"fields: ex -> no such field"},
	}
	before := fmt.Sprintf("%+v", set.Rules[0].Await)
	for _, r := range set.Rules {
		var got []string
		for _, m := range set.Mutants(r) {
			got = append(got, m.Was+" -> "+m.Now)
			if c := m.Set(); len(c.Rules) != len(set.Rules) || c == set {
				t.Errorf("%s: %s makes a table of %d rules", r.Name, m.What, len(c.Rules))
			}
		}
		if diff := cmp.Diff(want[r.Name], got); diff != "" {
			t.Errorf("changes of %s (-want +got):\n%s", r.Name, diff)
		}
	}
	if after := fmt.Sprintf("%+v", set.Rules[0].Await); after != before {
		t.Errorf("the original is changed: %s, was %s", after, before)
	}
}

// A mutant's table matches by the changed rule, and the others as before.
func TestMutantMatches(t *testing.T) {
	set := load(t, text(`
rules:
  - {name: closed, when: 'groupID == "support-1"', reply: {refuse: {message: no}}}
  - {name: all, stop: true}
`))
	for _, m := range set.Mutants(set.Rules[0]) {
		if !strings.HasPrefix(m.Now, "when: ") {
			continue
		}
		var names []string
		for _, r := range m.Set().Match(decode(t, "/callbackBeforeSendGroupMsgCommand", `{"groupID":"support-1"}`), time.Now()).Matched {
			names = append(names, r.Name)
		}
		if diff := cmp.Diff([]string{"all"}, names); diff != "" {
			t.Errorf("%s: %s", m.Now, diff)
		}
	}
}

func TestMutantsShowNoSecrets(t *testing.T) {
	const secret = `S3CR3T "with" quotes, and long enough that it is cut when it is quoted in words`
	o := Options{LookupEnv: func(string) (string, bool) { return secret, true }}
	file := File{Name: "rules.yaml", Data: []byte("rules:\n  - name: r\n    when: |-\n      sendID in ['x', '${env:TOKEN}'] && groupID == '${env:TOKEN}'\n    stop: true\n")}
	set, ds := Load([]File{file}, o)
	if set == nil {
		t.Fatal(ds)
	}
	mutants := set.Mutants(set.Rules[0])
	if len(mutants) < 5 {
		t.Errorf("%d changes", len(mutants))
	}
	places := NewPlaces([]File{file}, o)
	for _, m := range mutants {
		d := places.At(m.Rule, m.Start, m.End)
		if shown := m.What + m.Was + m.Now + d.Source; strings.Contains(shown, "S3CR3T") {
			t.Errorf("a secret is shown: %s", shown)
		}
		if d.Line < 2 || d.Line > 4 {
			t.Errorf("%s is on line %d", m.What, d.Line)
		}
	}
}
