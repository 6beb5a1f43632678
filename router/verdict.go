package router

import (
	"callboard/openim"
	"callboard/rules"
)

// An Outcome is what a rule's policy makes of the votes.
type Outcome uint8

const (
	// Undecided means that votes still out could change the outcome.
	Undecided Outcome = iota
	// Allowed means that the policy is met.
	Allowed
	// Refused means that it is not.
	Refused
	// Unopposed means that every sink abstained: the rule decides nothing.
	Unopposed
)

// String returns "undecided", "allow", "refuse" or "abstain".
func (o Outcome) String() string {
	switch o {
	case Allowed:
		return "allow"
	case Refused:
		return "refuse"
	case Unopposed:
		return "abstain"
	default:
		return "undecided"
	}
}

// A Ballot is one sink's part in a rule's decision.
type Ballot struct {
	Sink    string
	Arrived int         // place in the order of arrival, from 1; 0 while it is out
	Vote    openim.Vote // as cast; Failed votes count as Failure
	Failure openim.Vote // what a failed vote counts as: Allow, Refuse or Abstain
	Late    bool        // whether it failed because the rule's deadline came first
}

// counts returns what the ballot counts as once it has arrived.
func (b *Ballot) counts() openim.Vote {
	if b.Vote == openim.Failed {
		return b.Failure
	}
	return b.Vote
}

// Tally decides a rule by its policy from the ballots in hand. It is a pure function: ballots that are
// out keep the outcome Undecided exactly as long as they could change it. by is the ballot that decided,
// in the order of the rule's sinks, -1 when no single one did.
//
// Sinks that abstain are as if they were not there; where all abstain the rule decides nothing. A tie
// under Majority is not a majority.
func Tally(p rules.Policy, ballots []Ballot) (outcome Outcome, by int) {
	switch p.Kind {
	case rules.First:
		return tallyFirst(ballots)
	case rules.Primary:
		return tallyPrimary(p.Primary, ballots)
	default:
		return tallyCounts(p, ballots)
	}
}

// tallyFirst lets the first allow or refuse to arrive decide. Failed votes have a say only when
// nothing better came.
func tallyFirst(ballots []Ballot) (Outcome, int) {
	first, fallback, out := -1, -1, false
	for i := range ballots {
		b := &ballots[i]
		switch {
		case b.Arrived == 0:
			out = true
		case b.Vote == openim.Allow || b.Vote == openim.Refuse:
			if first < 0 || b.Arrived < ballots[first].Arrived {
				first = i
			}
		case b.counts() != openim.Abstain && fallback < 0:
			fallback = i
		}
	}
	switch {
	case first >= 0:
		return outcomeOf(ballots[first].Vote), first
	case out:
		return Undecided, -1
	case fallback >= 0:
		return outcomeOf(ballots[fallback].counts()), fallback
	default:
		return Unopposed, -1
	}
}

// tallyPrimary lets one sink decide, whatever the others say.
func tallyPrimary(primary string, ballots []Ballot) (Outcome, int) {
	for i := range ballots {
		if ballots[i].Sink != primary {
			continue
		}
		if ballots[i].Arrived == 0 {
			return Undecided, -1
		}
		return outcomeOf(ballots[i].counts()), i
	}
	return Unopposed, -1
}

func outcomeOf(v openim.Vote) Outcome {
	switch v {
	case openim.Allow:
		return Allowed
	case openim.Refuse:
		return Refused
	default:
		return Unopposed
	}
}

// tallyCounts decides the policies that only count votes: decided is what no vote still out can change.
func tallyCounts(p rules.Policy, ballots []Ballot) (Outcome, int) {
	var allow, refuse, out int
	for i := range ballots {
		b := &ballots[i]
		switch {
		case b.Arrived == 0:
			out++
		case b.counts() == openim.Allow:
			allow++
		case b.counts() == openim.Refuse:
			refuse++
		}
	}
	outcome := count(p, allow, refuse)
	// Every counting policy is monotone: more allows never hurt, more refusals never help. So
	// the two extremes speak for all the ways in which the votes still out may fall.
	if count(p, allow+out, refuse) != outcome || count(p, allow, refuse+out) != outcome {
		return Undecided, -1
	}
	return outcome, decider(outcome, ballots)
}

// count is a counting policy on final numbers.
func count(p rules.Policy, allow, refuse int) Outcome {
	if allow+refuse == 0 {
		return Unopposed
	}
	met := false
	switch p.Kind {
	case rules.All:
		met = refuse == 0
	case rules.Any:
		met = allow > 0
	case rules.Quorum:
		met = allow >= p.N
	case rules.Majority:
		met = allow > refuse
	}
	if met {
		return Allowed
	}
	return Refused
}

// decider finds the ballot that speaks for a refusal: the first one cast as a refusal, before any that
// merely failed.
func decider(outcome Outcome, ballots []Ballot) int {
	if outcome != Refused {
		return -1
	}
	failed := -1
	for i := range ballots {
		b := &ballots[i]
		if b.Arrived == 0 || b.counts() != openim.Refuse {
			continue
		}
		if b.Vote == openim.Refuse {
			return i
		}
		if failed < 0 {
			failed = i
		}
	}
	return failed
}
