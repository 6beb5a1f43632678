package router

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/openim"
)

// What has happened comes of the same rules and votes again, whatever came too late, was not waited for, or came in another order
// than the rules name the sinks in.
func TestTheVotesOfATraceComeToTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o := &odds{T: r}
		set := loadRules(r, o.table())
		cb := sampleCallback(r, rapid.SampledFrom([]string{"beforeMsgModify", "afterSendGroupMsg"}).Draw(r, "command"))
		script := Script{}
		for _, s := range set.Sinks {
			for range rapid.IntRange(1, 4).Draw(r, "steps") {
				script[s.Name] = append(script[s.Name], o.step())
			}
		}
		rehearsal := NewRehearsal(set, Options{})
		happened := rehearsal.Play(cb, time.Unix(0, 0), script)
		again := rehearsal.Run(cb, time.Unix(0, 0), happened.Votes())
		if diff := cmp.Diff(happened.Verdict, again.Verdict); diff != "" || happened.DecidedBy != again.DecidedBy {
			r.Fatalf("decided by %q, then by %q; verdict (-first +again):\n%s", happened.DecidedBy, again.DecidedBy, diff)
		}
	})
}

func TestRehearseVotes(t *testing.T) {
	const table = `
sinks:
  a: {url: "http://a.internal"}
  b: {url: "http://b.internal"}
rules:
  - {name: r1, await: {sinks: [a, b], policy: first, deadline: 100ms}}
  - {name: r2, await: {sinks: [a], policy: all, deadline: 500ms}}
`
	allow, refuse := openim.Answer{Vote: openim.Allow}, openim.Answer{Vote: openim.Refuse, Code: 20401}
	for _, row := range []struct {
		name      string
		votes     func(v *Votes)
		decidedBy string
	}{
		{"nothing is known: all allow", func(*Votes) {}, ""},
		{"nothing is known: all refuse", func(v *Votes) { v.Otherwise = &refuse }, "r1"},
		{"who was not waited for comes last", func(v *Votes) { v.Answer("b", refuse, false) }, "r1"},
		{"the order counts", func(v *Votes) {
			v.Answer("a", allow, false)
			v.Answer("b", refuse, false)
			v.Came("r1", "b", 1, false)
			v.Came("r1", "a", 2, false)
		}, "r1"},
		{"too late for one rule is not too late for another", func(v *Votes) {
			v.Answer("a", refuse, false)
			v.Came("r1", "b", 0, false)
			v.Came("r1", "a", 3, true)
			v.Came("r2", "a", 1, false)
		}, "r2"},
		{"who is said to answer is in time", func(v *Votes) {
			v.Came("r1", "a", 3, true)
			v.Answer("a", refuse, true)
		}, "r1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var v Votes
			row.votes(&v)
			got := NewRehearsal(loadRules(t, table), Options{}).Run(sampleCallback(t, "beforeSendGroupMsg"), time.Now(), v)
			if got.DecidedBy != row.decidedBy {
				t.Errorf("decided by %q, want %q", got.DecidedBy, row.decidedBy)
			}
		})
	}
}
