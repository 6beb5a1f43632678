package rules

import (
	"fmt"

	"callboard/rules/formula"
	"callboard/rules/when"
)

// A condition that no index can use is evaluated for every callback of its commands. That is worth a word where callbacks would
// else meet much less: among many rules when the same can be said so that it is indexed, and else when such conditions pile up.
const (
	manyConditions = 30  // rules with conditions, for one command: from here on an index is quicker than looking at each
	manyScanned    = 100 // of them scanned: each callback pays some tens of microseconds
)

// conditionCount is how many conditions there are for a command.
type conditionCount struct{ all, scanned int }

// checkScanned finds conditions that are evaluated for every callback and cost more than they need to.
func (a *analysis) checkScanned() {
	s := &Set{}
	for _, r := range a.ordered() {
		s.Rules = append(s.Rules, r.Rule)
	}
	s.buildIndex()
	counts := map[commandKey]conditionCount{}
	var scanned []*outline
	for i, r := range a.ordered() {
		if r.cond == nil {
			continue
		}
		is := !a.never[r] && !r.always && r.cond.Candidate().Op != formula.Nothing && isScanned(s.index.Found(uint32(i)))
		if is {
			scanned = append(scanned, r)
		}
		for _, c := range r.commandKeys() {
			n := counts[c]
			n.all++
			if is {
				n.scanned++
			}
			counts[c] = n
		}
	}
	for _, r := range scanned {
		c, n := busiest(r, counts)
		if n.all < manyConditions {
			continue
		}
		gaps := r.cond.Gaps()
		if len(gaps) == 0 {
			continue // it is always true, which is another finding
		}
		if g, helps := mainGap(r.cond, gaps); helps || n.scanned >= manyScanned {
			full := r.draft()
			full.from.conditionProblem(full, scannedProblem(r, g, helps, c, n))
		}
	}
}

// busiest returns the command of a rule for which there are the most conditions, scanned ones first.
func busiest(r *outline, counts map[commandKey]conditionCount) (most commandKey, n conditionCount) {
	keys := r.commandKeys()
	if r.forAll() {
		for c := range counts {
			keys = append(keys, c)
		}
	}
	forAll := commandKey{name: "*"}
	for _, c := range keys {
		of := counts[c]
		if c != forAll { // its callbacks meet the rules for all commands, too
			of.all += counts[forAll].all
			of.scanned += counts[forAll].scanned
		}
		if of.scanned > n.scanned || of.scanned == n.scanned && (of.all > n.all || of.all == n.all && c.text() < most.text()) {
			most, n = c, of
		}
	}
	return most, n
}

func (c commandKey) text() string {
	switch {
	case c.known != nil:
		return c.known.Short
	case c.name == "*":
		return "callback"
	}
	return c.name
}

func scannedProblem(r *outline, g when.Gap, helps bool, c commandKey, n conditionCount) when.Problem {
	p := when.Problem{ID: idScanned, Warning: true, Start: g.Start, End: g.End}
	among := fmt.Sprintf("%d rules have conditions", n.all)
	p.Hint = g.Rewrite + " says the same, and an index can use it"
	if !helps {
		among = fmt.Sprintf("%d conditions are scanned so", n.scanned)
		p.Hint = "add what else is necessary, joined by &&, such as a group or a content type"
	}
	p.Message = fmt.Sprintf("the condition of rule %q is evaluated for every %s, for which %s; %s", r.Name, c.text(), among, g.Because)
	return p
}
