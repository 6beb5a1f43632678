package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/openim"
)

// notices writes a plan's notices as "sink(key): rule rule".
func notices(plan Plan) []string {
	var list []string
	for _, n := range plan.Notify {
		list = append(list, fmt.Sprintf("%s(%s): %s", n.Sink.Name, n.Key, strings.Join(n.Rules, " ")))
	}
	return list
}

const notifyRules = `
sinks:
  archive: {url: 'http://archive/', order_by: groupID}
  audit: {url: 'http://audit/'}
  search: {url: 'http://search/', order_by: 'sessionType == 1 ? sendID : seq'}
  push: {url: 'http://push/', order_by: 'data.to'}
rules:
  - {name: keep, callbacks: [beforeSendGroupMsg], notify: [audit, archive]}
  - {name: vip, callbacks: [beforeSendGroupMsg], when: 'sendID == "vip"', notify: archive, stop: true, priority: 1}
  - {name: index, callbacks: [beforeSendGroupMsg, afterSendGroupMsg], when: 'contentType == Text', notify: [search, archive]}
  - {name: push, callbacks: [beforeSendSingleMsg], notify: push}
  - {name: friends, callbacks: [beforeAddFriend], reply: allow}
`

func TestPlansWhomToNotify(t *testing.T) {
	set := load(t, text(notifyRules))
	for name, c := range map[string]struct {
		command, fields string
		want            []string
	}{
		"each sink once, in the order of rules and lists": {"beforeSendGroupMsg", `"groupID": "g1", "contentType": 101, "sessionType": 3, "seq": 7`,
			[]string{"audit(): keep", "archive(g1): keep index", "search(7): index"}},
		"a rule that does not match notifies nobody":      {"afterSendGroupMsg", `"groupID": "g1"`, nil},
		"a rule behind one that stopped notifies nobody":  {"beforeSendGroupMsg", `"groupID": "g1", "sendID": "vip"`, []string{"archive(g1): vip"}},
		"a field that was not sent gives no order":        {"beforeSendGroupMsg", "", []string{"audit(): keep", "archive(): keep"}},
		"a missing member gives no order":                 {"beforeSendSingleMsg", `"content": "{}"`, []string{"push(): push"}},
		"a member may be a number":                        {"beforeSendSingleMsg", `"content": "{\"to\": 1.50}"`, []string{"push(1.5): push"}},
		"a member may be a boolean":                       {"beforeSendSingleMsg", `"content": "{\"to\": false}"`, []string{"push(false): push"}},
		"rules without notify notify nobody":              {"beforeAddFriend", "", nil},
		"commands that no rule is for have nothing to do": {"afterUserOnline", "", nil},
	} {
		plan := set.Match(callback(t, c.command, c.fields), noon)
		if diff := cmp.Diff(c.want, notices(plan)); diff != "" || len(plan.Notes) > 0 {
			t.Errorf("%s: notices differ (-want +got):\n%s\nnotes %q", name, diff, plan.Notes)
		}
	}
}

// A delivery whose key cannot be told goes out without order, and the plan says why.
func TestKeysThatFail(t *testing.T) {
	set := load(t, text(`
sinks: {a: {url: 'http://a', order_by: data}, b: {url: 'http://b', order_by: 'int(content)'}}
rules: [{name: r, callbacks: [beforeSendGroupMsg], notify: [a, b]}]
`))
	plan := set.Match(callback(t, "beforeSendGroupMsg", `"content": "{\"secret\": 1}"`), noon)
	if diff := cmp.Diff([]string{"a(): r", "b(): r"}, notices(plan)); diff != "" {
		t.Errorf("notices differ (-want +got):\n%s", diff)
	}
	want := []string{
		"the delivery to a has no order: its order_by failed: an object cannot be read as a key",
		"the delivery to b has no order: its order_by failed: this text cannot be read as an integer",
	}
	if diff := cmp.Diff(want, plan.Notes); diff != "" {
		t.Errorf("notes differ (-want +got):\n%s", diff)
	}
}

// A command that nobody knows may carry any field, so a rule for one may have its callbacks in any order.
func TestOrderOfUnknownCommands(t *testing.T) {
	set := load(t, text(`
sinks: {a: {url: 'http://a', order_by: groupID}}
rules: [{name: r, callbacks: [afterUserOnline, callbackTeleportCommand], notify: a}]
`))
	plan := set.Match(callback(t, "callbackTeleportCommand", `"groupID": "g1"`), noon)
	if diff := cmp.Diff([]string{"a(g1): r"}, notices(plan)); diff != "" {
		t.Errorf("notices differ (-want +got):\n%s", diff)
	}
}

// Whatever a sender writes into a key, what is stored is short and UTF-8, and long keys stay apart.
func TestLongKeys(t *testing.T) {
	set := load(t, text(`
sinks: {a: {url: 'http://a', order_by: groupID}, b: {url: 'http://b', order_by: 'groupID[0:1]'}}
rules: [{name: r, callbacks: [beforeSendGroupMsg], notify: [a, b]}]
`))
	key := func(groupID string, sink int) string {
		return set.Match(callback(t, "beforeSendGroupMsg", fmt.Sprintf(`"groupID": %q`, groupID)), noon).Notify[sink].Key
	}
	fits := strings.Repeat("x", longestKey)
	if got := key(fits, 0); got != fits {
		t.Errorf("a key of %d bytes becomes %q", longestKey, got)
	}
	one, other := key(fits+"1", 0), key(fits+"2", 0)
	if one == other || len(one) != len("sha256:")+64 || !strings.HasPrefix(one, "sha256:") {
		t.Errorf("keys of %d bytes become %q and %q", longestKey+1, one, other)
	}
	if got := key("é", 1); got != "\ufffd" {
		t.Errorf("half a character becomes %q", got)
	}
}

// A rule that another one joins does not change what the table knows.
func TestPlansShareNothing(t *testing.T) {
	set := load(t, text(notifyRules))
	both := set.Match(callback(t, "beforeSendGroupMsg", `"contentType": 101`), noon)
	one := set.Match(callback(t, "beforeSendGroupMsg", ""), noon)
	if got, want := fmt.Sprint(notices(both), notices(one)), "[audit(): keep archive(): keep index search(0): index] [audit(): keep archive(): keep]"; got != want {
		t.Errorf("notices %s, want %s", got, want)
	}
}

// Whatever rules there are, a plan has each sink that a matching rule names, once, with the rules that name it, in order.
func TestPlansOfManyRules(t *testing.T) {
	const sinks = "abc"
	rapid.Check(t, func(t *rapid.T) {
		var file strings.Builder
		file.WriteString("sinks: {a: {url: 'http://a', order_by: sendID}, b: {url: 'http://b'}, c: {url: 'http://c', order_by: '\"all\"'}}\nrules:\n")
		keys := map[string]string{"a": "u1", "b": "", "c": "all"}
		var order []string
		asking := map[string][]string{} // sink → rules
		stopped := false
		for i := range rapid.IntRange(1, 8).Draw(t, "rules") {
			name := fmt.Sprint("r", i)
			matches, stop := rapid.Bool().Draw(t, "matches"), rapid.IntRange(0, 9).Draw(t, "stop") == 0
			notify := rapid.SliceOfNDistinct(rapid.RuneFrom([]rune(sinks)), 0, 3, rapid.ID[rune]).Draw(t, "notify")
			fmt.Fprintf(&file, "  - {name: %s, reply: allow, when: %t, stop: %t", name, matches, stop)
			for k, sink := range notify {
				file.WriteString([]string{", notify: [", ", "}[min(k, 1)] + string(sink))
			}
			file.WriteString(strings.Repeat("]", min(len(notify), 1)) + "}\n")
			if !matches || stopped {
				continue
			}
			for _, sink := range notify {
				if asking[string(sink)] == nil {
					order = append(order, string(sink))
				}
				asking[string(sink)] = append(asking[string(sink)], name)
			}
			stopped = stop
		}
		var want []string
		for _, sink := range order {
			want = append(want, fmt.Sprintf("%s(%s): %s", sink, keys[sink], strings.Join(asking[sink], " ")))
		}
		set, found := Load([]File{text(file.String())}, Options{})
		if set == nil {
			t.Fatalf("%s: %v", &file, found)
		}
		body := `{"callbackCommand": "callbackBeforeSendGroupMsgCommand", "sendID": "u1"}`
		cb, err := openim.Decode(openim.Request{Path: "/", Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, notices(set.Match(cb, noon))); diff != "" {
			t.Fatalf("of\n%s notices differ (-want +got):\n%s", &file, diff)
		}
	})
}
