package rules

import (
	"fmt"
	"strings"
	"testing"
)

// Conditions without a rewrite are found once they pile up for one command; rules for all commands count for each.
func TestScannedConditionsPileUp(t *testing.T) {
	for _, c := range []struct {
		name             string
		some, all, other int // rules for beforeSendGroupMsg, for all, for another callback
		want             int
		says             string
	}{
		{"few", 99, 0, 99, 0, ""},
		{"many", 100, 0, 0, 100, "every beforeSendGroupMsg, for which 100 conditions are scanned so; a call of sample is not indexed"},
		{"many with those for all callbacks", 60, 40, 20, 100, "every beforeSendGroupMsg, for which 100 conditions"},
		{"many for all callbacks alone", 0, 100, 0, 100, "every callback, for which 100 conditions"},
	} {
		var text strings.Builder
		text.WriteString("rules:\n")
		for i, callbacks := range strings.Fields(strings.Repeat("beforeSendGroupMsg ", c.some) + strings.Repeat("'*' ", c.all) + strings.Repeat("beforeSendSingleMsg ", c.other)) {
			fmt.Fprintf(&text, "  - {name: r%d, callbacks: [%s], when: 'sample(0.%03d, sendID)', reply: allow}\n", i, callbacks, i+1)
		}
		_, found := Load([]File{{Name: "r.yaml", Data: []byte(text.String())}}, Options{Analyse: true})
		n := 0
		for _, d := range found {
			if d.ID != idScanned {
				t.Errorf("%s: %v", c.name, d)
			} else if n++; n == 1 && !strings.Contains(d.Message, c.says) {
				t.Errorf("%s: %v, want %s", c.name, d, c.says)
			}
		}
		if n != c.want {
			t.Errorf("%s: %d findings, want %d", c.name, n, c.want)
		}
	}
}

// The rewrite that is told is one that is enough by itself, wherever it stands; without one, what can fail is told of.
func TestTheReasonForAScanIsTheOneToMend(t *testing.T) {
	for condition, want := range map[string]Indexing{
		`sendID != "u1" && upper(groupID) == "A"`:              {Because: `upper(groupID) == "A": upper(…) is not indexed, lower(…) is`, Rewrite: `lower(groupID) == "a"`},
		`sendID != "u1" || upper(groupID) == "A"`:              {Because: `sendID != "u1": it only excludes values`},
		`sendID != "u1" && int(ex) > 1 && groupID == "a"`:      {Because: `sendID != "u1" && int(ex) > 1: it can fail, which hides what stands behind it`, Rewrite: `groupID == "a" && sendID != "u1" && int(ex) > 1`},
		`sendID != "u1" && (int(ex) > 1 && groupID == "a")`:    {Because: `int(ex) > 1: it can fail, which hides what stands behind it`, Rewrite: `groupID == "a" && int(ex) > 1`},
		`upper(groupID) == "A" || upper(groupID) endsWith "b"`: {Because: `upper(groupID) == "A": upper(…) is not indexed, lower(…) is`, Rewrite: `lower(groupID) == "a"`},
	} {
		set := load(t, text("rules:\n  - {name: r, callbacks: [beforeSendGroupMsg], when: '"+condition+"', reply: allow}"))
		if got := set.Indexing(0); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", condition, got, want)
		}
	}
}
