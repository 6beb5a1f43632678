package router

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"callboard/openim"
	"callboard/rules"
)

func in(votes ...openim.Vote) []Ballot {
	var bs []Ballot
	for i, v := range votes {
		bs = append(bs, Ballot{Sink: string(rune('a' + i)), Arrived: i + 1, Vote: v, Failure: openim.Allow})
	}
	return bs
}

// out adds sinks that have not answered.
func out(bs []Ballot, n int) []Ballot {
	for range n {
		bs = append(bs, Ballot{Sink: string(rune('a' + len(bs))), Failure: openim.Allow})
	}
	return bs
}

// failClosed makes failed votes count as refusals.
func failClosed(bs []Ballot) []Ballot {
	for i := range bs {
		bs[i].Failure = openim.Refuse
	}
	return bs
}

var (
	all      = rules.Policy{Kind: rules.All}
	anyOf    = rules.Policy{Kind: rules.Any}
	majority = rules.Policy{Kind: rules.Majority}
	first    = rules.Policy{Kind: rules.First}
	quorum2  = rules.Policy{Kind: rules.Quorum, N: 2}
	primaryB = rules.Policy{Kind: rules.Primary, Primary: "b"}
)

const (
	yes  = openim.Allow
	no   = openim.Refuse
	pass = openim.Abstain
	lost = openim.Failed
)

func TestTally(t *testing.T) {
	lateB := in(yes, no)
	lateB[0].Arrived, lateB[1].Arrived = 2, 1
	tests := []struct {
		name    string
		policy  rules.Policy
		ballots []Ballot
		want    Outcome
		by      int
	}{
		{"all allows when everybody allows", all, in(yes, yes), Allowed, -1},
		{"all refuses with one refusal", all, in(yes, no), Refused, 1},
		{"all refuses before the others have answered", all, out(in(no), 2), Refused, 0},
		{"all waits while nobody has refused", all, out(in(yes), 1), Undecided, -1},
		{"all does not mind who abstains", all, in(yes, pass), Allowed, -1},
		{"all decides nothing when everybody abstains", all, in(pass, pass), Unopposed, -1},
		{"all waits for the last when the others abstained", all, out(in(pass), 1), Undecided, -1},
		{"a failed vote counts as it should: allow", all, in(yes, lost), Allowed, -1},
		{"a failed vote counts as it should: refuse", all, failClosed(in(yes, lost)), Refused, 1},
		{"a cast refusal speaks before a failed one", all, failClosed(in(lost, no)), Refused, 1},
		{"any allows with the first allow", anyOf, out(in(yes), 2), Allowed, -1},
		{"any waits after a refusal", anyOf, out(in(no), 1), Undecided, -1},
		{"any refuses when nobody allows", anyOf, in(no, pass), Refused, 0},
		{"quorum of two is met with two", quorum2, out(in(yes, yes), 1), Allowed, -1},
		{"quorum of two waits with one", quorum2, out(in(yes, no), 1), Undecided, -1},
		{"quorum of two refuses when it cannot be met", quorum2, out(in(no, no), 1), Refused, 0},
		{"quorum that abstentions keep from being met has no decider", quorum2, in(yes, pass, pass), Refused, -1},
		{"majority of votes cast", majority, in(yes, yes, no), Allowed, -1},
		{"majority is settled early", majority, out(in(yes, yes), 1), Allowed, -1},
		{"a tie is no majority", majority, in(yes, no), Refused, 1},
		{"majority counts abstentions as absent", majority, in(yes, pass, pass), Allowed, -1},
		{"first goes by arrival, not by place", first, lateB, Refused, 1},
		{"first does not wait for others", first, out(in(yes), 3), Allowed, 0},
		{"first skips who failed or abstained", first, in(lost, pass, no), Refused, 2},
		{"first falls back on what a failure counts as", first, failClosed(in(pass, lost)), Refused, 1},
		{"primary decides alone", primaryB, in(no, yes, no), Allowed, 1},
		{"primary is waited for", primaryB, out(in(no), 2), Undecided, -1},
		{"primary that abstains decides nothing", primaryB, in(no, pass), Unopposed, 1},
		{"primary that failed counts as it should", primaryB, failClosed(in(yes, lost)), Refused, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, by := Tally(tt.policy, tt.ballots)
			if got != tt.want || by != tt.by {
				t.Errorf("Tally(%s) = %s by %d, want %s by %d", tt.policy.String(), got, by, tt.want, tt.by)
			}
		})
	}
}

func anyBallots(t *rapid.T) []Ballot {
	n := rapid.IntRange(1, 6).Draw(t, "sinks")
	bs := make([]Ballot, n)
	order := rapid.Permutation(sequence(n)).Draw(t, "arrivals")
	for i := range bs {
		bs[i] = Ballot{
			Sink:    string(rune('a' + i)),
			Vote:    rapid.SampledFrom([]openim.Vote{yes, no, pass, lost}).Draw(t, "vote"),
			Failure: rapid.SampledFrom([]openim.Vote{yes, no, pass}).Draw(t, "failure"),
		}
		if rapid.Bool().Draw(t, "in") {
			bs[i].Arrived = order[i]
		}
	}
	return bs
}

func sequence(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i + 1
	}
	return s
}

func anyPolicy(t *rapid.T, sinks int) rules.Policy {
	return rapid.SampledFrom([]rules.Policy{all, anyOf, majority, first, primaryB,
		{Kind: rules.Quorum, N: rapid.IntRange(1, sinks).Draw(t, "quorum")}}).Draw(t, "policy")
}

// complete draws an end for the votes that are out.
func complete(t *rapid.T, bs []Ballot) []Ballot {
	done := slices.Clone(bs)
	at := len(bs)
	for i := range done {
		if done[i].Arrived == 0 {
			at++
			done[i].Arrived = at
			done[i].Vote = rapid.SampledFrom([]openim.Vote{yes, no, pass, lost}).Draw(t, "late vote")
		}
	}
	return done
}

func TestTallyNeverChangesItsMind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bs := anyBallots(t)
		p := anyPolicy(t, len(bs))
		early, _ := Tally(p, bs)
		final, _ := Tally(p, complete(t, bs))
		if final == Undecided {
			t.Fatalf("undecided with every vote in")
		}
		if early != Undecided && early != final {
			t.Fatalf("left with %s, would have ended as %s", early, final)
		}
	})
}

// Whoever waits must have a reason: two ways in which the late votes may fall that end differently.
func TestTallyWaitsForNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bs := anyBallots(t)
		p := anyPolicy(t, len(bs))
		if early, _ := Tally(p, bs); early != Undecided {
			return
		}
		ends := map[Outcome]bool{}
		for _, v := range []openim.Vote{yes, no, pass} {
			done := slices.Clone(bs)
			for i := range done {
				if done[i].Arrived == 0 {
					done[i].Arrived, done[i].Vote = len(bs)+1+i, v
				}
			}
			o, _ := Tally(p, done)
			ends[o] = true
		}
		if len(ends) < 2 {
			t.Fatalf("waits although every end is the same: %v", ends)
		}
	})
}

func TestTallyOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bs := anyBallots(t)
		p := anyPolicy(t, len(bs))
		if p.Kind == rules.First {
			return // there the order is the point
		}
		a, _ := Tally(p, bs)
		shuffled := rapid.Permutation(bs).Draw(t, "shuffled")
		b, _ := Tally(p, shuffled)
		if a != b {
			t.Fatalf("%s in one order, %s in another", a, b)
		}
	})
}

func TestTallyAddingAVote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bs := anyBallots(t)
		p := anyPolicy(t, len(bs))
		before, _ := Tally(p, bs)
		with := func(v openim.Vote) Outcome {
			o, _ := Tally(p, append(slices.Clone(bs), Ballot{Sink: "new", Arrived: len(bs) + 1, Vote: v}))
			return o
		}
		if p.Kind == rules.All && with(no) != Refused {
			t.Fatalf("all: a refusal was added and the outcome is %s", with(no))
		}
		if p.Kind == rules.First || p.Kind == rules.Primary {
			return // the newcomer came last, or does not decide
		}
		if before == Refused && with(no) == Allowed {
			t.Fatal("a refusal turned a refusal into an allow")
		}
		if before == Allowed && with(yes) != Allowed {
			t.Fatalf("an allow turned an allow into %s", with(yes))
		}
		if with(pass) != before {
			t.Fatalf("an abstention turned %s into %s", before, with(pass))
		}
	})
}
