package rules

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/openim"
)

const testedRules = `
sinks:
  moderation: {url: "http://moderation/"}
  archive: {url: "http://archive/"}
rules:
  - {name: moderate, callbacks: [beforeSendGroupMsg], await: {sinks: [moderation]}}
  - {name: keep, notify: [archive]}
`

var testedSet = sync.OnceValue(func() *Set {
	set, ds := Load([]File{{Name: "rules.yaml", Data: []byte(testedRules)}}, Options{})
	if set == nil {
		panic(ds)
	}
	return set
})

func readTests(t testing.TB, text string) ([]*Test, []string) {
	t.Helper()
	tests, ds := ReadTests([]File{{Name: "a_test.yaml", Data: []byte(text)}}, testedSet())
	var lines []string
	for _, d := range ds {
		lines = append(lines, strings.TrimPrefix(d.String(), "a_test.yaml:")+" ["+d.ID+"]")
		if d.Hint != "" {
			lines = append(lines, "  "+d.Hint)
		}
	}
	return tests, lines
}

func TestReadTests(t *testing.T) {
	tests, found := readTests(t, `
x-note: keys that begin with x- are for people
defaults:
  callback: beforeSendGroupMsg
  set: {groupID: g1, sendID: u1}
  at: "Sat 18:30 Asia/Shanghai"
  answers: {archive: 503}
  expect: {nothing_else: true}
tests:
  - name: one
    set: {groupID: g2, contentType: AtText, atUserList: [u1, u2], ex: null}
    without: [seq]
    text: "${not} a reference"
    source: prod
    query: a=b
    headers: {X-Tenant: t1}
    answers:
      moderation:
        - {refuse: {code: 20401, message: no, detail: word}, after: 30ms}
        - {fields: {content: x, n: 1}}
        - timeout
        - {status: 503, body: later, retry_after: 2}
        - {answer: abstain, after: 1s}
    expect:
      rules: [moderate, keep]
      asked: {moderation: {vote: refuse, attempts: 2}}
      notified: {archive: g2}
      not: {rules: keep, asked: archive, notified: [moderation]}
      verdict: refuse
      code: 20401
      message: no
      decided_by: moderate
      took: 30ms
      within: 1s
  - name: two
    at: 2026-03-04T05:06:07Z
    callback: callbackOfTheFuture
    each:
      - {name: first, set: {anything: 1}, expect: {verdict: allow}}
      - {name: second, recorded: calls.jsonl, id: cb-1, expect: {asked: []}}
`)
	if found != nil {
		t.Fatalf("found %q", found)
	}
	raw := func(name, value string) openim.FieldValue { return openim.FieldValue{Name: name, Raw: []byte(value)} }
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	group, _ := openim.Lookup("beforeSendGroupMsg")
	archive := []TestAnswer{{Status: 503}}
	want := []*Test{
		{
			Name: "one", File: "a_test.yaml", Line: 10, Command: group, Callback: group.Name,
			Set:     []openim.FieldValue{raw("groupID", `"g2"`), raw("sendID", `"u1"`), raw("contentType", "106"), raw("atUserList", `["u1","u2"]`), raw("ex", "null")},
			Without: []string{"seq"}, Text: new("${not} a reference"), Source: "prod", Query: "a=b", Headers: map[string]string{"X-Tenant": "t1"},
			At: time.Date(2026, 1, 3, 18, 30, 0, 0, shanghai),
			Answers: map[string][]TestAnswer{"archive": archive, "moderation": {
				{Vote: openim.Refuse, Code: 20401, Message: "no", Detail: "word", After: 30 * time.Millisecond},
				{Vote: openim.Allow, Fields: []openim.FieldValue{raw("content", `"x"`), raw("n", "1")}},
				{Fails: TimesOut},
				{Status: 503, Body: new("later"), RetryAfter: "2"},
				{Vote: openim.Abstain, After: time.Second},
			}},
			Expect: Expectation{
				Rules: []string{"moderate", "keep"}, Asked: []ExpectedVote{{"moderation", "refuse", 2}}, Notified: []ExpectedNotice{{"archive", new("g2")}},
				NotRules: []string{"keep"}, NotAsked: []string{"archive"}, NotNotified: []string{"moderation"}, NothingElse: true,
				Verdict: "refuse", Code: new(int32(20401)), Message: new("no"), DecidedBy: new("moderate"), Took: new(30 * time.Millisecond), Within: time.Second,
			},
		},
		{
			Name: "two: first", File: "a_test.yaml", Line: 39, Callback: "callbackOfTheFuture", At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
			Set:     []openim.FieldValue{raw("groupID", `"g1"`), raw("sendID", `"u1"`), raw("anything", "1")},
			Answers: map[string][]TestAnswer{"archive": archive}, Expect: Expectation{NothingElse: true, Verdict: "allow"},
		},
		{
			Name: "two: second", File: "a_test.yaml", Line: 40, Callback: "callbackOfTheFuture", Recorded: "calls.jsonl", RecordID: "cb-1", At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
			Set:     []openim.FieldValue{raw("groupID", `"g1"`), raw("sendID", `"u1"`)},
			Answers: map[string][]TestAnswer{"archive": archive}, Expect: Expectation{NothingElse: true, Asked: []ExpectedVote{}},
		},
	}
	if diff := cmp.Diff(want, tests, cmp.FilterPath(func(p cmp.Path) bool {
		switch p.Last().String() {
		case ".sinkAt", ".ruleAt", ".from":
			return true
		}
		return false
	}, cmp.Ignore()), cmp.Comparer(func(a, b *openim.Command) bool { return a == b })); diff != "" {
		t.Errorf("tests differ (-want +got):\n%s", diff)
	}
}

// badTests are files of tests and what is wrong with them.
func badTests() map[string][]string {
	test := func(rest string) string { return "tests:\n  - name: t\n    callback: beforeSendGroupMsg\n" + rest }
	const allow = "    expect: {verdict: allow}\n"
	return map[string][]string{
		"":             {" the file is empty [empty-file]"},
		"defaults: {}": {" the file has no tests [missing-key]", "  as in `tests: [{name: …, callback: …, expect: {…}}]`"},
		"tests: []":    {"1:8: tests names none [empty-list]"},
		"tests: [{expect: {verdict: allow}, callback: beforeSendGroupMsg}]": {
			"1:9: this test has no name [missing-key]", "  a sentence that says what is to happen"},
		"tests: [{name: t, expect: {verdict: allow}}]": {
			"1:10: this test has no callback [missing-key]", "  as in `callback: beforeSendGroupMsg`, or `recorded: calls.jsonl`"},
		"tests: [{name: t, callback: beforeSendGrupMsg, expect: {verdict: allow}}]": {
			`1:29: unknown callback "beforeSendGrupMsg" [unknown-callback]`, "  did you mean beforeSendGroupMsg?"},
		test(""): {"2:5: this test expects nothing [missing-key]", "  as in `expect: {verdict: allow}`"},
		test("    set: {gruopID: x}\n" + allow): {
			`4:11: beforeSendGroupMsg has no field "gruopID" [unknown-field]`, `  did you mean "groupID"?`},
		test("    set: {contentType: text}\n" + allow): {
			`4:24: contentType is a whole number, not "text" [wrong-type]`, "  decimal digits, without a leading zero"},
		test("    answers: {moderatoin: allow}\n" + allow): {
			`4:15: there is no sink "moderatoin" in these rules [unknown-sink]`, `  did you mean "moderation"?`},
		test("    answers: {moderation: maybe}\n" + allow): {
			`4:27: an answer cannot be "maybe" [unknown-word]`, "  one of: allow, refuse, abstain, timeout, unreachable, reset"},
		test("    answers: {moderation: {refuse: {code: 1}, status: 200}}\n" + allow): {
			"4:47: status does not go with refuse [test-without-effect]"},
		test("    answers: {moderation: {answer: allow, refuse: {code: 1}}}\n" + allow): {
			"4:27: the keys of this answer contradict each other [test-without-effect]"},
		test("    expect: {rules: [moderte], notified: {archve: x}}\n"): {
			`4:22: there is no rule "moderte" in these rules [unknown-rule]`, `  did you mean "moderate"?`,
			`4:43: there is no sink "archve" in these rules [unknown-sink]`, `  did you mean "archive"?`},
		test("    expect: {verdict: allow, code: 1}\n"): {"2:5: this test expects an allow, and what only a refusal has [test-without-effect]", "  an allow has neither code nor message"},
		test("    at: noon\n" + allow):                  {`4:9: at is a time, not "noon" [wrong-type]`, "  " + timeHint},
		test("    id: cb-1\n" + allow):                  {"2:5: id names a recorded callback, but no file of them is given [missing-key]", "  as in `recorded: calls.jsonl`"},
		test("    expect: {fields: {nope: 1}}\n"): {
			`4:23: beforeSendGroupMsg has no reply field "nope" [reply-field]`, "  callboard commands beforeSendGroupMsg lists them"},
		test("    each: [{name: a, each: []}]\n"): {"4:22: each cannot stand within each [unknown-key]"},
		test(allow + "  - {name: t, callback: beforeSendGroupMsg, expect: {verdict: allow}}\n"): {
			`5:1: test "t" is already on line 2 [duplicate-test]`},
	}
}

func TestBadTests(t *testing.T) {
	for text, want := range badTests() {
		tests, got := readTests(t, text)
		if diff := cmp.Diff(want, got); diff != "" || tests != nil {
			t.Errorf("%s\nfindings (-want +got):\n%s", text, diff)
		}
	}
}

func TestReadTestTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-31T18:30:00+08:00": "2026-01-31T18:30:00+08:00",
		"18:30":                     "2026-01-01T18:30:00Z",
		"18:30:15":                  "2026-01-01T18:30:15Z",
		"18:30 Asia/Shanghai":       "2026-01-01T18:30:00+08:00",
		"Thu 00:00":                 "2026-01-01T00:00:00Z",
		"Wednesday 09:00 UTC":       "2026-01-07T09:00:00Z",
		"25:00":                     "", "Foo 18:30": "", "18:30 Nowhere/Land": "", "18:30 UTC more": "", "": "",
	} {
		got, ok := readTestTime(text)
		if ok != (want != "") || ok && got.Format(time.RFC3339) != want {
			t.Errorf("readTestTime(%q) = %s, %t, want %q", text, got.Format(time.RFC3339), ok, want)
		}
	}
}

// Whatever a file of tests holds, reading it ends, and says what is wrong where no test comes of it.
func FuzzReadTests(f *testing.F) {
	f.Add("tests: [{name: t, callback: beforeSendGroupMsg, answers: {moderation: [allow, {after: 1s}]}, expect: {asked: {moderation: allow}}}]")
	f.Add("defaults: &d {set: {<<: *d}}\ntests:\n  - name: t\n    each: [{name: x}]")
	f.Fuzz(func(t *testing.T, text string) {
		tests, found := readTests(t, text)
		if len(tests) == 0 && len(found) == 0 {
			t.Errorf("nothing came of %q, and nothing was wrong", text)
		}
	})
}

// What a test inherits need not fit its callback; what it says itself must.
func TestInheritedFields(t *testing.T) {
	tests, found := readTests(t, `
defaults: {set: {groupID: g1, userID: u1}, expect: {verdict: allow}}
tests:
  - {name: group, callback: beforeSendGroupMsg}
  - name: rows
    callback: beforeSendGroupMsg
    set: {sendID: u1}
    each:
      - {name: online, callback: afterUserOnline}
      - {name: wrong, callback: afterUserOnline, set: {sendID: u1}}
`)
	if want := []string{`10:56: afterUserOnline has no field "sendID" [unknown-field]`}; tests != nil || !cmp.Equal(want, found[:1]) {
		t.Errorf("found %q, want %q", found, want)
	}
}
