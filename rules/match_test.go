package rules

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/openim"
)

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// callback decodes a callback with a body of the given fields: `"groupID": "g1"`.
func callback(t testing.TB, command, fields string) *openim.Callback {
	t.Helper()
	name := command
	if c, ok := openim.Lookup(command); ok {
		name = c.Name
	}
	body := fmt.Sprintf(`{"callbackCommand": %q`, name)
	if fields != "" {
		body += ", " + fields
	}
	cb, err := openim.Decode(openim.Request{Path: "/" + name, Body: []byte(body + "}")})
	if err != nil {
		t.Fatal(err)
	}
	return cb
}

func names(rules []*Rule) string {
	var names []string
	for _, r := range rules {
		names = append(names, r.Name)
	}
	return strings.Join(names, " ")
}

const matchRules = `
rules:
  - {name: log, reply: allow}
  - {name: vip, callbacks: beforeSendGroupMsg, when: 'sendID == "vip"', priority: 10, stop: true}
  - {name: support, callbacks: [beforeSendGroupMsg], when: 'groupID startsWith "support-"', reply: allow}
  - {name: last, priority: -1, callbacks: [beforeSendGroupMsg, beforeAddFriend, callbackBeforeTeleportCommand], reply: allow}
  - {name: teleport, priority: 1, callbacks: callbackBeforeTeleportCommand, reply: allow}
`

func TestMatch(t *testing.T) {
	set := load(t, text(matchRules))
	for name, c := range map[string]struct {
		command, fields, want string
	}{
		"every rule that matches takes part":   {"beforeSendGroupMsg", `"groupID": "support-1"`, "log support last"},
		"a rule whose condition is false not":  {"beforeSendGroupMsg", `"groupID": "family"`, "log last"},
		"stop ends matching":                   {"beforeSendGroupMsg", `"groupID": "support-1", "sendID": "vip"`, "vip"},
		"a field that is not sent is empty":    {"beforeSendGroupMsg", "", "log last"},
		"rules for all take all":               {"afterUserOnline", "", "log"},
		"rules for others not":                 {"beforeAddFriend", "", "log last"},
		"unknown commands meet who names them": {"callbackBeforeTeleportCommand", "", "teleport log last"},
		"unknown commands meet rules for all":  {"callbackBeforeSomethingElseCommand", "", "log"},
	} {
		plan := set.Match(callback(t, c.command, c.fields), noon)
		if got := names(plan.Matched); got != c.want || len(plan.Errors) > 0 {
			t.Errorf("%s: matched %q, want %q; errors %v", name, got, c.want, plan.Errors)
		}
	}
}

func TestMatchNothing(t *testing.T) {
	plan := load(t, text("rules: []")).Match(callback(t, "beforeSendGroupMsg", ""), noon)
	if diff := cmp.Diff(Plan{}, plan); diff != "" {
		t.Errorf("an empty table plans (-want +got):\n%s", diff)
	}
}

// A condition that fails is recorded, and on_error says whether the rule takes part.
func TestConditionsThatFail(t *testing.T) {
	set := load(t, text(`
rules:
  - {name: skips, callbacks: beforeSendGroupMsg, when: 'atUserList[3] == "u"', reply: allow}
  - {name: matches, callbacks: beforeSendGroupMsg, when: 'atUserList[3] == "u"', on_error: match, stop: true}
  - {name: behind, callbacks: beforeSendGroupMsg, reply: allow}
`))
	plan := set.Match(callback(t, "beforeSendGroupMsg", `"atUserList": []`), noon)
	if got := names(plan.Matched); got != "matches" {
		t.Errorf("matched %q, want the rule with on_error: match to match and stop", got)
	}
	var got []string
	for _, e := range plan.Errors {
		got = append(got, fmt.Sprint(e.Rule.Name, " ", e.Matched, " ", e.Err != nil))
	}
	if diff := cmp.Diff([]string{"skips false true", "matches true true"}, got); diff != "" {
		t.Errorf("errors differ (-want +got):\n%s", diff)
	}
}

func TestExplain(t *testing.T) {
	set := load(t, text(matchRules+`  - {name: broken, callbacks: beforeSendGroupMsg, when: 'atUserList[3] == "u"', reply: allow}`+"\n"))
	cb := callback(t, "beforeSendGroupMsg", `"groupID": "support-1", "sendID": "vip"`)
	var got []string
	for _, e := range set.Explain(cb, noon) {
		got = append(got, fmt.Sprintf("%s %t: %s", e.Rule.Name, e.Matched, e.Reason))
	}
	want := []string{
		"vip true: its condition is true",
		"teleport false: its callbacks do not include callbackBeforeSendGroupMsgCommand",
		"log false: stopped by vip; otherwise: it has no condition",
		"support false: stopped by vip; otherwise: its condition is true",
		"broken false: stopped by vip; otherwise: its condition failed, and on_error is skip",
		"last false: stopped by vip; otherwise: it has no condition",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("explanations differ (-want +got):\n%s", diff)
	}
}

// One table serves many callbacks at the same time; the race detector looks on.
func TestMatchConcurrently(t *testing.T) {
	set := load(t, text(matchRules))
	var callers sync.WaitGroup
	for range 4 {
		cb := callback(t, "beforeSendGroupMsg", `"groupID": "support-1"`)
		callers.Go(func() {
			for range 100 {
				if got := names(set.Match(cb, noon).Matched); got != "log support last" {
					t.Errorf("matched %q", got)
				}
			}
		})
	}
	callers.Wait()
}

// Explain and Match agree on every rule.
func TestExplainAgreesWithMatch(t *testing.T) {
	for name, files := range corpus(t, "ok") {
		set := load(t, files...)
		for _, command := range openim.Commands() {
			cb, err := openim.Decode(openim.Request{Path: "/" + command.Name, Body: openim.Sample(command)})
			if err != nil {
				t.Fatal(err)
			}
			matched := set.Match(cb, noon).Matched
			for _, e := range set.Explain(cb, noon) {
				if e.Matched != slices.Contains(matched, e.Rule) {
					t.Errorf("%s: %s: rule %s matches: %t, explained as %t (%s)", name, command.Short, e.Rule.Name, !e.Matched, e.Matched, e.Reason)
				}
			}
		}
	}
}

func TestExplanationsHideSecrets(t *testing.T) {
	set := load(t, text("rules: [{name: r, callbacks: beforeSendGroupMsg, when: 'groupID == \"${env:SECRET}\"', reply: allow}]"))
	e := set.Explain(callback(t, "beforeSendGroupMsg", `"groupID": "`+secretMark+`"`), noon)[0]
	shown := fmt.Sprint(e.Reason, e.Err, e.Parts)
	if !e.Matched || len(e.Parts) == 0 || strings.Contains(shown, secretMark) || !strings.Contains(shown, "${env:SECRET}") {
		t.Errorf("matched %t, shown: %s", e.Matched, shown)
	}
}

// benchRules are ten rules as teams write them.
const benchRules = `
sinks:
  moderation: {url: http://moderation.internal/}
  risk: {url: http://risk.internal/}
rules:
  - {name: support, callbacks: [beforeSendGroupMsg], when: 'groupID startsWith "support-" && contentType in [Text, AtText]', await: {sinks: moderation}}
  - {name: announcements, callbacks: [beforeSendGroupMsg], when: 'groupID == "announcements" && sendID not in ["admin1", "admin2"]', reply: {refuse: {message: no}}}
  - {name: vip, callbacks: [beforeSendGroupMsg, beforeSendSingleMsg], when: 'sendID in ["v1", "v2", "v3"]', await: {sinks: risk}}
  - {name: mentions, callbacks: [beforeSendGroupMsg], when: 'mentions("ops")', await: {sinks: risk}}
  - {name: words, callbacks: [beforeSendGroupMsg], when: 'text contains "refund"', await: {sinks: moderation}}
  - {name: pictures, callbacks: [beforeSendGroupMsg], when: 'contentType == Picture', await: {sinks: moderation}}
  - {name: phones, callbacks: [beforeSendGroupMsg], when: 'senderPlatformID in [1, 2] && groupID == "g7"', await: {sinks: risk}}
  - {name: long, callbacks: [beforeSendGroupMsg], when: 'len(content) > 5000', await: {sinks: risk}}
  - {name: friends, callbacks: [beforeAddFriend], when: 'toUserID == "u9"', await: {sinks: risk}}
  - {name: logins, callbacks: [afterUserOnline], when: 'userID == "u9"', await: {sinks: risk}}
`

// BenchmarkMatch10 matches a group message, decoded already, against ten rules of which one matches.
func BenchmarkMatch10(b *testing.B) {
	set := load(b, text(benchRules))
	cb := callback(b, "beforeSendGroupMsg", `"sendID": "u1", "groupID": "support-7", "contentType": 101, "senderPlatformID": 1,
		"content": "{\"content\":\"where is my order?\"}", "atUserList": ["u2", "u3"]`)
	if got := names(set.Match(cb, noon).Matched); got != "support" {
		b.Fatalf("matched %q", got)
	}
	b.ReportAllocs()
	for b.Loop() {
		set.Match(cb, noon)
	}
}
