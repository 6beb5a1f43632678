package ruletest

import (
	"slices"
	"sync"

	"callboard/router"
	"callboard/rules"
)

// A Survivor is a change of a rule that no case notices.
type Survivor struct {
	rules.Mutant
	Untested bool // whether no case has a callback that the rule is for
}

// A MutationReport is what came of changing the rules.
type MutationReport struct {
	Tried     int
	Killed    int
	LeftOut   int // changes that were not tried, because there were more than asked for
	Survivors []Survivor
}

// Percent returns how many of the changes were noticed, 100 where there were none.
func (r *MutationReport) Percent() float64 {
	if r.Tried == 0 {
		return 100
	}
	return 100 * float64(r.Killed) / float64(r.Tried)
}

// Plus returns what came of two tables together. r may be nil.
func (r *MutationReport) Plus(other *MutationReport) *MutationReport {
	if r == nil {
		return other
	}
	return &MutationReport{
		Tried: r.Tried + other.Tried, Killed: r.Killed + other.Killed, LeftOut: r.LeftOut + other.LeftOut,
		Survivors: slices.Concat(r.Survivors, other.Survivors),
	}
}

// Mutate changes one rule at a time in one small way and plays the cases that have a callback for the rule, until one of them fails. All cases must
// pass before. most bounds how many changes are tried, spread over all there are; 0 tries all.
func (s *Suite) Mutate(most int) *MutationReport {
	var mutants []rules.Mutant
	for _, r := range s.Set.Rules {
		mutants = append(mutants, s.Set.Mutants(r)...)
	}
	report := new(MutationReport)
	if most > 0 && len(mutants) > most {
		report.LeftOut = len(mutants) - most
		mutants = spread(mutants, most)
	}
	report.Tried = len(mutants)
	casesFor := s.casesByRule()
	survived := make([]bool, len(mutants))
	inParallel(len(mutants), func(i int) { survived[i] = s.survives(&mutants[i], casesFor[mutants[i].Rule]) })
	for i := range mutants {
		if survived[i] {
			report.Survivors = append(report.Survivors, Survivor{mutants[i], len(casesFor[mutants[i].Rule]) == 0})
		}
	}
	report.Killed = report.Tried - len(report.Survivors)
	return report
}

// survives reports whether no case notices a change.
func (s *Suite) survives(m *rules.Mutant, cases []*Case) bool {
	if len(cases) == 0 {
		return true
	}
	r := s.rehearsal.With(m.Set())
	return !slices.ContainsFunc(cases, func(c *Case) bool { return len(c.compare(c.play(r))) > 0 })
}

// casesByRule says which cases have a callback for each rule, those first in which it matches: they notice most.
func (s *Suite) casesByRule() map[*rules.Rule][]*Case {
	var mu sync.Mutex
	matching, others := map[*rules.Rule][]*Case{}, map[*rules.Rule][]*Case{}
	inParallel(len(s.Cases), func(i int) {
		c := s.Cases[i]
		t := c.play(s.rehearsal)
		cb := c.callback()
		mu.Lock()
		defer mu.Unlock()
		for _, r := range s.Set.Rules {
			if !r.IsFor(cb) {
				continue
			}
			if slices.ContainsFunc(t.Rules, func(rt router.RuleTrace) bool { return rt.Rule == r.Name && rt.Matched }) {
				matching[r] = append(matching[r], c)
			} else {
				others[r] = append(others[r], c)
			}
		}
	})
	for r, cases := range others {
		matching[r] = append(matching[r], cases...)
	}
	return matching
}

// spread picks n of more, at equal distances.
func spread(all []rules.Mutant, n int) []rules.Mutant {
	picked := make([]rules.Mutant, n)
	for i := range picked {
		picked[i] = all[i*len(all)/n]
	}
	return picked
}
