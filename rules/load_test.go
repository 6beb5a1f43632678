package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/internal/diag"
	"callboard/openim"
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

func TestSinkSettings(t *testing.T) {
	got := okCase(t, "sink-with-everything").Sinks[0]
	want := &Sink{
		Name: "moderation", Description: "The house rules as a service.", File: "sink-with-everything.yaml", Line: 2,
		URL:     "https://moderation.internal:8443/{source}/{command}?tenant=acme",
		Timeout: 400 * time.Millisecond, Hedge: 80 * time.Millisecond,
		Attempts: 3, Backoff: 20 * time.Millisecond, MaxBackoff: 200 * time.Millisecond,
		Concurrency: 128, MaxAnswer: 64 << 10,
		Headers: map[string]string{
			"Authorization": "Bearer " + secretMark, "X-Tenant": "acme", "X-Region": "eu-1", "x-price": "5${each}",
		},
		TLS: TLS{
			CA: "/etc/callboard/ca.pem", Cert: "/etc/callboard/client.pem", Key: "/etc/callboard/client.key",
			ServerName: "moderation.example",
		},
		Dialect: openim.DialectV2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sink differs (-want +got):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	set := okCase(t, "defaults")
	no := false
	common := Await{Policy: Policy{Kind: Majority}, Deadline: 800 * time.Millisecond, Merge: MergeRefuse, Linger: &no}

	inherits := set.Rules[0]
	if inherits.Name != "from-defaults" || inherits.Priority != 10 || !inherits.MatchOnErr {
		t.Errorf("rule %q has priority %d and on_error match %t", inherits.Name, inherits.Priority, inherits.MatchOnErr)
	}
	if got := shortNames(inherits.Callbacks); !slices.Equal(got, []string{"beforeSendGroupMsg", "beforeSendSingleMsg"}) {
		t.Errorf("callbacks of defaults: %v", got)
	}
	want := common
	want.Sinks = []string{"a", "b", "c"}
	want.OnFailure = map[string]openim.Vote{"a": openim.Abstain, "b": openim.Abstain, "c": openim.Refuse}
	if diff := cmp.Diff(&want, inherits.Await); diff != "" {
		t.Errorf("await of defaults differs (-want +got):\n%s", diff)
	}

	own := set.Rules[1]
	if got := shortNames(own.Callbacks); own.Priority != -5 || !slices.Equal(got, []string{"beforeAddFriend"}) {
		t.Errorf("its own: priority %d, callbacks %v", own.Priority, got)
	}
	want = common
	want.Sinks, want.Policy = []string{"a", "c"}, Policy{Kind: Any}
	want.OnFailure = map[string]openim.Vote{"a": openim.Abstain, "c": openim.Allow}
	if diff := cmp.Diff(&want, own.Await); diff != "" {
		t.Errorf("its own await differs (-want +got):\n%s", diff)
	}

	a, b := set.Sinks[0], set.Sinks[1]
	if a.Timeout != 300*time.Millisecond || b.Timeout != 500*time.Millisecond || b.Concurrency != 32 || b.Attempts != 1 {
		t.Errorf("sinks: %+v, %+v", a, b)
	}
	if diff := cmp.Diff([]map[string]string{{"X-Tenant": "acme"}, {"x-tenant": "other"}}, []map[string]string{a.Headers, b.Headers}); diff != "" {
		t.Errorf("headers differ (-want +got):\n%s", diff)
	}
}

// The word nearest to the vote counts: of the await on the sink, of the await, of the sink, of defaults.
func TestWhatFailedVotesCountAs(t *testing.T) {
	const allow, refuse, abstain, phase = openim.Allow, openim.Refuse, openim.Abstain, openim.Failed
	for name, c := range map[string]struct {
		defaults, sink, await string
		want                  openim.Vote
	}{
		"nobody says anything":               {"", "", "", phase},
		"defaults alone":                     {"refuse", "", "", refuse},
		"defaults on the sink":               {"{s: abstain}", "", "", abstain},
		"the sink over defaults":             {"{s: refuse}", "abstain", "", abstain},
		"the await over the sink":            {"refuse", "abstain", "allow", allow},
		"the await on the sink over all":     {"refuse", "abstain", "{s: allow}", allow},
		"the await on another sink is empty": {"", "abstain", "{o: allow}", abstain},
	} {
		file := "defaults: {rules: {await: {" + say("on_failure", c.defaults) + "}}}\n" +
			"sinks: {s: {url: 'http://s', " + say("on_failure", c.sink) + "}, o: {url: 'http://o'}}\n" +
			"rules: [{name: r, await: {sinks: [s, o], " + say("on_failure", c.await) + "}}]\n"
		got := load(t, text(file)).Rules[0].Await.OnFailure["s"]
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func say(key, value string) string {
	if value == "" {
		return ""
	}
	return key + ": " + value
}

func TestPolicies(t *testing.T) {
	for name, want := range map[string]Policy{
		"policy-any": {Kind: Any}, "policy-majority": {Kind: Majority}, "policy-first": {Kind: First},
		"policy-quorum": {Kind: Quorum, N: 2}, "policy-primary": {Kind: Primary, Primary: "moderation"}, "await-one-sink": {},
	} {
		if got := okCase(t, name).Rules[0].Await.Policy; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestReplies(t *testing.T) {
	set := okCase(t, "reply-fields")
	var got []string
	for _, r := range set.Rules {
		for _, f := range r.Reply.Fields {
			got = append(got, f.Name+" "+string(f.Raw))
		}
	}
	want := []string{
		`content "{\"content\":\"****\"}"`,
		`groupName "012"`,
		`needVerification 2`,
		`userIDList ["u1","u2"]`,
		`offlinePushInfo {"title":"New message","desc":""}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields differ (-want +got):\n%s", diff)
	}

	refusal := okCase(t, "merge-keys").Rules[1].Reply
	want1 := &Reply{Refuse: true, Code: 20410, Message: "Quiet hours", Detail: "22 to 6 o'clock"}
	if diff := cmp.Diff(want1, refusal); diff != "" {
		t.Errorf("refusal differs (-want +got):\n%s", diff)
	}
	if got := okCase(t, "merge-keys").Rules[0].Reply.Code; got != openim.DefaultRefusalCode {
		t.Errorf("a refusal without a code has %d, want %d", got, openim.DefaultRefusalCode)
	}
}

func TestMergeKeys(t *testing.T) {
	r := okCase(t, "merge-keys").Rules[1]
	if r.Name != "quiet-hours" || r.Priority != 1 || r.Description != "quiet hours" || len(r.Callbacks) != 1 {
		t.Errorf("of two bases the first must count, and the second fill up: %+v", r)
	}
}

func TestConditionsAreReadAsYAMLWritesThem(t *testing.T) {
	want := map[string]string{
		"plain":         `groupID == "g1"`,
		"single-quoted": `"u1" in atUserList && text != ''`,
		"double-quoted": `text contains "a: b" || groupID == "café"`,
		"literal":       "contentType == Text\n  && sessionType == ReadGroupChat",
		"folded":        `groupID == "g1" && any(atUserList, # startsWith "vip-")`,
		"over-lines":    `groupID == "g1" && sendID != "u1"`,
	}
	for _, r := range okCase(t, "conditions").Rules {
		if r.When != want[r.Name] {
			t.Errorf("%s: %q, want %q", r.Name, r.When, want[r.Name])
		}
	}
}

func TestReferencesStaySecret(t *testing.T) {
	set := okCase(t, "substitution")
	if want := "https://callboard:" + secretMark + "@moderation.internal/check"; set.Sinks[0].URL != want {
		t.Errorf("url %q, want %q", set.Sinks[0].URL, want)
	}
	if got := set.Sinks[0]; got.Timeout != 250*time.Millisecond || got.Concurrency != 8 {
		t.Errorf("defaults of references: %v, %d", got.Timeout, got.Concurrency)
	}
	if want := `groupID startsWith "${env:TENANT}-" && text != "$${env:TENANT}"`; set.Rules[0].When != want {
		t.Errorf("when %q, want it as written: %q", set.Rules[0].When, want)
	}
	if want := `groupID startsWith "acme-" && text != "${env:TENANT}"`; set.Rules[0].cond.Source() != want {
		t.Errorf("compiled %q, want %q", set.Rules[0].cond.Source(), want)
	}
}

func TestRevision(t *testing.T) {
	file := text("sinks: {s: {url: 'http://s', headers: {A: '${file:/a}', B: '${env:B}'}}}\nrules: [{name: r, await: {sinks: s}}]\n")
	revision := func(f File, a, b string) string {
		set, found := Load([]File{f}, Options{
			ReadFile:  func(string) ([]byte, error) { return []byte(a), nil },
			LookupEnv: func(string) (string, bool) { return b, true },
		})
		if set == nil {
			t.Fatal(found)
		}
		return set.Revision
	}
	base := revision(file, "1", "2")
	if len(base) != 12 || strings.Trim(base, "0123456789abcdef") != "" {
		t.Errorf("revision %q is not 12 hex digits", base)
	}
	if base != revision(file, "1", "2") {
		t.Error("the same files have two revisions")
	}
	other := File{Name: file.Name, Data: append(slices.Clone(file.Data), '\n')}
	renamed := File{Name: "other.yaml", Data: file.Data}
	for what, got := range map[string]string{
		"contents": revision(other, "1", "2"), "name": revision(renamed, "1", "2"),
		"a file's secret": revision(file, "3", "2"), "a variable": revision(file, "1", "3"),
	} {
		if got == base {
			t.Errorf("another %s has the same revision", what)
		}
	}
}

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

func TestRealEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("from file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CALLBOARD_TEST", "from environment")
	set, found := Load([]File{text("sinks: {s: {url: 'http://s', headers: {A: '${env:CALLBOARD_TEST}', B: '${file:" + path + "}'}}}\nrules: [{name: r, await: {sinks: s}}]")}, Options{})
	if set == nil {
		t.Fatal(found)
	}
	if diff := cmp.Diff(map[string]string{"A": "from environment", "B": "from file"}, set.Sinks[0].Headers); diff != "" {
		t.Errorf("headers differ (-want +got):\n%s", diff)
	}
}

// The files of the documentation load, apart from what durable delivery will bring.
func TestDeliveryKeysAreNotAvailableYet(t *testing.T) {
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
	_, found := Load([]File{file}, corpusOptions)
	for _, d := range found {
		if d.ID != idNotYet {
			t.Errorf("unexpected: %s", d)
		}
	}
	if len(found) != 5 {
		t.Errorf("%d findings, want one each for order_by, rate, for, secret, notify", len(found))
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

// A rule waits for a command that the catalogue lacks under its wire name.
func TestUnknownWireNames(t *testing.T) {
	r := load(t, text("rules: [{name: r, callbacks: [callbackBeforeTeleportCommand, afterUserOnline], when: 'userID == \"u1\"', reply: allow}]")).Rules[0]
	if !slices.Equal(r.Unknown, []string{"callbackBeforeTeleportCommand"}) || !slices.Equal(shortNames(r.Callbacks), []string{"afterUserOnline"}) {
		t.Errorf("callbacks %v, unknown %v", shortNames(r.Callbacks), r.Unknown)
	}
}

// FuzzLoad: no input makes Load panic, every finding stands in its file, and no secret shows.
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
			t.Skip()
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
	})
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
	if d.Line > len(lines.lines) || d.Col < 1 || d.EndCol <= d.Col || d.ID != idEncoding && d.Col > len(lines.line(d.Line))+1 {
		t.Errorf("a finding outside of the file: %+v", d)
	}
}
