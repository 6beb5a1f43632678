package router

import (
	"fmt"
	"slices"
	"strings"

	"callboard/openim"
	"callboard/rules"
)

// A Count is how the policy of one rule came to its outcome. It is read-only.
type Count struct {
	Policy  rules.Policy
	Outcome Outcome
	Ballots []Ballot // in the order of the rule's sinks
	// Decided is the arrival with which no vote that was out could change the outcome: of a Ballot with the same Arrived. 0: the
	// answer left before.
	Decided int
	By      int // place in Ballots of the one that decided, -1 when no single one did
}

// count keeps how the policy of a rule came to its outcome. Its ballots belong to the call, which is used again.
func (m *matched) count() *Count {
	return &Count{Policy: m.rule.Await.Policy, Outcome: m.outcome, Ballots: slices.Clone(m.ballots), Decided: m.decided, By: m.by}
}

// Counts returns what the ballot counts as once it has arrived: a failed one as on_failure says.
func (b *Ballot) Counts() openim.Vote { return b.counts() }

// Because says why the policy's outcome is what it is: "2 of 3 allowed, 2 were needed".
func (c *Count) Because() string {
	if c.Outcome == Undecided {
		return "the answer left before it was decided"
	}
	if c.Outcome == Unopposed {
		return "nobody allowed or refused"
	}
	switch c.Policy.Kind {
	case rules.First:
		return c.byOne("was the first to say so", "nobody said better than a failure")
	case rules.Primary:
		return c.byOne("decides alone", "it decides alone")
	}
	allow, refuse := c.upToDecision(openim.Allow), c.upToDecision(openim.Refuse)
	switch c.Policy.Kind {
	case rules.Any:
		if c.Outcome == Allowed {
			return "one allow is enough: " + strings.Join(allow, ", ")
		}
		return "nobody allowed: " + strings.Join(refuse, ", ") + " refused"
	case rules.Quorum:
		return fmt.Sprintf("%d of %d allowed, %d were needed", len(allow), len(c.Ballots), c.Policy.N)
	case rules.Majority:
		return fmt.Sprintf("%d for, %d against, and who was out could not change that", len(allow), len(refuse))
	}
	if c.Outcome == Allowed {
		return "nobody refused"
	}
	return "one refusal is enough: " + strings.Join(refuse, ", ")
}

// byOne is for policies in which one ballot decides.
func (c *Count) byOne(voted, failed string) string {
	if c.By < 0 {
		return failed
	}
	b := &c.Ballots[c.By]
	if b.Vote != openim.Failed {
		return b.Sink + " " + voted
	}
	return failed + ": that of " + b.Sink + " counts as " + b.Failure.String()
}

// upToDecision names the sinks whose ballots counted as v when it was decided.
func (c *Count) upToDecision(v openim.Vote) []string {
	var sinks []string
	for i := range c.Ballots {
		if b := &c.Ballots[i]; b.Arrived != 0 && b.Arrived <= c.Decided && b.counts() == v {
			sinks = append(sinks, b.Sink)
		}
	}
	return sinks
}
