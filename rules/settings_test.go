package rules

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/openim"
)

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

func TestDeliverySettings(t *testing.T) {
	const file = "notify.yaml"
	set := okCase(t, "notify")
	archived := secretMark + "-of-the-archive"
	want := []*Sink{
		{
			Name: "archive", File: file, Line: 6, URL: "http://archive.internal/im", Hedge: 50 * time.Millisecond, Attempts: 3,
			Backoff: time.Second, MaxBackoff: 2 * time.Hour, RetryFor: 720 * time.Hour,
			OrderBy: "groupID", OnStuck: DeadLetter, Rate: 0.5, NeedsReply: true,
			Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", archived},
			Breaker: Breaker{Failures: 5, Delay: 10 * time.Second, MaxDelay: 10 * time.Minute},
		},
		{
			Name: "audit", File: file, Line: 14, URL: "http://audit.internal/", Hedge: 50 * time.Millisecond, Attempts: 3, Timeout: 2 * time.Second,
			OrderBy: "sessionType == SingleChat ? sendID : groupID", StuckLimit: 50, Rate: 0.5,
			Secrets: []string{archived}, Breaker: Breaker{Off: true}, Batch: Batch{Max: 100, Wait: 50 * time.Millisecond},
		},
		{
			Name: "search", File: file, Line: 21, URL: "http://search.internal/", Hedge: 50 * time.Millisecond, Attempts: 3,
			Secrets: []string{archived},
			Batch:   Batch{Max: 250, MaxBytes: 512 << 10, Wait: 200 * time.Millisecond, Format: NDJSON, Item: Envelope},
		},
	}
	if diff := cmp.Diff(want, set.Sinks); diff != "" {
		t.Errorf("sinks differ (-want +got):\n%s", diff)
	}
	var got []string
	for _, r := range set.Rules {
		got = append(got, r.Name+": "+strings.Join(r.Notify, " "))
	}
	if diff := cmp.Diff([]string{"keep: archive", "more: audit search archive", "asked: archive", "nobody: "}, got); diff != "" {
		t.Errorf("who is notified differs (-want +got):\n%s", diff)
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]float64{
		"500/s": 500, "30/m": 0.5, "10/h": 10.0 / 3600, "1/h": 1.0 / 3600, "0.25/s": 0.25, "1.5/m": 0.025, "100000/s": 100_000,
		"0/s": 0, "0.9/h": 0, "100001/s": 0, "-1/s": 0, "5": 0, "5/d": 0, "5 /s": 0, "/s": 0, "1e3/s": 0, ".5/s": 0, "5/S": 0, "9" + strings.Repeat("9", 400) + "/s": 0,
	} {
		set, found := Load([]File{{"f.yaml", []byte("sinks: {s: {url: 'http://s', rate: '" + text + "'}}\nrules: [{name: r, notify: s}]")}}, Options{})
		switch {
		case want == 0 && set != nil:
			t.Errorf("%.20s is a rate: %v", text, set.Sinks[0].Rate)
		case want != 0 && (set == nil || set.Sinks[0].Rate != want):
			t.Errorf("%s is no rate of %v: %v", text, want, found)
		}
	}
}

func TestSecrets(t *testing.T) {
	for secret, want := range map[string]bool{
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw":       true,
		"whsec_" + strings.Repeat("A", 88):             true,
		"whsec_" + strings.Repeat("A", 20) + "AA==":    true, // 16 bytes
		"whsec_" + strings.Repeat("A", 20):             false,
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS-":       false, // of URLs
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa":         false, // padding
		"correct horse battery":                        true,
		"fifteen bytes!!":                              false,
		"sixteen bytes!!!":                             true,
		"whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAAAAAAA": false,
		"line break at its end\n":                      false,
		"":                                             false,
	} {
		if wrong, hint := secretProblem(secret); (wrong == "") != want {
			t.Errorf("%q is a secret: %t, want %t (%s; %s)", secret, wrong == "", want, wrong, hint)
		}
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

// A rule waits for a command that the catalogue lacks under its wire name.
func TestUnknownWireNames(t *testing.T) {
	r := load(t, text("rules: [{name: r, callbacks: [callbackBeforeTeleportCommand, afterUserOnline], when: 'userID == \"u1\"', reply: allow}]")).Rules[0]
	if !slices.Equal(r.Unknown, []string{"callbackBeforeTeleportCommand"}) || !slices.Equal(shortNames(r.Callbacks), []string{"afterUserOnline"}) {
		t.Errorf("callbacks %v, unknown %v", shortNames(r.Callbacks), r.Unknown)
	}
}
