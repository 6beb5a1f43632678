package openim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheCatalogueIsComplete(t *testing.T) {
	phases := map[Phase]int{}
	for _, c := range Commands() {
		phases[c.Phase]++
	}
	if want := (map[Phase]int{Before: 23, After: 29}); !maps.Equal(phases, want) {
		t.Errorf("commands per phase: got %v, want %v", phases, want)
	}
}

func TestEveryNameLeadsToOneCommand(t *testing.T) {
	owner := map[string]string{} // lower-case form → short name
	for _, c := range Commands() {
		for _, form := range typedForms(c) {
			if other, taken := owner[form]; taken && other != c.Short {
				t.Errorf("%s means both %s and %s", form, other, c.Short)
			}
			owner[form] = c.Short
		}
	}
}

func TestEveryCommandIsWellFormed(t *testing.T) {
	since := []string{"v2", "v3.5", "v3.7", "v3.8", "main"}
	for _, c := range Commands() {
		if !strings.HasPrefix(c.Name, "callback") || !strings.HasSuffix(c.Name, "Command") {
			t.Errorf("%s: not a wire name", c.Name)
		}
		if !slices.Contains(since, c.Since) {
			t.Errorf("%s: since %q is none of %v", c.Short, c.Since, since)
		}
		if strings.HasPrefix(c.Short, "before") != (c.Phase == Before) {
			t.Errorf("%s is a callback %s the fact", c.Short, c.Phase)
		}
		if c.Phase == After && len(c.Reply) > 0 {
			t.Errorf("%s: IMServer ignores replies to after-callbacks", c.Short)
		}
		checkFields(t, c.Short+" request", c.Request)
		var reply []Field
		for _, f := range c.Reply {
			reply = append(reply, f.Field)
		}
		checkFields(t, c.Short+" reply", reply)
	}
}

func checkFields(t *testing.T, where string, fs []Field) {
	t.Helper()
	if len(fs) > len(Callback{}.room)-1 {
		t.Errorf("%s: %d fields do not fit into a Callback's room", where, len(fs))
	}
	seen := map[string]bool{}
	for _, f := range fs {
		if f.Name == "" || seen[f.Name] || f.Name == "callbackCommand" {
			t.Errorf("%s: field %q is empty, repeated or the command's own", where, f.Name)
		}
		seen[f.Name] = true
		if (f.Kind == Int) != (f.Bits != 0) {
			t.Errorf("%s.%s: %s of %d bits", where, f.Name, f.Kind, f.Bits)
		}
		if (f.Kind == Object || f.Kind == Objects) != (len(f.Fields) > 0) {
			t.Errorf("%s.%s: %s with %d members", where, f.Name, f.Kind, len(f.Fields))
		}
		checkFields(t, where+"."+f.Name, f.Fields)
	}
}

func TestLookup(t *testing.T) {
	finds := func(typed, short string) {
		t.Helper()
		c, ok := Lookup(typed)
		if !ok || c.Short != short {
			t.Errorf("Lookup(%q) = %v, %v; want %s", typed, c, ok, short)
		}
	}
	for _, c := range Commands() {
		finds(c.Name, c.Short)
		finds(c.Short, c.Short)
		finds(strings.ToUpper(c.Short), c.Short)
		for _, older := range c.Older {
			finds(older, c.Short)
		}
	}
	finds("CallbackBeforeInviteJoinGroupCommand", "beforeInviteUserToGroup") // early v3.5 wrote a capital
	finds("beforeAfterMsg", "afterRevokeMsg")
	finds("BeforeAfterMsg", "afterRevokeMsg")
	finds("callbackBeforeMemberJoinGroupCommand", "beforeMemberJoinGroup")
	finds("msgModify", "beforeMsgModify")
	for _, unknown := range []string{"", "callback", "Command", "sendGroupMsg", "callbackNewCommand"} {
		if c, ok := Lookup(unknown); ok {
			t.Errorf("Lookup(%q) found %s", unknown, c.Short)
		}
	}
}

func TestLookingUpAWireNameAllocatesNothing(t *testing.T) {
	name := strings.Clone("callbackBeforeSendGroupMsgCommand")
	if n := testing.AllocsPerRun(100, func() { Lookup(name) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSuggest(t *testing.T) {
	suggests := func(typed string, want ...string) {
		t.Helper()
		if got := Suggest(typed); !slices.Equal(got, want) {
			t.Errorf("Suggest(%q) = %q, want %q", typed, got, want)
		}
	}
	suggests("beforeSendGrupMsg", "beforeSendGroupMsg")
	suggests("callbackBeforeSendGroupMessageCommand", "beforeSendGroupMsg")
	suggests("sendGroupMsg", "beforeSendGroupMsg", "afterSendGroupMsg")
	suggests("afterRevokMsg", "afterRevokeMsg")
	suggests("xyz")
	suggests("")
	suggests(strings.Repeat("no such command ", 100))
}

// TestSamplesAreWhatIMServerSends checks that each sample is compact JSON with the catalogue's
// fields and the command, no others, each of its kind.
func TestSamplesAreWhatIMServerSends(t *testing.T) {
	for _, c := range Commands() {
		body := Sample(c)
		cb, err := Decode(Request{Path: "/cb/" + c.Name, Body: body})
		if err != nil {
			t.Errorf("%s: %v\n%s", c.Short, err, body)
			continue
		}
		if cb.Command != c || cb.Name != c.Name || cb.Source != "cb" {
			t.Errorf("%s: decoded as %s from %q", c.Short, cb.Name, cb.Source)
		}
		want := []string{"callbackCommand"}
		for _, f := range c.Request {
			want = append(want, f.Name)
			cb.Value(f.Name, f.Kind)
			if raw, _ := cb.Raw(f.Name); string(raw) == "null" && f.Kind != Strings && !f.Nullable {
				t.Errorf("%s.%s: null in the sample", c.Short, f.Name)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(cb.Fields()))); diff != "" {
			t.Errorf("%s: fields (-want +got)\n%s", c.Short, diff)
		}
		if wrong := cb.Mismatches(); len(wrong) > 0 {
			t.Errorf("%s: %v are of another type in the sample", c.Short, wrong)
		}
		if !json.Valid(body) || strings.ContainsAny(string(body), "\n\t") {
			t.Errorf("%s: not compact JSON: %s", c.Short, body)
		}
		if _, isMessage := c.Field("msgFrom"); isMessage && cb.Text() == "" {
			t.Errorf("%s: the sample has no text", c.Short)
		}
	}
}

func TestConstantsHaveNamesOfTheirOwn(t *testing.T) {
	values := map[string]int{}
	for _, c := range Constants() {
		if _, taken := values[c.Name]; taken {
			t.Errorf("%s: two constants", c.Name)
		}
		if c.Group == "" || strings.ToUpper(c.Name[:1]) != c.Name[:1] {
			t.Errorf("%s: no group, or a name that could be a field's", c.Name)
		}
		values[c.Name] = c.Value
	}
	for name, want := range map[string]int{
		"Text": 101, "AtText": 106, "Custom": 110, "Typing": 113, "MarkdownText": 118, "FriendApplication": 1203,
		"GroupMuted": 1514, "HasReadReceipt": 2200, "SingleChat": 1, "ReadGroupChat": 3, "IOS": 1, "Android": 2,
		"Admin": 10, "GroupAdmin": 60, "GroupStatusMuted": 3, "UserMsg": 100, "FriendRefuse": -1,
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s = %d, %v; want %d", name, got, ok, want)
		}
	}
}
