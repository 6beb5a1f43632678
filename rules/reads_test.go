package rules

import (
	"testing"

	"callboard/openim"
)

func TestWhatARuleReads(t *testing.T) {
	set, ds := Load([]File{{Name: "rules.yaml", Data: []byte(`
sinks:
  plain: {url: "http://127.0.0.1:1"}
  ordered: {url: "http://127.0.0.1:1", order_by: 'headers["x-tenant"]'}
rules:
  - {name: by-group, callbacks: [beforeSendGroupMsg], when: groupID == "a", notify: [plain]}
  - {name: by-header, callbacks: [beforeSendGroupMsg], when: 'headers["x"] == "a"', notify: [plain]}
  - {name: by-order, callbacks: [beforeSendSingleMsg], notify: [plain, ordered]}
  - {name: unheard-of, callbacks: [callbackUnheardOf], notify: [plain]}
  - {name: all, notify: [plain]}
`)}}, Options{})
	if set == nil {
		t.Fatal(ds)
	}
	group, single := decoded(t, "callbackBeforeSendGroupMsgCommand"), decoded(t, "callbackBeforeSendSingleMsgCommand")
	unknown, other := decoded(t, "callbackUnheardOf"), decoded(t, "callbackElse")
	for i, row := range []struct {
		reads                         bool
		group, single, unknown, other bool
	}{
		{false, true, false, false, false},
		{true, true, false, false, false},
		{true, false, true, false, false},
		{false, false, false, true, false},
		{false, true, true, true, true},
	} {
		r := set.Rules[i]
		if got := r.Reads("headers"); got != row.reads {
			t.Errorf("%s reads headers: %t, want %t", r.Name, got, row.reads)
		}
		for cb, want := range map[*openim.Callback]bool{group: row.group, single: row.single, unknown: row.unknown, other: row.other} {
			if got := r.IsFor(cb); got != want {
				t.Errorf("%s is for %s: %t, want %t", r.Name, cb.Name, got, want)
			}
		}
	}
}

func decoded(t *testing.T, command string) *openim.Callback {
	t.Helper()
	cb, err := openim.Decode(openim.Request{Path: "/" + command, Body: []byte(`{"callbackCommand":"` + command + `"}`)})
	if err != nil {
		t.Fatal(err)
	}
	return cb
}
