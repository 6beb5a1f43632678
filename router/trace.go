package router

import (
	"context"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"callboard/internal/queue"
	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// A Trace tells why a callback ended as it did. It is complete when OnTrace gets it and is not
// changed afterwards.
type Trace struct {
	ID          string // of this callback, given by Callboard
	Command     string // wire name, "" when it did not decode
	Source      string
	OperationID string
	MessageID   string
	Received    time.Time
	Duration    time.Duration // to the answer
	Revision    string        // of the table
	Canary      bool          // whether that is the candidate's
	Rules       []RuleTrace   // that matched, or failed
	Asked       []SinkTrace   // in the order of rules and their sinks
	Verdict     openim.Verdict
	DecidedBy   string   // name of the rule that refused, "" when none did
	Why         string   // one sentence for people; "" where nobody looks on and all who were asked allowed
	Notes       []string // fields left out, lists cut, and the like
	Trouble     string   // kind of trouble, "" when there was none: broken_json, no_rules, too_large …
	Reply       []byte   // as sent

	TraceParent string         // that requests to sinks carry, "" when no rule matched
	Hops        int            // gateways that it had passed before this one
	Notified    []queue.Target // sinks that are to get it delivered
	Queued      bool           // whether those are on disk
	RepeatOf    string         // id of the callback that this one repeats, "" when it is none or dedup is off
	ReplayOf    string         // id of the callback that was replayed, "" when it is no replay
	// Callback is what came, nil when it did not decode. Only its exported fields may be read by more than one goroutine.
	Callback *openim.Callback

	undecided bool // while it is being decided
}

// A RuleTrace is what one rule came to.
type RuleTrace struct {
	Rule     string
	Decision string // allow, refuse, abstain or undecided; "" when the rule decides nothing
	Why      string // what the policy did with the votes, or "" as in Trace
	Err      string // of its condition, or ""
	Matched  bool   // false only with Err: on_error is skip
	Count    *Count // of the votes of who was asked; nil where nobody was, or as Why

	Metadata *rules.Metadata // what the rule's author says of it; of the table, read-only
}

// A SinkTrace is what one sink came to.
type SinkTrace struct {
	sinks.Result
	Done bool // whether its result was in hand when the answer left
}

// describe notes what people search for.
func (t *Trace) describe(cb *openim.Callback) {
	t.Command, t.Source = cb.Name, cb.Source
	t.OperationID, t.MessageID = cb.OperationID(), cb.MessageID()
}

// conclude folds the votes into the verdict and notes how it came about. Sentences cost more than they
// tell where all who were asked allowed, so there they are only written for somebody who looks on.
func (t *Trace) conclude(c *call, plan rules.Plan, watched bool) {
	var left []string
	t.Verdict, t.DecidedBy, left = c.fold()
	t.Notes = append(t.Notes, plan.Notes...)
	t.Notes = append(t.Notes, c.notes...)
	t.Notes = append(t.Notes, left...)
	for _, name := range c.cb.Mismatches() {
		t.Notes = append(t.Notes, "field "+name+" has another type than IMServer documents; conditions saw it as empty")
	}
	for _, e := range plan.Errors {
		if !e.Matched {
			t.Rules = append(t.Rules, RuleTrace{Rule: e.Rule.Name, Err: e.Err.Error(), Metadata: &e.Rule.Metadata})
		}
	}
	worded := watched || t.Verdict.Refuse || !c.unanimous()
	for i := range c.matched {
		t.Rules = append(t.Rules, c.traceRule(&c.matched[i], plan, worded))
	}
	for i := range c.asks {
		a := &c.asks[i]
		st := SinkTrace{Result: a.result, Done: a.done}
		if !a.done {
			st.Sink, st.Answer.Reason = a.sink.name, "its answer was not waited for"
			if a.late {
				st.Answer.Reason = tooLate
			}
		}
		t.Asked = append(t.Asked, st)
	}
	if worded {
		t.Why = c.why(t)
	}
}

// unanimous reports whether somebody was asked and all of them allowed.
func (c *call) unanimous() bool {
	for i := range c.asks {
		if a := &c.asks[i]; !a.done || a.result.Answer.Vote != openim.Allow {
			return false
		}
	}
	return len(c.asks) > 0
}

func (c *call) traceRule(m *matched, plan rules.Plan, worded bool) RuleTrace {
	rt := RuleTrace{Rule: m.rule.Name, Matched: true, Metadata: &m.rule.Metadata}
	for _, e := range plan.Errors {
		if e.Rule == m.rule.Rule {
			rt.Err = e.Err.Error()
		}
	}
	switch {
	case m.ownRefusal():
		rt.Decision, rt.Why = "refuse", "its own reply refuses"
	case len(m.ballots) > 0:
		rt.Decision = m.outcome.String()
		if worded {
			rt.Why, rt.Count = c.whyRule(m), m.count()
		}
	case m.rule.Reply != nil:
		rt.Decision, rt.Why = "allow", "its own reply allows"
	}
	return rt
}

// logTrace writes the one line of a callback.
func (g *Gateway) logTrace(cb *openim.Callback, t *Trace) {
	level := slog.LevelInfo
	if t.Trouble != "" {
		level = slog.LevelWarn
	}
	ctx := context.Background()
	if !g.log.Enabled(ctx, level) {
		return
	}
	verdict := "allow"
	if t.Verdict.Refuse {
		verdict = "refuse"
	}
	attrs := append(make([]slog.Attr, 0, 19),
		slog.String("callback", t.ID),
		slog.String("command", clip(shortName(cb, t.Command))),
		slog.String("verdict", verdict),
		slog.Float64("ms", float64(t.Duration.Microseconds())/1000),
		slog.String("revision", t.Revision),
		slog.String("operation_id", clip(t.OperationID)))
	if t.Canary {
		attrs = append(attrs, slog.Bool("canary", true))
	}
	attrs = appendIf(attrs, "message_id", t.MessageID)
	attrs = appendIf(attrs, "source", t.Source)
	attrs = appendIf(attrs, "rules", ruleNames(t.Rules))
	attrs = appendIf(attrs, "asked", votesText(t.Asked))
	attrs = appendIf(attrs, "notified", notifiedText(t))
	attrs = appendIf(attrs, "repeat_of", t.RepeatOf)
	attrs = appendIf(attrs, "decided_by", t.DecidedBy)
	attrs = appendIf(attrs, "owner", t.owner())
	attrs = appendIf(attrs, "why", t.Why)
	attrs = appendIf(attrs, "trouble", t.Trouble)
	attrs = appendIf(attrs, "notes", strings.Join(t.Notes, "; "))
	if t.Verdict.Refuse {
		attrs = append(attrs, slog.Int("code", int(t.Verdict.Code)), slog.String("message", clip(t.Verdict.Message)))
	}
	// Not LogAttrs: it would look up the caller's place in the code for each line, for nobody.
	r := slog.NewRecord(t.Received.Add(t.Duration), level, "callback answered", 0)
	r.AddAttrs(attrs...)
	_ = g.log.Handler().Handle(ctx, r) // a handler that fails has nowhere to say so
}

// owner is the team that answers for the rule that decided, "" where there is none.
func (t *Trace) owner() string {
	if t.DecidedBy == "" {
		return ""
	}
	for i := range t.Rules {
		if r := &t.Rules[i]; r.Rule == t.DecidedBy && r.Metadata != nil {
			return r.Metadata.Owner
		}
	}
	return ""
}

func appendIf(attrs []slog.Attr, key, value string) []slog.Attr {
	if value == "" {
		return attrs
	}
	return append(attrs, slog.String(key, clip(value)))
}

// maxLogged bounds each value of a log line, in bytes: users, IMServer and sinks choose some of them.
const maxLogged = 4 << 10

// clip cuts a text to maxLogged, between two characters.
func clip(s string) string {
	if len(s) <= maxLogged {
		return s
	}
	end := maxLogged
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func shortName(cb *openim.Callback, name string) string {
	if cb != nil && cb.Command != nil {
		return cb.Command.Short
	}
	return name
}
