package rules

import (
	"strings"

	"callboard/openim"
)

// An outline is what a table remembers of a rule once its file is read: what is checked between files goes by it. The rule
// becomes part of a Set, and what a Set has is not changed any more.
type outline struct {
	*Rule
	from   *decoder
	at     place  // its name, or its beginning
	start  int    // line of its beginning
	wrote  string // its owner by its own word or that of defaults
	file   *fileDraft
	number int    // in its file
	always bool   // it has no condition, or true
	votes  *votes // what failed votes count as, nil when neither the rule nor defaults say
	tied   bool   // to sinks: it is part of a Set

	indexed uint32 // 1 + its number in the last index of all rules, 0 when it has come since
}

// stopsAll reports whether no callback of the rule gets past it.
func (o *outline) stopsAll() bool { return o.Stop && o.always }

// votes are what failed votes of a rule's sinks count as by the rule's word and by that of the file's defaults.
type votes struct {
	failed, failedDefault failureRule
}

// newOutline takes what is needed of a draft.
func newOutline(r *ruleDraft, f *fileDraft, number int) *outline {
	rule := r.Rule
	if rule.Await != nil {
		await := *rule.Await
		rule.Await = &await
	}
	if rule.Reply != nil {
		reply := *rule.Reply
		rule.Reply = &reply
	}
	o := &outline{
		Rule: &rule, from: r.from, at: r.at, start: r.start, wrote: r.Owner, file: f, number: number,
		always: r.condition == nil || strings.TrimSpace(r.condition.text) == "true",
	}
	if !r.await.failed.silent() || !r.await.failedDefault.silent() {
		o.votes = &votes{r.await.failed, r.await.failedDefault}
	}
	return o
}

// vote returns what the failed vote of a sink counts as; own is the sink's own word.
func (o *outline) vote(sink string, own openim.Vote) openim.Vote {
	if o.votes == nil {
		return own
	}
	return (&awaitDraft{failed: o.votes.failed, failedDefault: o.votes.failedDefault}).vote(sink, own)
}

// silent reports whether nothing is said.
func (f failureRule) silent() bool { return f.all == openim.Failed && f.bySink == nil }

// draft reads the rule's file again, once a Load, for the places of all its parts.
func (o *outline) draft() *ruleDraft {
	f := o.file
	if f.again == nil {
		f.again = readFile(File{f.name, f.data}, f.decoder.loading)
		f.again.decoder.findings = f.decoder.findings
	}
	return f.again.rules[o.number]
}

// placeOf returns where a key of the rule stands, or its name where defaults have it.
func (o *outline) placeOf(key string) place {
	if at, own := o.draft().has[key]; own {
		return at
	}
	return o.at
}

// forget drops what only reading a file needs.
func (d *decoder) forget() {
	d.near = map[string]string{}
	d.source.forget()
}
