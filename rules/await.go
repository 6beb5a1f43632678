package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"callboard/openim"
)

// An awaitDraft is an await while its file is read.
type awaitDraft struct {
	Await
	sinkAt        []place // of Await.Sinks
	policyAt      place
	deadlineAt    place
	failed        failureRule // of this await
	failedDefault failureRule // of the file's defaults
}

// A failureRule says what failed votes count as.
type failureRule struct {
	all    openim.Vote            // Failed: not given
	bySink map[string]openim.Vote // sink name → vote
	at     map[string]place       // sink name → where it stands
}

// startOver turns the await of defaults into the beginning of a rule's own.
func (a *awaitDraft) startOver() { a.failedDefault, a.failed = a.failed, failureRule{} }

// vote returns what the failed vote of a sink counts as: the await's word on the sink, its word on all,
// the sink's own, the file's defaults, in this order. Failed leaves it to the phase.
func (a *awaitDraft) vote(sink string, own openim.Vote) openim.Vote {
	for _, v := range []openim.Vote{
		a.failed.bySink[sink], a.failed.all, own, a.failedDefault.bySink[sink], a.failedDefault.all,
	} {
		if v != openim.Failed {
			return v
		}
	}
	return openim.Failed
}

var awaitKeys = keys[awaitDraft]{
	what: "await",
	known: []key[awaitDraft]{
		{"sinks", (*decoder).awaitSinks},
		{"policy", (*decoder).policy},
		{"deadline", func(d *decoder, n *node, a *awaitDraft) {
			a.deadlineAt = d.place(d.resolve(n))
			d.duration(n, "deadline", longestTimeout, &a.Deadline)
		}},
		{"on_failure", (*decoder).onFailure},
		{"merge", func(d *decoder, n *node, a *awaitDraft) {
			choice(d, n, "merge", mergeWords, []Merge{MergeFirst, MergeLast, MergeRefuse}, &a.Merge)
		}},
		{"linger", func(d *decoder, n *node, a *awaitDraft) {
			var linger bool
			d.boolean(n, "linger", &linger)
			a.Linger = &linger
		}},
	},
}

var defaultAwaitKeys = awaitKeys.without("defaults of await", "sinks")

var mergeWords = []string{"first", "last", "refuse"}

func (d *decoder) await(n *node, r *ruleDraft) {
	n = d.resolve(n)
	if n.kind == scalarNode || n.kind == sequenceNode {
		d.fail(d.place(n), idWrongType, "as in `await: {sinks: [moderation]}`", "await is a mapping")
		return
	}
	has, ok := readMapping(d, n, awaitKeys, &r.await)
	if !ok {
		return
	}
	r.Await = &r.await.Await
	if _, given := has["sinks"]; !given {
		d.fail(d.place(n), idMissingKey, "as in `await: {sinks: [moderation]}`", "await names no sinks")
	}
}

func (d *decoder) awaitSinks(n *node, a *awaitDraft) {
	items, ok := d.items(n, "sinks", true)
	if ok && len(items) == 0 {
		d.fail(d.place(d.resolve(n)), idEmptyList, "", "await names no sinks")
	}
	a.Sinks, a.sinkAt = d.sinkNames(items, "asked")
}

var (
	policyWords  = []string{"all", "any", "majority", "first"}
	policyValues = []Policy{{Kind: All}, {Kind: Any}, {Kind: Majority}, {Kind: First}}
)

// policyParts is what a policy written as a mapping says.
type policyParts struct {
	quorum  int64
	primary string
}

var policyKeys = keys[policyParts]{
	what: "a policy",
	known: []key[policyParts]{
		{"quorum", func(d *decoder, n *node, p *policyParts) { d.integer(n, "quorum", 1, 1000, &p.quorum) }},
		{"primary", func(d *decoder, n *node, p *policyParts) { p.primary, _ = d.literal(n, "the name of a sink") }},
	},
}

func (d *decoder) policy(n *node, a *awaitDraft) {
	n = d.resolve(n)
	a.policyAt = d.place(n)
	if n.kind == scalarNode {
		if n.text == "quorum" || n.text == "primary" {
			d.fail(a.policyAt, idUnknownWord, "as in `policy: {quorum: 2}` and `policy: {primary: moderation}`", "policy %s needs a value", n.text)
			return
		}
		choice(d, n, "policy", policyWords, policyValues, &a.Policy)
		return
	}
	var parts policyParts
	has, ok := readMapping(d, n, policyKeys, &parts)
	_, quorum := has["quorum"]
	_, primary := has["primary"]
	switch {
	case !ok:
	case quorum && primary:
		d.fail(a.policyAt, idPolicy, "", "a policy is either quorum or primary, not both")
	case quorum && parts.quorum > 0:
		a.policyAt = has["quorum"]
		a.Policy = Policy{Kind: Quorum, N: int(parts.quorum)}
	case primary && parts.primary != "":
		a.policyAt = has["primary"]
		a.Policy = Policy{Kind: Primary, Primary: parts.primary}
	case len(has) == 0:
		d.fail(a.policyAt, idMissingKey, "one of: "+strings.Join(policyWords, ", ")+", {quorum: n}, {primary: sink}", "policy says nothing")
	}
}

func (d *decoder) onFailure(n *node, a *awaitDraft) {
	n = d.resolve(n)
	if n.kind != mappingNode {
		d.vote(n, &a.failed.all)
		return
	}
	pairs, _ := d.pairs(n, "on_failure")
	a.failed.bySink = make(map[string]openim.Vote, len(pairs))
	a.failed.at = make(map[string]place, len(pairs))
	for _, p := range pairs {
		if p.value.kind == nullNode {
			d.fail(d.place(p.key), idNoValue, "one of: "+strings.Join(voteWords, ", "), "%s has no value", p.key.text)
			continue
		}
		var v openim.Vote
		d.reveal(p.value)
		d.vote(p.value, &v)
		a.failed.bySink[p.key.text] = v
		a.failed.at[p.key.text] = d.place(p.key)
	}
}

// checkAwait finds policies and settings that cannot mean what they say.
func (d *decoder) checkAwait(r *ruleDraft) {
	if r.Await == nil || len(r.Await.Sinks) == 0 {
		return
	}
	a, asked := &r.await, len(r.Await.Sinks)
	at := a.policyAt
	if at == (place{}) {
		at = r.at
	}
	switch p := r.Await.Policy; {
	case p.Kind == Quorum && p.N > asked:
		d.fail(at, idPolicy, "", "a quorum of %d can never be reached: the rule asks %s", p.N, countOf(asked, "sink"))
	case p.Kind == Primary && !slices.Contains(r.Await.Sinks, p.Primary):
		d.fail(at, idPolicy, "asked: "+strings.Join(r.Await.Sinks, ", "), "primary sink %q is not among the sinks that the rule asks", p.Primary)
	case p.Kind == Majority && asked == 1:
		d.warn(at, idMajorityOfOne, "", "the majority of one sink is that sink")
	}
	for _, name := range slices.Sorted(maps.Keys(a.failed.bySink)) {
		if !slices.Contains(r.Await.Sinks, name) {
			d.fail(a.failed.at[name], idUnknownSink, "asked: "+strings.Join(r.Await.Sinks, ", "), "on_failure names sink %q, which the rule does not ask", name)
		}
	}
}

// checkDeadline compares the deadline with the time that IMServer gives.
func (d *decoder) checkDeadline(r *ruleDraft) {
	if answerWithin, a := d.loading.answerWithin, &r.await; r.Await != nil && a.Deadline > answerWithin {
		d.fail(a.deadlineAt, idDeadline, "IMServer waits 5s by default; --answer-within sets what Callboard may use of it",
			"the deadline of %s is beyond the %s in which callbacks are answered", short(a.Deadline), short(answerWithin))
	}
}

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
