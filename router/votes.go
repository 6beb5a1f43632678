package router

import (
	"cmp"
	"slices"

	"callboard/openim"
	"callboard/sinks"
)

// Votes are what is known of how sinks answered one callback. The zero value knows nothing.
type Votes struct {
	// Answers are the sinks' answers by their names.
	Answers map[string]openim.Answer
	// Otherwise is the answer of the other sinks. Nil means that they allow.
	Otherwise *openim.Answer

	arrived map[string]int      // sink → place in the order of arrival, from 1
	late    map[string][]string // rule → sinks that its deadline came before
}

// Votes returns what is known of the votes. Sinks whose answer was not waited for have none.
func (t *Trace) Votes() Votes {
	var v Votes
	for i := range t.Asked {
		if a := &t.Asked[i]; a.Done || a.Answer.Reason == tooLate {
			v.Answer(a.Sink, a.Answer, false)
		}
	}
	for i := range t.Rules {
		r := &t.Rules[i]
		if r.Count == nil {
			continue
		}
		for _, b := range r.Count.Ballots {
			v.Came(r.Rule, b.Sink, b.Arrived, b.Late)
		}
	}
	return v
}

// Came notes when a sink's vote came to a rule, as a Ballot has it: it comes in the same order again, and where it was too late
// for the rule it is again.
func (v *Votes) Came(rule, sink string, arrived int, late bool) {
	switch {
	case arrived <= 0:
	case late:
		if v.late == nil {
			v.late = map[string][]string{}
		}
		v.late[rule] = append(v.late[rule], sink)
	default:
		if v.arrived == nil {
			v.arrived = map[string]int{}
		}
		v.arrived[sink] = arrived
	}
}

// Answer says what a sink answers; anew also that it does so in time, whenever its vote came.
func (v *Votes) Answer(sink string, a openim.Answer, anew bool) {
	if v.Answers == nil {
		v.Answers = map[string]openim.Answer{}
	}
	v.Answers[sink] = a
	if anew {
		for rule, sinks := range v.late {
			v.late[rule] = slices.DeleteFunc(sinks, func(name string) bool { return name == sink })
		}
	}
}

// The order of votes beyond those whose place is known.
const (
	sometime  = 1<<30 + iota // it came
	atTheEnd                 // it was too late for whoever waited
	neverSaid                // nothing is known of it
)

func (v *Votes) place(sink string) int {
	a, given := v.Answers[sink]
	switch {
	case v.arrived[sink] > 0:
		return v.arrived[sink]
	case !given:
		return neverSaid
	case a.Reason == tooLate:
		return atTheEnd
	}
	return sometime
}

// cast has the sinks vote, as long as that matters. Those of which nothing is known come last: where nobody waited for one, it was
// not needed.
func (v *Votes) cast(c *call) {
	c.delay(v.late)
	order := make([]int, len(c.asks))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(v.place(c.asks[a].sink.name), v.place(c.asks[b].sink.name))
	})
	late := slices.IndexFunc(order, func(i int) bool { return v.place(c.asks[i].sink.name) >= atTheEnd })
	if late < 0 {
		late = len(order)
	}
	v.answer(c, order[:late])
	if _, wait := c.next(); wait {
		c.expireLate()
	}
	v.answer(c, order[late:])
}

// answer has sinks answer, as long as somebody waits.
func (v *Votes) answer(c *call, places []int) {
	for _, i := range places {
		if _, wait := c.next(); !wait {
			return
		}
		name := c.asks[i].sink.name
		a, given := v.Answers[name]
		switch {
		case given:
		case v.Otherwise != nil:
			a = *v.Otherwise
		default:
			a.Vote = openim.Allow
		}
		c.arrive(i, sinks.Result{Sink: name, Answer: a})
	}
}

// delay marks the ballots of sinks that a rule's deadline will come before, by the rule's name.
func (c *call) delay(late map[string][]string) {
	if len(late) == 0 {
		return
	}
	for i := range c.matched {
		m := &c.matched[i]
		for j := range m.ballots {
			m.ballots[j].Late = slices.Contains(late[m.rule.Name], m.ballots[j].Sink)
		}
	}
}

// expireLate has the deadlines pass that delay has marked ballots for.
func (c *call) expireLate() {
	for i := range c.matched {
		m := &c.matched[i]
		for j := range m.ballots {
			if b := &m.ballots[j]; b.Late && b.Arrived == 0 {
				b.Arrived, b.Vote = len(c.asks)+1, openim.Failed
				c.asks[m.asks[j]].late = true
			}
		}
		m.tally()
	}
}
