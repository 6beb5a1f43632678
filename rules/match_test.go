package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/openim"
	"callboard/rules/when"
)

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// callback decodes a callback with a body of the given fields: `"groupID": "g1"`.
func callback(t testing.TB, command, fields string) *openim.Callback {
	t.Helper()
	name := command
	if c, ok := openim.Lookup(command); ok && !slices.Contains(c.Older, command) {
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
  - {name: today, callbacks: beforeMsgModify, when: 'command == "callbackMsgModifyCommand" && command == "beforeMsgModify"', reply: allow}
  - {name: older, callbacks: callbackMsgModifyCommand, reply: allow}
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
		"older wire names meet today's rules":  {"callbackMsgModifyCommand", "", "log today older"},
		"today's wire names meet older rules":  {"callbackBeforeMsgModifyCommand", "", "log today older"},
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
		"today false: its callbacks do not include callbackBeforeSendGroupMsgCommand",
		"older false: its callbacks do not include callbackBeforeSendGroupMsgCommand",
		"broken false: stopped by vip; otherwise: its condition failed, and on_error is skip",
		"last false: stopped by vip; otherwise: it has no condition",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("explanations differ (-want +got):\n%s", diff)
	}
}

// One table serves many callbacks at the same time, and none sees what is in another; the race detector looks on.
func TestMatchConcurrently(t *testing.T) {
	const callers = 4
	var file strings.Builder
	file.WriteString("rules:\n  - {name: all, reply: allow}\n")
	for i := range callers {
		fmt.Fprintf(&file, "  - {name: r%d, callbacks: beforeSendGroupMsg, reply: allow, when: "+
			"'groupID == \"g%d\" && text == \"t%d\" && data.n == %d && mentions(\"u%d\") && json(ex).n == %d && raw.extra == %d'}\n", i, i, i, i, i, i, i)
	}
	set := load(t, text(file.String()))
	var calling sync.WaitGroup
	for i := range callers {
		calling.Go(func() {
			fields := fmt.Sprintf(`"groupID": "g%d", "contentType": 101, "content": "{\"content\":\"t%d\",\"n\":%d}", "atUserList": ["u%d"], `+
				`"ex": "{\"n\":%d}", "extra": %d`, i, i, i, i, i, i)
			for range 200 {
				cb, err := openim.Decode(openim.Request{Path: "/callbackBeforeSendGroupMsgCommand", Body: []byte("{" + fields + "}")})
				if err != nil {
					t.Error(err)
					return
				}
				plan := set.Match(cb, noon)
				if got, want := names(plan.Matched), fmt.Sprintf("all r%d", i); got != want || len(plan.Errors) > 0 {
					t.Errorf("matched %q, want %q; errors %v", got, want, plan.Errors)
				}
			}
		})
	}
	calling.Wait()
}

// However many rules look into long lists, a callback ends: what is beyond the budget fails and is recorded,
// what costs nothing goes on.
func TestManyCostlyRulesShareABudget(t *testing.T) {
	const costly = 100
	var file strings.Builder
	file.WriteString("rules:\n")
	for i := range costly {
		fmt.Fprintf(&file, "  - {name: r%d, callbacks: beforeSendGroupMsg, when: 'any(atUserList, any(atUserList, # == \"%d\"))', reply: allow}\n", i, i)
	}
	file.WriteString("  - {name: cheap, callbacks: beforeSendGroupMsg, when: 'groupID == \"g1\"', reply: allow}\n")
	file.WriteString("  - {name: guard, callbacks: beforeSendGroupMsg, when: 'all(atUserList, # != \"\")', on_error: match, reply: allow}\n")
	mentioned := strings.TrimSuffix(strings.Repeat(`"u1",`, 10_000), ",")
	cb := callback(t, "beforeSendGroupMsg", `"groupID": "g1", "atUserList": [`+mentioned+`]`)
	plan := load(t, text(file.String())).Match(cb, noon)
	if got := names(plan.Matched); got != "cheap guard" || len(plan.Errors) != costly+1 {
		t.Errorf("matched %q with %d errors, want cheap and, for its on_error, guard; %d errors", got, len(plan.Errors), costly+1)
	}
	for _, e := range plan.Errors {
		if !errors.Is(e.Err, when.ErrBudget) {
			t.Errorf("rule %s: %v, want it out of its budget", e.Rule.Name, e.Err)
		}
	}
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

// A variable shows its value, which may have escapes and be too long to be shown whole.
func TestExplanationsHideLongAndQuotedSecrets(t *testing.T) {
	for value, part := range map[string]string{`quo\"ted`: "ted", strings.Repeat("long", 100): "ong", "short": "hort"} {
		options := corpusOptions
		options.LookupEnv = func(string) (string, bool) { return value, true }
		set, found := Load([]File{text(`rules: [{name: r, when: 'let k = "prefix-${env:S}"; source == k', reply: allow}]`)}, options)
		if set == nil {
			t.Fatal(found)
		}
		shown := fmt.Sprint(set.Explain(callback(t, "beforeSendGroupMsg", ""), noon)[0].Parts)
		if strings.Contains(shown, part) || !strings.Contains(shown, "prefix-${env:S}") {
			t.Errorf("of %q is shown: %s", value, shown)
		}
	}
}
