package ruletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"callboard/internal/explain"
	"callboard/internal/queue"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// A Failure is one expectation that was not met.
type Failure struct {
	What string // as in the file: rules, asked, verdict, …
	Want string
	Got  string
	Why  []string // lines that say why, of a rule that did not match

	missing string // the rule that was expected and did not match
}

// compare holds a trace against what the case expects.
func (c *Case) compare(t *router.Trace) []Failure {
	f := failures{e: &c.Expect}
	f.rules(t)
	f.asked(t)
	f.notified(t)
	f.verdict(t)
	f.fields(t)
	f.time(t)
	return f.list
}

type failures struct {
	e    *rules.Expectation
	list []Failure
}

func (f *failures) add(what, want, got string) {
	f.list = append(f.list, Failure{What: what, Want: want, Got: got})
}

// only reports whether there may be nothing but what a list names: an empty one says that there is to be nothing.
func (f *failures) only(given bool, n int) bool { return f.e.NothingElse || given && n == 0 }

func (f *failures) rules(t *router.Trace) {
	var matched, failed []string
	for i := range t.Rules {
		r := &t.Rules[i]
		if r.Matched {
			matched = append(matched, r.Rule)
		}
		if r.Err != "" {
			failed = append(failed, r.Rule)
		}
	}
	for _, name := range f.e.Rules {
		if !slices.Contains(matched, name) {
			f.add("rules", name, "does not match")
			f.list[len(f.list)-1].missing = name
		}
	}
	only := f.only(f.e.Rules != nil, len(f.e.Rules))
	for _, name := range matched {
		if slices.Contains(f.e.NotRules, name) || only && !slices.Contains(f.e.Rules, name) {
			f.add("rules", "not "+name, "matches")
		}
	}
	for _, name := range f.e.Errors {
		if !slices.Contains(failed, name) {
			f.add("errors", name, "its condition does not fail")
		}
	}
	for i := range t.Rules {
		if r := &t.Rules[i]; r.Err != "" && (f.e.NothingElse || f.e.Errors != nil) && !slices.Contains(f.e.Errors, r.Rule) {
			f.add("errors", "not "+r.Rule, r.Err)
		}
	}
}

func (f *failures) asked(t *router.Trace) {
	for _, want := range f.e.Asked {
		i := slices.IndexFunc(t.Asked, func(a router.SinkTrace) bool { return a.Sink == want.Sink })
		if i < 0 {
			f.add("asked", want.Sink, "not asked")
			continue
		}
		got := &t.Asked[i]
		if vote := voteOf(got); want.Vote != "" && want.Vote != vote {
			f.add("asked", want.Sink+": "+want.Vote, voteText(got))
		}
		if want.Attempts > 0 && want.Attempts != got.Attempts {
			f.add("asked", fmt.Sprintf("%s: %d attempts", want.Sink, want.Attempts), fmt.Sprintf("%d, %s", got.Attempts, voteText(got)))
		}
	}
	only := f.only(f.e.Asked != nil, len(f.e.Asked))
	for i := range t.Asked {
		name := t.Asked[i].Sink
		expected := slices.ContainsFunc(f.e.Asked, func(v rules.ExpectedVote) bool { return v.Sink == name })
		if slices.Contains(f.e.NotAsked, name) || only && !expected {
			f.add("asked", "not "+name, voteText(&t.Asked[i]))
		}
	}
}

// voteOf is a vote in one word: out where it was not waited for.
func voteOf(a *router.SinkTrace) string {
	if !a.Done {
		return "out"
	}
	return a.Answer.Vote.String()
}

// voteText is a vote for people.
func voteText(a *router.SinkTrace) string {
	switch {
	case !a.Done || a.Answer.Vote == openim.Failed:
		return voteOf(a) + ": " + a.Answer.Reason
	case a.Answer.Vote == openim.Refuse:
		return fmt.Sprintf("refuse %d %q", a.Answer.Code, a.Answer.Message)
	}
	return voteOf(a)
}

func (f *failures) notified(t *router.Trace) {
	for _, want := range f.e.Notified {
		i := slices.IndexFunc(t.Notified, func(n queue.Target) bool { return n.Sink == want.Sink })
		switch {
		case i < 0:
			f.add("notified", want.Sink, "not notified")
		case want.Key != nil && *want.Key != t.Notified[i].Key:
			f.add("notified", fmt.Sprintf("%s: key %q", want.Sink, *want.Key), fmt.Sprintf("key %q", t.Notified[i].Key))
		}
	}
	only := f.only(f.e.Notified != nil, len(f.e.Notified))
	for _, n := range t.Notified {
		expected := slices.ContainsFunc(f.e.Notified, func(e rules.ExpectedNotice) bool { return e.Sink == n.Sink })
		if slices.Contains(f.e.NotNotified, n.Sink) || only && !expected {
			f.add("notified", "not "+n.Sink, fmt.Sprintf("by %q", n.Rules))
		}
	}
}

func (f *failures) verdict(t *router.Trace) {
	got := "allow"
	if t.Verdict.Refuse {
		got = "refuse"
	}
	if f.e.Verdict != "" && f.e.Verdict != got {
		f.add("verdict", f.e.Verdict, got+" ("+t.Why+")")
	}
	if f.e.Code != nil && *f.e.Code != t.Verdict.Code {
		f.add("code", strconv.Itoa(int(*f.e.Code)), strconv.Itoa(int(t.Verdict.Code)))
	}
	f.text("message", f.e.Message, t.Verdict.Message)
	f.text("detail", f.e.Detail, t.Verdict.Detail)
	f.text("decided_by", f.e.DecidedBy, t.DecidedBy)
}

func (f *failures) text(what string, want *string, got string) {
	if want != nil && *want != got {
		f.add(what, strconv.Quote(*want), strconv.Quote(got))
	}
}

func (f *failures) fields(t *router.Trace) {
	find := func(fields []openim.FieldValue, name string) []byte {
		for _, v := range fields {
			if v.Name == name {
				return v.Raw
			}
		}
		return nil
	}
	for _, want := range f.e.Fields {
		got := find(t.Verdict.Fields, want.Name)
		switch {
		case got == nil:
			f.add("fields", want.Name+": "+string(want.Raw), "not set"+noteOn(want.Name, t.Notes))
		case !sameJSON(want.Raw, got):
			f.add("fields", want.Name+": "+string(want.Raw), string(got))
		}
	}
	for _, got := range t.Verdict.Fields {
		if f.e.NothingElse && find(f.e.Fields, got.Name) == nil {
			f.add("fields", "not "+got.Name, string(got.Raw))
		}
	}
}

// noteOn is what the trace notes on a field, such as why it was left out.
func noteOn(field string, notes []string) string {
	for _, n := range notes {
		if strings.HasPrefix(n, field+" ") {
			return ": " + n
		}
	}
	return ""
}

func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	for _, side := range []struct {
		raw  []byte
		into *any
	}{{a, &x}, {b, &y}} {
		d := json.NewDecoder(bytes.NewReader(side.raw))
		d.UseNumber() // 64-bit integers
		if d.Decode(side.into) != nil {
			return false
		}
	}
	return reflect.DeepEqual(x, y)
}

func (f *failures) time(t *router.Trace) {
	round := func(d time.Duration) string { return d.Round(time.Microsecond).String() }
	if f.e.Took != nil && *f.e.Took != t.Duration {
		f.add("took", round(*f.e.Took), round(t.Duration))
	}
	if f.e.Within > 0 && t.Duration > f.e.Within {
		f.add("within", round(f.e.Within), round(t.Duration))
	}
}

// explain says of each rule that was expected and did not match what in its condition was missing.
func (c *Case) explain(set *rules.Set, list []Failure) {
	for i := range list {
		f := &list[i]
		if f.missing == "" {
			continue
		}
		for _, e := range set.Examine(c.callback(), c.at, rules.Explaining{Rule: f.missing}).Rules {
			if e.Rule.Name != f.missing {
				continue
			}
			f.Got += ": " + e.Reason
			for _, m := range explain.MissingOf(e.Parts) {
				f.Why = append(f.Why, m.String())
			}
		}
	}
}
