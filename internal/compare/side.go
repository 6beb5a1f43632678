package compare

import (
	"time"

	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// A Side is one of two sets of rules that are compared. It is safe for concurrent use.
type Side struct {
	Set       *rules.Set
	rehearsal *router.Rehearsal
	rules     map[string]*rules.Rule // by name
	unsure    []*rules.Rule          // that read what nobody has recorded
}

// notRecorded are the values that conditions read and the journal does not keep.
const notRecorded = "headers"

// NewSide makes a set ready. Of o, Version and AnswerWithin count.
func NewSide(set *rules.Set, o router.Options) *Side {
	s := &Side{Set: set, rehearsal: router.NewRehearsal(set, o), rules: make(map[string]*rules.Rule, len(set.Rules))}
	for _, r := range set.Rules {
		s.rules[r.Name] = r
		if r.Reads(notRecorded) {
			s.unsure = append(s.unsure, r)
		}
	}
	return s
}

// Rule returns a rule by its name, nil where the set has none.
func (s *Side) Rule(name string) *rules.Rule { return s.rules[name] }

// Unsure returns the rules for a recorded callback that read what the journal does not keep of it: what they come to is not
// certain.
func (s *Side) Unsure(cb *openim.Callback) []*rules.Rule {
	var found []*rules.Rule
	for _, r := range s.unsure {
		if r.IsFor(cb) {
			found = append(found, r)
		}
	}
	return found
}

// Rehearse tells what comes of a callback that came at a time, if sinks vote so. assumed is the answer of those of which nothing is
// known; unheard names the sinks among these whose answer mattered. It may be called concurrently, each time with another
// callback.
func (s *Side) Rehearse(cb *openim.Callback, at time.Time, votes router.Votes, assumed openim.Answer) (o Outcome, unheard []string) {
	votes.Otherwise = &assumed
	t := s.rehearsal.Run(cb, at, votes)
	for i := range t.Asked {
		if _, heard := votes.Answers[t.Asked[i].Sink]; !heard && t.Asked[i].Done {
			unheard = append(unheard, t.Asked[i].Sink)
		}
	}
	return s.Outcome(t), unheard
}

// Outcome is what a trace of this side's rules came to.
func (s *Side) Outcome(t *router.Trace) Outcome {
	o := Outcome{Refused: t.Verdict.Refuse, Code: t.Verdict.Code, Message: t.Verdict.Message, DecidedBy: t.DecidedBy, Fields: t.Verdict.Fields}
	for i := range t.Rules {
		r := &t.Rules[i]
		if r.Matched {
			o.Matched = append(o.Matched, r.Rule)
		}
		if r.Err != "" {
			o.Failed = append(o.Failed, r.Rule)
		}
	}
	for i := range t.Asked {
		o.Asked = append(o.Asked, Part{Sink: t.Asked[i].Sink, Rules: s.asking(o.Matched, t.Asked[i].Sink)})
	}
	for _, n := range t.Notified {
		o.Notified = append(o.Notified, Part{Sink: n.Sink, Key: n.Key, Rules: n.Rules})
	}
	return o
}

// asking returns those of the matched rules that await a sink.
func (s *Side) asking(matched []string, sink string) []string {
	var found []string
	for _, name := range matched {
		r := s.rules[name]
		if r == nil || r.Await == nil {
			continue
		}
		for _, asked := range r.Await.Sinks {
			if asked == sink {
				found = append(found, name)
			}
		}
	}
	return found
}
