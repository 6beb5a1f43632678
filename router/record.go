package router

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"callboard/internal/journal"
	"callboard/openim"
	"callboard/sinks"
)

// senders are the fields that may say who caused a callback, the most telling first.
var senders = []string{"sendID", "fromUserID", "ownerUserID", "opUserID", "userID", "creatorUserID"}

// Record is the trace as the journal keeps it. withBodies leaves out nothing; without it, what users have written stays
// out, and what sinks have, who may quote it: the body, the reply, and the texts of refusals.
func (t *Trace) Record(withBodies bool) *journal.Callback {
	page := tracePage{t, withBodies}
	if !withBodies { // nor do they wait in memory until the journal has written the page: it counts none there
		bare := *t
		bare.Callback, bare.Reply = nil, nil
		page.t = &bare
	}
	r := &journal.Callback{
		ID:          t.ID,
		At:          t.Received,
		Duration:    t.Duration,
		Command:     t.Command,
		Source:      t.Source,
		OperationID: t.OperationID,
		MessageID:   t.MessageID,
		Revision:    t.Revision,
		Verdict:     "allow",
		Trouble:     t.Trouble,
		Hops:        t.Hops,
		RepeatOf:    t.RepeatOf,
		ReplayOf:    t.ReplayOf,
		Trace:       page,
	}
	if t.Verdict.Refuse {
		r.Verdict, r.Code = "refuse", t.Verdict.Code
	}
	for i := range t.Rules {
		if t.Rules[i].Matched {
			r.Rules = append(r.Rules, t.Rules[i].Rule)
		}
	}
	for i := range t.Asked {
		r.Asked = append(r.Asked, t.Asked[i].Sink)
	}
	if t.Queued {
		for i := range t.Notified {
			r.Notified = append(r.Notified, t.Notified[i].Sink)
		}
	}
	if cb := t.Callback; cb != nil {
		r.Path, r.Query = cb.Path, cb.RawQuery
		r.GroupID = cb.Value("groupID", openim.String).(string)
		for _, name := range senders {
			if r.SenderID = cb.Value(name, openim.String).(string); r.SenderID != "" {
				break
			}
		}
		if withBodies {
			r.Body = cb.Body
		}
	}
	return r
}

// A tracePage is the part of a trace that a record does not say by itself, as JSON. It is written in the background,
// by hand: there is one for every callback.
type tracePage struct {
	t          *Trace
	withBodies bool
}

// AppendJSON appends the page to b.
func (p tracePage) AppendJSON(b []byte) []byte {
	t := p.t
	w := &objectWriter{b: append(b, '{'), first: true}
	w.text("why", p.told(t.Why))
	w.text("decided_by", t.DecidedBy)
	if p.withBodies {
		w.text("message", t.Verdict.Message)
		w.text("detail", t.Verdict.Detail)
	}
	w.text("traceparent", t.TraceParent)
	w.truth("canary", t.Canary)
	w.list("rules", len(t.Rules), func(i int) {
		r := &t.Rules[i]
		w.text("rule", r.Rule)
		w.text("decision", r.Decision)
		w.text("why", p.told(r.Why))
		w.text("error", r.Err)
		if m := r.Metadata; m != nil { // the rest of it is with the rule: this is written for every callback
			w.text("owner", m.Owner)
			w.text("runbook", m.Runbook)
		}
		w.count(r.Count)
	})
	w.list("asked", len(t.Asked), func(i int) { p.asked(w, &t.Asked[i]) })
	w.list("notified", len(t.Notified), func(i int) {
		n := &t.Notified[i]
		w.text("sink", n.Sink)
		w.text("key", n.Key)
		w.texts("rules", n.Rules)
	})
	w.list("fields", len(t.Verdict.Fields), func(i int) { w.text("name", t.Verdict.Fields[i].Name) })
	w.texts("notes", t.Notes)
	if p.withBodies {
		w.text("reply", string(t.Reply))
	}
	return append(w.b, '}')
}

// told is a sentence, which without bodies has not the texts that sinks refused with.
func (p tracePage) told(sentence string) string {
	if p.withBodies || sentence == "" {
		return sentence
	}
	for i := range p.t.Asked {
		if m := p.t.Asked[i].Answer.Message; m != "" {
			sentence = strings.ReplaceAll(sentence, " "+strconv.Quote(m), "")
		}
	}
	return sentence
}

func (p tracePage) asked(w *objectWriter, a *SinkTrace) {
	w.text("sink", a.Sink)
	if !a.Done {
		w.text("vote", "out")
		w.text("reason", a.Answer.Reason)
		return
	}
	w.text("vote", a.Answer.Vote.String())
	w.text("reason", a.Answer.Reason)
	w.number("attempts", int64(a.Attempts))
	w.number("status", int64(a.Status))
	w.number("code", int64(a.Answer.Code))
	if p.withBodies {
		w.text("message", a.Answer.Message)
		w.values("set", a.Answer.Fields)
	}
	w.milliseconds("ms", a.Duration)
	if a.Cache != sinks.NoCache {
		w.text("cache", a.Cache.String())
		if a.Cache != sinks.Miss {
			w.milliseconds("age_ms", a.Age)
		}
		w.text("failure", a.Failure)
	}
}

// count writes how a rule's policy came to its outcome.
func (w *objectWriter) count(c *Count) {
	if c == nil {
		return
	}
	w.text("policy", c.Policy.String())
	w.text("because", c.Because())
	w.number("decided", int64(c.Decided))
	if c.By >= 0 {
		w.text("by", c.Ballots[c.By].Sink)
	}
	w.list("ballots", len(c.Ballots), func(i int) {
		b := &c.Ballots[i]
		w.text("sink", b.Sink)
		w.number("arrived", int64(b.Arrived))
		if b.Arrived == 0 {
			return
		}
		w.text("vote", b.Vote.String())
		if b.Vote == openim.Failed {
			w.text("counts_as", b.Failure.String())
		}
		w.truth("late", b.Late)
	})
}

// TooLate is why the record of a sink that was asked has no vote where a rule's deadline came before its answer. Others without
// a vote were not needed any more.
const TooLate = tooLate

// maxSet bounds what is kept of the fields that one sink set, in bytes of their values: beyond it, set is null.
const maxSet = 64 << 10

// An objectWriter appends members to a JSON object; empty ones are left out.
type objectWriter struct {
	b     []byte
	first bool
}

func (w *objectWriter) name(name string) {
	if !w.first {
		w.b = append(w.b, ',')
	}
	w.first = false
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *objectWriter) text(name, value string) {
	if value != "" {
		w.name(name)
		w.quoted(value)
	}
}

// quoted appends a JSON string. Bytes that are no UTF-8 become U+FFFD, which is the only error there is.
func (w *objectWriter) quoted(s string) { w.b, _ = jsontext.AppendQuote(w.b, s) }

func (w *objectWriter) texts(name string, values []string) {
	if len(values) == 0 {
		return
	}
	w.name(name)
	w.b = append(w.b, '[')
	for i, v := range values {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.quoted(v)
	}
	w.b = append(w.b, ']')
}

// values appends fields as an object.
func (w *objectWriter) values(name string, fields []openim.FieldValue) {
	if len(fields) == 0 {
		return
	}
	size := 0
	for i := range fields {
		size += len(fields[i].Raw)
	}
	w.name(name)
	if size > maxSet {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = append(w.b, '{')
	w.first = true
	for i := range fields {
		if !w.first {
			w.b = append(w.b, ',')
		}
		w.first = false
		w.quoted(fields[i].Name)
		w.b = append(w.b, ':')
		w.b = append(w.b, fields[i].Raw...)
	}
	w.b = append(w.b, '}')
	w.first = false
}

func (w *objectWriter) number(name string, n int64) {
	if n != 0 {
		w.name(name)
		w.b = strconv.AppendInt(w.b, n, 10)
	}
}

func (w *objectWriter) truth(name string, truth bool) {
	if truth {
		w.name(name)
		w.b = append(w.b, "true"...)
	}
}

func (w *objectWriter) milliseconds(name string, d time.Duration) {
	w.name(name)
	w.b = strconv.AppendFloat(w.b, float64(d.Microseconds())/1000, 'f', -1, 64)
}

// list appends n objects, whose members each writes.
func (w *objectWriter) list(name string, n int, each func(i int)) {
	if n == 0 {
		return
	}
	w.name(name)
	for i := range n {
		w.b = append(w.b, "[{"[min(i, 1):]...)
		w.first = true
		each(i)
		w.b = append(w.b, '}', ',')
	}
	w.b[len(w.b)-1] = ']'
	w.first = false
}
