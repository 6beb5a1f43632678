package explain

import (
	"fmt"
	"strings"

	"callboard/openim"
	"callboard/router"
	"callboard/rules"
	"callboard/rules/when"
)

// ruleOf is what one rule makes of a callback. What else there is to say of a rule belongs here and into writeRule.
func ruleOf(e *rules.Explanation, phase openim.Phase) Rule {
	r := e.Rule
	told := Rule{
		Name: r.Name, File: r.File, Line: r.Line, Matched: e.Matched, MayMatch: e.MayMatch, Foreign: e.Foreign, Reason: e.Reason,
		When: r.When, Parts: []Part{}, Missing: MissingOf(e.Parts), Notify: r.Notify, Metadata: MetadataOf(r),
	}
	if e.Err != nil {
		told.Error = e.Err.Error()
	}
	for _, p := range e.Parts {
		told.Parts = append(told.Parts, Part{
			Depth: p.Depth, Text: p.Text, Value: p.Value, Truth: p.Truth.String(), Error: p.Err, Skipped: p.Skipped,
		})
	}
	if a := r.Await; a != nil {
		told.Await = &Await{Sinks: a.Sinks, Policy: a.Policy.Kind.String(), Quorum: a.Policy.N, Primary: a.Policy.Primary}
		if a.Deadline > 0 {
			told.Await.Deadline = a.Deadline.String()
		}
	}
	if e.Matched || e.MayMatch {
		told.Does = whatItDoes(r, phase)
	}
	return told
}

// MissingOf tells of each comparison that was missing which value of which field it saw.
func MissingOf(parts []when.Part) []Missing {
	var all []Missing
	for i, p := range parts {
		if !p.Missing {
			continue
		}
		m := Missing{Part: p.Text, Was: p.Value, Wanted: p.Wanted}
		fields := parts[i+1:]
		for n, f := range fields {
			if !f.IsField || f.Depth <= p.Depth {
				fields = fields[:n]
				break
			}
		}
		if len(fields) == 1 && !p.Err && p.Wanted != "" {
			m.Field, m.Was = fields[0].Text, fields[0].Value
		}
		all = append(all, m)
	}
	return all
}

// whatItDoes says what a rule does when it matches.
func whatItDoes(r *rules.Rule, phase openim.Phase) []string {
	var does []string
	if r.Reply != nil {
		does = append(does, ownReplyText(r.Reply))
	}
	if r.Await != nil {
		does = append(does, awaitText(r.Await, phase))
	}
	if len(r.Notify) > 0 {
		does = append(does, "notifies "+strings.Join(r.Notify, ", "))
	}
	if r.Stop {
		does = append(does, "ends matching")
	}
	return does
}

func ownReplyText(r *rules.Reply) string {
	if r.Refuse {
		return fmt.Sprintf("refuses with code %d and %q", r.Code, r.Message)
	}
	var set []string
	for _, f := range r.Fields {
		set = append(set, f.Name)
	}
	if len(set) == 0 {
		return "allows"
	}
	return "allows and sets " + strings.Join(set, ", ")
}

// awaitText says who is asked under which policy.
func awaitText(a *rules.Await, phase openim.Phase) string {
	text := "asks " + strings.Join(a.Sinks, ", ") + "; policy " + a.Policy.String()
	if a.Deadline > 0 {
		text += fmt.Sprintf("; deadline %v", a.Deadline)
	}
	return text + "; " + onFailureText(a, phase)
}

// onFailureText says what failed votes count as.
func onFailureText(a *rules.Await, phase openim.Phase) string {
	var bySink []string
	votes := make(map[openim.Vote]bool)
	for _, sink := range a.Sinks {
		vote, given := a.OnFailure[sink]
		if !given {
			vote = openim.Allow
			if phase == openim.After {
				vote = openim.Refuse
			}
		}
		votes[vote] = true
		bySink = append(bySink, fmt.Sprintf("%s %s", sink, vote))
	}
	if len(votes) == 1 {
		_, vote, _ := strings.Cut(bySink[0], " ")
		return "a failed vote counts as " + vote
	}
	return "failed votes count as " + strings.Join(bySink, ", ")
}

// countOf is what a policy did with its votes, in the order of their arrival.
func countOf(rule string, c *router.Count) Count {
	told := Count{Rule: rule, Policy: c.Policy.String(), Outcome: c.Outcome.String(), Because: c.Because(), Decided: c.Decided}
	if c.By >= 0 {
		told.By = c.Ballots[c.By].Sink
	}
	for _, b := range c.Ballots {
		ballot := Ballot{Sink: b.Sink, Arrived: b.Arrived, Late: b.Late}
		if b.Arrived > 0 {
			ballot.Vote = b.Vote.String()
		}
		if b.Arrived > 0 && b.Vote == openim.Failed {
			ballot.CountsAs = b.Counts().String()
		}
		told.Ballots = append(told.Ballots, ballot)
	}
	told.settle()
	return told
}
