package router

import (
	"fmt"
	"strings"
	"time"

	"callboard/openim"
	"callboard/sinks"
)

// why says in one sentence how the verdict came about.
func (c *call) why(t *Trace) string {
	if t.DecidedBy != "" {
		for _, r := range t.Rules {
			if r.Rule == t.DecidedBy && r.Why != "" {
				if t.Verdict.Code == CodeConflict {
					return "rule " + r.Rule + ": " + t.Verdict.Detail
				}
				return "rule " + r.Rule + ": " + r.Why
			}
		}
		return "rule " + t.DecidedBy + ": " + t.Verdict.Detail
	}
	if len(c.matched) == 0 {
		return "no rule matched"
	}
	var b strings.Builder
	for _, r := range t.Rules {
		if r.Why == "" || !r.Matched {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString("rule ")
		b.WriteString(r.Rule)
		b.WriteString(": ")
		b.WriteString(r.Why)
	}
	if b.Len() == 0 {
		return "no matching rule asks or refuses"
	}
	return b.String()
}

// whyRule says what a rule's policy did with its votes: "policy all: moderation refused, risk failed
// (no answer within 300ms) and counts as allow".
func (c *call) whyRule(m *matched) string {
	var b strings.Builder
	b.WriteString("policy ")
	b.WriteString(m.rule.Await.Policy.String())
	for i := range m.ballots {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString(", ")
		}
		c.describe(&b, &m.ballots[i], &c.asks[m.asks[i]])
	}
	return b.String()
}

func (c *call) describe(b *strings.Builder, v *Ballot, a *ask) {
	b.WriteString(v.Sink)
	switch {
	case v.Arrived == 0:
		b.WriteString(" was not waited for")
	case v.Vote == openim.Allow:
		b.WriteString(" allowed")
	case v.Vote == openim.Abstain:
		b.WriteString(" abstained")
	case v.Vote == openim.Refuse:
		b.WriteString(" refused")
		if a.result.Answer.Message != "" {
			fmt.Fprintf(b, " (%d %q)", a.result.Answer.Code, a.result.Answer.Message)
		}
	default:
		b.WriteString(" failed (")
		b.WriteString(v.reason(a))
		b.WriteString(") and counts as ")
		b.WriteString(v.Failure.String())
	}
	if kept := keptText(a.result); kept != "" && !v.Late {
		b.WriteString(" (")
		b.WriteString(kept)
		b.WriteByte(')')
	}
}

// keptText says of a vote that was kept how old it is, and why an old one was used; "" for a new one.
func keptText(r sinks.Result) string {
	age := r.Age.Round(time.Millisecond)
	if age > 10*time.Second {
		age = age.Round(time.Second)
	}
	switch r.Cache {
	case sinks.Hit:
		return fmt.Sprintf("cached, %v old", age)
	case sinks.Stale:
		return fmt.Sprintf("stale, %v old: %s", age, r.Failure)
	}
	return ""
}

func ruleNames(rules []RuleTrace) string {
	var b strings.Builder
	for i, r := range rules {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(r.Rule)
		if r.Err != "" {
			b.WriteString("(error)")
		}
	}
	return b.String()
}

// votesText is one word a sink for the log: moderation=allow:3ms.
func votesText(asked []SinkTrace) string {
	var b strings.Builder
	for i := range asked {
		a := &asked[i]
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(a.Sink)
		b.WriteByte('=')
		if !a.Done {
			b.WriteString("out")
			continue
		}
		b.WriteString(a.Answer.Vote.String())
		b.WriteByte(':')
		switch a.Cache {
		case sinks.Hit:
			b.WriteString("cached")
			continue
		case sinks.Stale:
			b.WriteString("stale:")
		}
		b.WriteString(a.Duration.Round(100 * time.Microsecond).String())
		if a.Attempts > 1 {
			fmt.Fprintf(&b, "/%d", a.Attempts)
		}
	}
	return b.String()
}

// notifiedText names the sinks that are to get the callback delivered.
func notifiedText(t *Trace) string {
	if !t.Queued {
		return ""
	}
	var b strings.Builder
	for i := range t.Notified {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.Notified[i].Sink)
	}
	return b.String()
}
