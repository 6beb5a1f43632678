package router

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/openim"
)

// Each row asks three sinks, which answer 1, 2 and 3 ms after they were asked, and tells what the policy did with them, as the
// journal keeps it.
func TestCountsTellWhatAPolicyDid(t *testing.T) {
	const failed, allow, refuse, abstain = openim.Failed, openim.Allow, openim.Refuse, openim.Abstain
	for _, row := range []struct {
		await string
		votes [3]openim.Vote
		want  string
	}{
		{"", [3]openim.Vote{allow, allow, allow}, "all is allow at 3, nobody refused: a 1 allow, b 2 allow, c 3 allow"},
		{"", [3]openim.Vote{allow, refuse, allow}, "all is refuse at 2 by b, one refusal is enough: b: a 1 allow, b 2 refuse, c 0"},
		{", on_failure: {a: refuse}", [3]openim.Vote{failed, allow, allow},
			"all is refuse at 1 by a, one refusal is enough: a: a 1 failed as refuse, b 0, c 0"},
		{"", [3]openim.Vote{failed, allow, allow}, "all is allow at 3, nobody refused: a 1 failed as allow, b 2 allow, c 3 allow"},
		{", policy: any", [3]openim.Vote{refuse, allow, allow}, "any is allow at 2, one allow is enough: b: a 1 refuse, b 2 allow, c 0"},
		{", policy: any", [3]openim.Vote{refuse, refuse, abstain},
			"any is refuse at 3 by a, nobody allowed: a, b refused: a 1 refuse, b 2 refuse, c 3 abstain"},
		{", policy: {quorum: 2}", [3]openim.Vote{refuse, refuse, allow},
			"quorum of 2 is refuse at 2 by a, 0 of 3 allowed, 2 were needed: a 1 refuse, b 2 refuse, c 0"},
		{", policy: majority", [3]openim.Vote{allow, allow, refuse},
			"majority is allow at 2, 2 for, 0 against, and who was out could not change that: a 1 allow, b 2 allow, c 0"},
		{", policy: first", [3]openim.Vote{abstain, refuse, allow}, "first is refuse at 2 by b, b was the first to say so: a 1 abstain, b 2 refuse, c 0"},
		{", policy: first", [3]openim.Vote{failed, abstain, failed},
			"first is allow at 3 by a, nobody said better than a failure: that of a counts as allow: a 1 failed as allow, b 2 abstain, c 3 failed as allow"},
		{", policy: {primary: b}", [3]openim.Vote{refuse, allow, allow}, "primary b is allow at 2 by b, b decides alone: a 1 refuse, b 2 allow, c 0"},
		{"", [3]openim.Vote{abstain, abstain, abstain}, "all is abstain at 3, nobody allowed or refused: a 1 abstain, b 2 abstain, c 3 abstain"},
		{", deadline: 2500us", [3]openim.Vote{allow, allow, allow},
			"all is allow at 4, nobody refused: a 1 allow, b 2 allow, c 4 failed as allow late"},
	} {
		synctest.Test(t, func(t *testing.T) {
			askers := map[string]*scripted{}
			for i, name := range []string{"a", "b", "c"} {
				askers[name] = says(row.votes[i], time.Duration(i+1)*time.Millisecond)
			}
			g := newGateway(t, Options{}, ruleOf("{sinks: [a, b, c]"+row.await+"}"), askers)
			g.post("beforeSendGroupMsg", nil)
			if diff := cmp.Diff(row.want, countText(t, g.last())); diff != "" {
				t.Errorf("%s %v (-want +got):\n%s", row.await, row.votes, diff)
			}
			time.Sleep(time.Second) // who lingers
		})
	}
}

// countText renders what the journal keeps of the first rule's count.
func countText(t *testing.T, tr *Trace) string {
	t.Helper()
	var page struct {
		Rules []struct {
			Decision, Policy, By, Because string
			Decided                       int
			Ballots                       []struct {
				Sink, Vote string
				CountsAs   string `json:"counts_as"`
				Arrived    int
				Late       bool
			}
		}
	}
	raw := tr.Record(true).Trace.(tracePage).AppendJSON(nil)
	if err := json.Unmarshal(raw, &page); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	r := page.Rules[0]
	by := ""
	if r.By != "" {
		by = " by " + r.By
	}
	var ballots []string
	for _, b := range r.Ballots {
		text := strings.TrimSpace(fmt.Sprintf("%s %d %s", b.Sink, b.Arrived, b.Vote))
		if b.CountsAs != "" {
			text += " as " + b.CountsAs
		}
		if b.Late {
			text += " late"
		}
		ballots = append(ballots, text)
	}
	return fmt.Sprintf("%s is %s at %d%s, %s: %s", r.Policy, r.Decision, r.Decided, by, r.Because, strings.Join(ballots, ", "))
}

// Who came after it was decided, because another rule still waited, is told apart.
func TestVotesAfterTheDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, Options{}, `rules:
  - {name: any, callbacks: [beforeSendGroupMsg], await: {sinks: [a, b], policy: any}}
  - {name: all, callbacks: [beforeSendGroupMsg], await: {sinks: [b]}}
`, map[string]*scripted{"a": says(openim.Allow, time.Millisecond), "b": says(openim.Abstain, 2*time.Millisecond)})
		g.post("beforeSendGroupMsg", nil)
		if c := g.last().Rules[0].Count; c.Decided != 1 || c.Ballots[1].Arrived != 2 {
			t.Errorf("count %+v", c)
		}
	})
}
