package ruletest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/diag"
	"callboard/router"
	"callboard/rules"
)

const table = `
sinks:
  moderation: {url: "http://moderation/", timeout: 100ms, retry: {attempts: 2, backoff: 10ms}}
  risk: {url: "http://risk/", dialect: v2}
  archive: {url: "http://archive/", order_by: groupID}
rules:
  - name: closed
    callbacks: [beforeSendGroupMsg]
    when: groupID == "closed" && sendID != "admin"
    reply: {refuse: {code: 20403, message: closed}}
    priority: 1
    stop: true
  - name: moderate
    callbacks: [beforeSendGroupMsg, beforeSendSingleMsg]
    when: text contains "refund" || contentType == Picture
    await: {sinks: [moderation, risk], deadline: 500ms, on_failure: refuse}
  - name: mask
    callbacks: [beforeMsgModify]
    await: {sinks: [moderation]}
  - name: broken
    callbacks: [beforeAddFriend]
    when: data.deep.deeper.deepest == 1
    reply: {refuse: {message: no}}
  - name: keep
    callbacks: [beforeSendGroupMsg]
    notify: [archive]
`

// suiteOf makes a suite of the table above and tests, given as the list of a file.
func suiteOf(t testing.TB, table, tests string) *Suite {
	t.Helper()
	show := func(ds []diag.Diagnostic) string {
		var text strings.Builder
		diag.WriteText(&text, ds)
		return text.String()
	}
	set, ds := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(table)}}, rules.Options{})
	if set == nil {
		t.Fatal(show(ds))
	}
	list, ds := rules.ReadTests([]rules.File{{Name: "rules_test.yaml", Data: []byte("tests:\n" + tests)}}, set)
	if list == nil {
		t.Fatal(show(ds))
	}
	s, ds := New(set, list, router.Options{}, func(name string) ([]byte, error) { return nil, fs.ErrNotExist })
	if s == nil {
		t.Fatal(show(ds))
	}
	return s
}

func group(rest string) string { return "{name: t, callback: beforeSendGroupMsg, " + rest + "}" }

// What each expectation says of what it does not find.
func TestExpectations(t *testing.T) {
	const refund = "text: my refund, "
	for test, want := range map[string][]string{
		// met
		group(refund + "expect: {rules: [moderate, keep], asked: [moderation, risk], notified: {archive: support-1}, verdict: allow, nothing_else: true}"):                                    nil,
		group(refund + "answers: {risk: {refuse: {code: 7, message: m, detail: d}}}, expect: {verdict: refuse, code: 7, message: m, detail: d, decided_by: moderate, asked: {risk: refuse}}"): nil,
		group(refund + "answers: {moderation: [reset, {answer: allow, after: 40ms}]}, expect: {asked: {moderation: {vote: allow, attempts: 2}}, took: 50ms, within: 50ms, verdict: allow}"):   nil,
		group(refund + "answers: {moderation: timeout}, expect: {asked: {moderation: failed, risk: allow}, verdict: refuse, code: 20002, took: 210ms}"):                                       nil,
		group(refund + "answers: {moderation: {answer: allow, after: 90ms}, risk: {refuse: {}, after: 5ms}}, expect: {asked: {moderation: out}, took: 5ms}"):                                  nil,
		group("set: {groupID: closed}, expect: {rules: [closed], verdict: refuse, code: 20403, notified: [], asked: [], decided_by: closed, nothing_else: true}"):                             nil,
		group(refund + "expect: {rules: [], asked: [], notified: []}"): {
			"rules: expected not moderate, got matches", "rules: expected not keep, got matches",
			"asked: expected not moderation, got allow", "asked: expected not risk, got allow",
			`notified: expected not archive, got by ["keep"]`,
		},
		group("text: hello, expect: {not: {rules: moderate, asked: [moderation]}, decided_by: ''}"):                                                                                                      nil,
		`{name: t, callback: beforeMsgModify, answers: {moderation: {fields: {ex: x, status: 2}}}, expect: {fields: {ex: x, status: 2}}}`:                                                                nil,
		`{name: t, callback: callbackOfTheFuture, set: {a: 1}, expect: {verdict: allow, rules: [], nothing_else: true}}`:                                                                                 nil,
		group("without: [groupID], expect: {notified: {archive: ''}}"):                                                                                                                                   nil,
		group(refund + "answers: {moderation: {body: nonsense, after: 1ms}, risk: {status: 204}}, expect: {asked: {moderation: failed, risk: abstain}}"):                                                 nil,
		group(refund + "answers: {moderation: [{status: 503, retry_after: 1}, allow]}, expect: {took: 0s, asked: {moderation: {attempts: 1, vote: failed}}}"):                                            nil,
		group(refund + "answers: {moderation: {answer: refuse, after: 1ms}, risk: {answer: refuse}}, expect: {asked: {moderation: out, risk: refuse}, took: 0s}"):                                        nil,
		group("source: prod, query: a=b, headers: {X-Tenant: t1}, at: '12:00', expect: {verdict: allow}"):                                                                                                nil,
		`{name: t, callback: beforeSendSingleMsg, set: {contentType: AtText}, text: "refund {\"x\"}", expect: {rules: [moderate]}}`:                                                                      nil,
		group(refund + "answers: {risk: unreachable}, expect: {asked: {risk: {vote: failed, attempts: 2}}, detail: 'rule moderate: risk: no connection: connection refused, twice', within: 50ms}"):      nil,
		group(refund + "answers: {moderation: {answer: abstain, after: 499ms}}, expect: {asked: {moderation: failed}}"):                                                                                  nil,
		group(refund + "answers: {moderation: {answer: abstain, after: 99ms}, risk: {answer: abstain}}, expect: {asked: {moderation: abstain, risk: abstain}, took: 99ms, verdict: allow, rules: keep}"): nil,

		// not met
		group("text: hello, expect: {rules: [moderate]}"): {"rules: expected moderate, got does not match: its condition is false: " +
			`text was "hello", wanted "…refund…"`},
		group("set: {groupID: closed}, expect: {rules: [keep]}"): {"rules: expected keep, got does not match: stopped by closed; otherwise: it has no condition"},
		`{name: t, callback: beforeMsgModify, expect: {rules: [keep]}}`: {
			"rules: expected keep, got does not match: its callbacks do not include callbackBeforeMsgModifyCommand"},
		group(refund + "expect: {not: {rules: keep, asked: risk, notified: archive}}"): {
			"rules: expected not keep, got matches", "asked: expected not risk, got allow", `notified: expected not archive, got by ["keep"]`},
		group(refund + "expect: {rules: [keep], nothing_else: true}"): {
			"rules: expected not moderate, got matches", "asked: expected not moderation, got allow", "asked: expected not risk, got allow",
			`notified: expected not archive, got by ["keep"]`},
		group("text: hello, expect: {asked: [moderation], notified: {archive: g}, errors: [keep]}"): {
			"errors: expected keep, got its condition does not fail", "asked: expected moderation, got not asked", `notified: expected archive: key "g", got key "support-1"`},
		group("set: {groupID: closed}, expect: {notified: [archive]}"): {"notified: expected archive, got not notified"},
		group(refund + "answers: {risk: {refuse: {code: 7, message: m}}}, expect: {verdict: allow, asked: {risk: allow}}"): {
			`asked: expected risk: allow, got refuse 7 "m"`, `verdict: expected allow, got refuse (rule moderate: policy all: moderation allowed, risk refused (7 "m"))`},
		group("text: hello, expect: {code: 1, message: m, detail: d, decided_by: keep, took: 1s, verdict: refuse}"): {
			"verdict: expected refuse, got allow (no matching rule asks or refuses)", "code: expected 1, got 0", `message: expected "m", got ""`,
			`detail: expected "d", got ""`, `decided_by: expected "keep", got ""`, "took: expected 1s, got 0s"},
		group(refund + "answers: {risk: {answer: allow, after: 20ms}}, expect: {within: 10ms, asked: {risk: {attempts: 2}}}"): {
			"asked: expected risk: 2 attempts, got 1, allow", "within: expected 10ms, got 20ms"},
		`{name: t, callback: beforeMsgModify, answers: {moderation: {fields: {content: x, ex: f}}}, expect: {rules: mask, asked: moderation, fields: {ex: e, content: y, status: 1}}}`: {
			`fields: expected ex: "e", got "f"`,
			`fields: expected content: "y", got not set: content from moderation left out: it is not the text of a JSON object, and IMServer would refuse the message`,
			"fields: expected status: 1, got not set"},
		`{name: t, callback: beforeMsgModify, answers: {moderation: {fields: {ex: x}}}, expect: {rules: mask, asked: moderation, nothing_else: true}}`: {
			`fields: expected not ex, got "x"`},
	} {
		results := suiteOf(t, table, "  - "+test).Run(nil)
		var got []string
		for _, f := range results[0].Failures {
			got = append(got, f.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\nfailures (-want +got):\n%s", test, diff)
		}
	}
}

func TestUnplayable(t *testing.T) {
	set, _ := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(table)}}, rules.Options{})
	files := map[string]string{
		"d/two.jsonl":  `{"id":"a","command":"x","body":{}}` + "\n\n" + `{"id":"b","command":"x","body":{}}` + "\n",
		"d/none.jsonl": `{"id":"a","command":"x"}` + "\n",
		"d/bad.jsonl":  "{}\n{",
	}
	for test, want := range map[string]string{
		"recorded: away.jsonl":       "reading recorded callbacks: no d/away.jsonl",
		"recorded: two.jsonl":        "d/two.jsonl has 2 callbacks: say which by id",
		"recorded: two.jsonl, id: c": "d/two.jsonl has no callback c",
		"recorded: none.jsonl":       "d/none.jsonl has 0 callbacks: say which by id",
		"recorded: bad.jsonl":        `d/bad.jsonl:1: no "command": is it a line of callboard callbacks export?`,
		"callback: beforeSendGroupMsg, set: {contentType: Picture}, text: x": "a message of content type 102 has no readable text",
		"callback: beforeAddFriend, text: x":                                 "a message of content type 0 has no readable text",
	} {
		list, ds := rules.ReadTests([]rules.File{{Name: "d/a_test.yaml", Data: []byte("tests: [{name: t, " + test + ", expect: {verdict: allow}}]")}}, set)
		if list == nil {
			t.Fatal(ds)
		}
		s, found := New(set, list, router.Options{}, func(name string) ([]byte, error) {
			if text, ok := files[name]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("no " + name)
		})
		if s != nil || len(found) != 1 || found[0].Message != want || found[0].Line != 1 {
			t.Errorf("%s: found %v, want %q", test, found, want)
		}
	}
}

func TestCoverage(t *testing.T) {
	s := suiteOf(t, table, `
  - {name: closed, callback: beforeSendGroupMsg, set: {groupID: closed}, expect: {verdict: refuse}}
  - {name: open, callback: beforeSendGroupMsg, text: hello, expect: {verdict: allow}}
  - {name: refund, callback: beforeSendGroupMsg, text: refund, expect: {verdict: allow}}
`)
	coverage := NewCoverage()
	if failed := Failed(s.Run(coverage)); failed > 0 {
		t.Fatalf("%d failed", failed)
	}
	var got []string
	report := coverage.Report(s.Set)
	for i := range report {
		r := &report[i]
		line := fmt.Sprintf("%s %d:", r.Name, r.Matched)
		for _, p := range r.Parts {
			line += fmt.Sprintf(" [%s %d %d]", p.Text, p.True, p.False)
		}
		seen, all := r.Outcomes()
		got = append(got, fmt.Sprintf("%s %d/%d", line, seen, all))
	}
	want := []string{
		`closed 1: [groupID == "closed" && sendID != "admin" 1 2] [groupID == "closed" 1 2] [sendID != "admin" 3 0] 6/7`,
		`moderate 1: [text contains "refund" || contentType == Picture 2 1] [text contains "refund" 2 1] [contentType == Picture 0 3] 6/7`,
		"mask 0: 0/1",
		"broken 0: 0/3",
		"keep 2: 1/1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("coverage (-want +got):\n%s", diff)
	}
	var lines []string
	for _, d := range Uncovered(report, rules.NewPlaces([]rules.File{{Name: "rules.yaml", Data: []byte(table)}}, rules.Options{})) {
		lines = append(lines, d.String()+" ["+d.ID+"]")
	}
	want = []string{
		"rules.yaml:9:34: warning: this is false in no test [unseen-false]",
		"rules.yaml:15:37: warning: this is true in no test [unseen-true]",
		`rules.yaml:17:11: warning: rule "mask" matches in no test [unseen-match]`,
		`rules.yaml:20:11: warning: no test has a callback for rule "broken" [unseen-match]`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

const closed = `
rules:
  - name: closed
    callbacks: [beforeSendGroupMsg, beforeSendSingleMsg]
    when: groupID == "closed"
    reply: {refuse: {code: 20403, message: closed}}
  - {name: other, callbacks: [beforeAddFriend], reply: {refuse: {message: no}}}
`

func TestMutate(t *testing.T) {
	for tests, want := range map[string][]string{
		`
  - {name: closed, callback: beforeSendGroupMsg, set: {groupID: closed}, expect: {verdict: refuse}}
`: {"closed: without the callback beforeSendSingleMsg", "closed: another code", "other: it does not refuse", "other: another code"},
		`
  - {name: closed, callback: beforeSendGroupMsg, set: {groupID: closed}, expect: {verdict: refuse, code: 20403}}
  - {name: single, callback: beforeSendSingleMsg, expect: {rules: []}}
  - {name: friend, callback: beforeAddFriend, expect: {code: 20001}}
`: {"closed: without the callback beforeSendSingleMsg"},
	} {
		s := suiteOf(t, closed, tests)
		report := s.Mutate(0)
		var got []string
		for _, m := range report.Survivors {
			got = append(got, m.Rule.Name+": "+m.What)
		}
		if diff := cmp.Diff(want, got); diff != "" || report.Killed+len(got) != report.Tried {
			t.Errorf("%s\n%d of %d noticed; the others (-want +got):\n%s", tests, report.Killed, report.Tried, diff)
		}
		if failed := Failed(s.Run(nil)); failed > 0 {
			t.Errorf("after the changes %d tests fail: the rules were changed for good", failed)
		}
	}
}

func TestMutateSome(t *testing.T) {
	s := suiteOf(t, closed, "  - {name: closed, callback: beforeSendGroupMsg, expect: {verdict: allow}}")
	if r := s.Mutate(3); r.Tried != 3 || r.LeftOut == 0 {
		t.Errorf("tried %d, left out %d", r.Tried, r.LeftOut)
	}
}

func TestOnly(t *testing.T) {
	s := suiteOf(t, closed, `
  - {name: a closed group, callback: beforeSendGroupMsg, expect: {verdict: allow}}
  - {name: a friend, callback: beforeSendGroupMsg, expect: {verdict: allow}}
`)
	s.Only(regexp.MustCompile("closed$|group"))
	if len(s.Cases) != 1 || s.Cases[0].Name != "a closed group" {
		t.Errorf("%d cases are left", len(s.Cases))
	}
}

func TestJUnitIsXML(t *testing.T) {
	s := suiteOf(t, closed, `
  - {name: 'a <b> & "c"', callback: beforeSendGroupMsg, expect: {verdict: refuse, message: "]]>"}}
  - {name: fine, callback: beforeSendGroupMsg, expect: {verdict: allow}}
`)
	var b bytes.Buffer
	if err := WriteJUnit(&b, s.Run(nil)); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v:\n%s", err, &b)
	}
	if got.Tests != 2 || got.Failures != 1 || len(got.Suites) != 1 || got.Suites[0].Cases[0].Name != `a <b> & "c"` || got.Suites[0].Cases[1].Failure != nil {
		t.Errorf("read back: %+v", got)
	}
}

// Playing takes the same whatever runs beside it.
func TestRunIsSafe(t *testing.T) {
	var tests strings.Builder
	for i := range 200 {
		fmt.Fprintf(&tests, "  - {name: n%d, callback: beforeSendGroupMsg, text: refund, answers: {moderation: {answer: allow, after: %dms}}, expect: {took: %dms}}\n", i, i%90, i%90)
	}
	s := suiteOf(t, table, tests.String())
	coverage := NewCoverage()
	results := s.Run(coverage)
	if failed := Failed(results); failed > 0 {
		t.Errorf("%d failed", failed)
	}
	if !slices.IsSortedFunc(results, func(a, b Result) int { return a.Line - b.Line }) {
		t.Error("the results are not in the order of the tests")
	}
}
