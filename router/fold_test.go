package router

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"callboard/openim"
)

func sets(fields map[string]string, after time.Duration) *scripted {
	a := openim.Answer{Vote: openim.Allow}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		a.Fields = append(a.Fields, openim.FieldValue{Name: name, Raw: []byte(fields[name])})
	}
	return sayAnswer(a, after)
}

func TestMerge(t *testing.T) {
	masks := func(after time.Duration) *scripted { return sets(map[string]string{"ex": `"masked"`}, after) }
	marks := func(after time.Duration) *scripted {
		return sets(map[string]string{"ex": `"marked"`, "senderNickname": `"bob"`}, after)
	}
	tests := []struct {
		merge string
		ex    any
		code  int
		loser string
	}{
		{"first", "masked", 0, "marks"},
		{"last", "marked", 0, "masks"},
		{"refuse", nil, CodeConflict, ""},
	}
	for _, tt := range tests {
		for _, delays := range [][2]time.Duration{{0, time.Second}, {time.Second, 0}} {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, Options{}, "rules:\n  - {name: modify, callbacks: [beforeMsgModify], await: {sinks: [masks, marks], merge: "+tt.merge+"}}\n",
					map[string]*scripted{"masks": masks(delays[0]), "marks": marks(delays[1])})
				reply := g.post("beforeMsgModify", nil)
				if code(reply) != tt.code || reply["ex"] != tt.ex {
					t.Errorf("merge %s, delays %v: reply %v, want ex %v and code %d", tt.merge, delays, reply, tt.ex, tt.code)
				}
				if note := strings.Join(g.last().Notes, ""); tt.loser != "" && !strings.HasPrefix(note, "ex from "+tt.loser+" left out") {
					t.Errorf("merge %s: note %q, want it to name %s", tt.merge, note, tt.loser)
				}
				if tt.code == 0 && reply["senderNickname"] != "bob" {
					t.Errorf("merge %s: reply %v lacks the field that only one sink set", tt.merge, reply)
				}
			})
		}
	}
}

func TestFieldsThatIMServerWouldChokeOnAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, Options{}, "rules:\n  - {name: modify, callbacks: [beforeMsgModify], await: {sinks: [s]}}\n",
			map[string]*scripted{"s": sets(map[string]string{"contentType": `"many"`, "nonsense": `1`, "ex": `"kept"`}, 0)})
		reply := g.post("beforeMsgModify", nil)
		if reply["ex"] != "kept" || reply["contentType"] != nil || reply["nonsense"] != nil {
			t.Errorf("reply %v, want only ex", reply)
		}
		notes := strings.Join(g.last().Notes, "\n")
		if !strings.Contains(notes, "contentType from s left out") || !strings.Contains(notes, "nonsense from s left out") {
			t.Errorf("notes %q do not say what was left out", notes)
		}
	})
}

func TestNotesAreBounded(t *testing.T) {
	a := openim.Answer{Vote: openim.Allow}
	for i := range 70_000 {
		a.Fields = append(a.Fields, openim.FieldValue{Name: fmt.Sprint("f", i), Raw: []byte("1")})
	}
	g := newGateway(t, Options{}, ruleOf("{sinks: [s]}"), map[string]*scripted{"s": sayAnswer(a, 0)})
	g.post("beforeSendGroupMsg", nil)
	notes := g.last().Notes
	if len(notes) != maxNotes+1 || notes[maxNotes] != "69968 more fields left out" {
		t.Errorf("%d notes, the last one %q", len(notes), notes[len(notes)-1])
	}
}

func TestOnlyTheSinkThatDecidesSetsFields(t *testing.T) {
	for _, policy := range []string{"first", "{primary: slow}"} {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, Options{}, "rules:\n  - {name: modify, callbacks: [beforeMsgModify], await: {sinks: [quick, slow], policy: "+policy+"}}\n",
				map[string]*scripted{"quick": sets(map[string]string{"ex": `"quick"`}, 0), "slow": sets(map[string]string{"ex": `"slow"`}, time.Second)})
			want := map[string]string{"first": "quick", "{primary: slow}": "slow"}[policy]
			if reply := g.post("beforeMsgModify", nil); reply["ex"] != want {
				t.Errorf("policy %s: reply %v, want ex %q", policy, reply, want)
			}
			if err := g.Drain(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOnlyAllowingSinksSetFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		abstains := sets(map[string]string{"ex": `"x"`}, 0)
		abstains.answer.Vote = openim.Abstain
		g := newGateway(t, Options{}, "rules:\n  - {name: modify, callbacks: [beforeMsgModify], await: {sinks: [s]}}\n", map[string]*scripted{"s": abstains})
		if reply := g.post("beforeMsgModify", nil); reply["ex"] != nil {
			t.Errorf("reply %v carries a field of a sink that abstained", reply)
		}
	})
}
