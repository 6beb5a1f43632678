package explain

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Effects of ballots.
const (
	effectOpen    = "open"           // the outcome was not certain with it
	effectDecides = "decides"        // it was
	effectAfter   = "after"          // it was already
	effectNot     = "not waited for" // it was, and the answer had left
)

// settle sorts the ballots and says what each did.
func (c *Count) settle() {
	for i := range c.Ballots {
		b := &c.Ballots[i]
		switch {
		case b.Arrived == 0:
			b.Effect = effectNot
		case c.Decided == 0 || b.Arrived < c.Decided:
			b.Effect = effectOpen
		case b.Arrived == c.Decided:
			b.Effect = effectDecides
		default:
			b.Effect = effectAfter
		}
	}
	slices.SortStableFunc(c.Ballots, func(a, b Ballot) int {
		if (a.Arrived == 0) != (b.Arrived == 0) {
			return cmp.Compare(b.Arrived, a.Arrived)
		}
		return cmp.Compare(a.Arrived, b.Arrived)
	})
}

// WriteText prints the count for people: a line for the outcome, then the votes as they came.
func (c *Count) WriteText(w io.Writer) {
	c.settle()
	fmt.Fprintf(w, "  %s: policy %s, outcome %s: %s\n", c.Rule, c.Policy, c.Outcome, c.Because)
	for i, b := range c.Ballots {
		if b.Arrived == 0 {
			fmt.Fprintf(w, "     -  %s was not waited for\n", b.Sink)
			continue
		}
		fmt.Fprintf(w, "    %2d. %s %s\n", i+1, b.Sink, b.words())
	}
}

// words says what was voted, and what that did.
func (b *Ballot) words() string {
	voted := map[string]string{"allow": "allowed", "refuse": "refused", "abstain": "abstained", "failed": "failed"}[b.Vote]
	if b.Late {
		voted = "was late"
	}
	if b.CountsAs != "" {
		voted += ", which counts as " + b.CountsAs
	}
	switch b.Effect {
	case effectDecides:
		return voted + ": that decides"
	case effectAfter:
		return voted + ", after it was decided"
	}
	return voted + ": not decided yet"
}
