// Package explain tells what rules make of one callback and why: which match, which nearly did, what was asked and what each
// policy did with the votes.
//
// New takes a set of rules, Explain makes a Report of a Case, and a Report is written as JSON or, by WriteText, for people. Nobody
// is asked. The command line explains the rules of a folder so, and package console those that serve.
package explain

import (
	"slices"
	"time"

	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// An Explainer explains by one set of rules. It is safe for concurrent use.
type Explainer struct {
	name      string
	set       *rules.Set
	rehearsal *router.Rehearsal
}

// New makes an Explainer. The name says where the rules are from, for people. Of o, Version and AnswerWithin count.
func New(name string, set *rules.Set, o router.Options) *Explainer {
	return &Explainer{name, set, router.NewRehearsal(set, o)}
}

// A Case is one callback with what is known of it.
type Case struct {
	Callback *openim.Callback // used by nobody else meanwhile
	Now      time.Time        // what conditions read as now
	Answers  map[string]Answer
	Unknown  []string // what nothing is known of, as rules.Explaining has it
	Nearest  int      // how many near misses are taken apart; negative: all
	Rule     string   // one rule that is taken apart in any case; "" for none
	Recorded *Recorded

	came router.Votes // when votes came, as recorded
}

// An Answer is what a sink is taken to answer.
type Answer struct {
	openim.Answer
	Source Source
}

// A Source says where an answer is from.
type Source string

// The sources of answers.
const (
	Given       Source = "given"    // somebody said so
	FromJournal Source = "recorded" // it was so
	Assumed     Source = "assumed"  // nobody knows
)

// Explain explains. A sink without an answer allows.
func (x *Explainer) Explain(c Case) *Report {
	cb := c.Callback
	votes := c.came
	for name, a := range c.Answers {
		votes.Answer(name, a.Answer, a.Source == Given)
	}
	if c.Recorded == nil { // nobody was waited for or not: sinks vote in the order of the rules
		for _, sink := range x.set.Sinks {
			if _, given := c.Answers[sink.Name]; !given {
				votes.Answer(sink.Name, openim.Answer{Vote: openim.Allow}, false)
			}
		}
	}
	how := rules.Explaining{Unknown: c.Unknown, Nearest: c.Nearest, Rule: c.Rule}
	examined := x.set.Examine(cb, c.Now, how)
	t := x.rehearsal.Run(cb, c.Now, votes)
	r := &Report{
		Command: cb.Name, Known: cb.Command != nil, Phase: cb.Phase().String(), Source: cb.Source, From: x.name, Now: c.Now,
		Revision: x.set.Revision, Rules: []Rule{}, Asked: []Asked{}, Notified: []Notified{}, Why: t.Why,
		Notes: append([]string{}, t.Notes...), Reply: t.Reply, Unknown: c.Unknown, Recorded: c.Recorded,
		Verdict: Verdict{Refuse: t.Verdict.Refuse, Code: t.Verdict.Code, Message: t.Verdict.Message, DecidedBy: t.DecidedBy},
	}
	for i := range examined.Rules {
		told := ruleOf(&examined.Rules[i], cb.Phase())
		if len(told.Parts) > 0 {
			told.Indexing = indexingOf(x.set, i)
		}
		r.Rules = append(r.Rules, told)
	}
	for _, place := range examined.Near {
		r.Near = append(r.Near, examined.Rules[place].Rule.Name)
	}
	for i := range t.Rules {
		if count := t.Rules[i].Count; count != nil {
			r.Counts = append(r.Counts, countOf(t.Rules[i].Rule, count))
		}
	}
	x.votes(r, t, c.Answers)
	for _, n := range t.Notified {
		r.Notified = append(r.Notified, Notified{Sink: n.Sink, Key: n.Key, Rules: n.Rules})
	}
	r.Shaped = x.shaped(cb, t)
	return r
}

// votes tells of each sink that was asked, and which were answered for in vain.
func (x *Explainer) votes(r *Report, t *router.Trace, answers map[string]Answer) {
	for _, s := range t.Asked {
		source := answers[s.Sink].Source
		if source == "" {
			source = Assumed
		}
		counted := s.Done || s.Answer.Reason == router.TooLate
		asked := Asked{Sink: s.Sink, Counted: counted, Assumed: source == Assumed, Source: source, Reason: s.Answer.Reason}
		if counted {
			asked.Vote, asked.Code, asked.Message = s.Answer.Vote.String(), s.Answer.Code, s.Answer.Message
		}
		r.Asked = append(r.Asked, asked)
	}
	for _, s := range x.set.Sinks {
		wasAsked := slices.ContainsFunc(r.Asked, func(a Asked) bool { return a.Sink == s.Name })
		if answers[s.Name].Source == Given && !wasAsked {
			r.Unasked = append(r.Unasked, s.Name)
		}
	}
}
