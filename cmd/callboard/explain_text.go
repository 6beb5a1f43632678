package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"callboard/internal/queue"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
	"callboard/rules/when"
)

// writeText prints the explanation for people: each rule, who is asked, who is notified, the verdict, the reply.
func (e explanation) writeText(w io.Writer) {
	fmt.Fprintf(w, "%s", e.cb.Name)
	if e.cb.Command == nil {
		fmt.Fprint(w, " (unknown to the catalogue)")
	} else {
		fmt.Fprintf(w, " (%s)", e.cb.Phase())
	}
	if e.cb.Source != "" {
		fmt.Fprintf(w, " from %s", e.cb.Source)
	}
	fmt.Fprintf(w, "\n%s: %s, revision %s\n", e.dir, plural(len(e.set.Rules), "rule"), e.set.Revision)

	var others []string
	for _, r := range e.rules {
		if !isFor(r.Rule, e.cb) {
			others = append(others, r.Rule.Name)
			continue
		}
		fmt.Fprintln(w)
		writeRule(w, r, e.cb.Phase())
	}
	if len(others) > 0 {
		fmt.Fprintf(w, "\n%s for other callbacks: %s\n", plural(len(others), "rule"), strings.Join(others, ", "))
	}
	e.writeAsked(w)
	writeNotified(w, e.trace.Notified)
	writeVerdict(w, e.trace)
	fmt.Fprintf(w, "\nreply\n  %s\n", e.trace.Reply)
}

// isFor reports whether a rule is for a callback's command.
func isFor(r *rules.Rule, cb *openim.Callback) bool {
	if len(r.Callbacks) == 0 && len(r.Unknown) == 0 {
		return true
	}
	return cb.Command != nil && slices.Contains(r.Callbacks, cb.Command) || slices.Contains(r.Unknown, cb.Name)
}

// writeRule prints a rule: whether it matches, its condition's parts, what it asks for.
func writeRule(w io.Writer, e rules.Explanation, phase openim.Phase) {
	mark := "✗"
	if e.Matched {
		mark = "✓"
	}
	verb := "does not match"
	if e.Matched {
		verb = "matches"
	}
	fmt.Fprintf(w, "%s %s %s: %s   (%s:%d)\n", mark, e.Rule.Name, verb, e.Reason, e.Rule.File, e.Rule.Line)
	if e.Err != nil {
		fmt.Fprintf(w, "    error: %v\n", e.Err)
	}
	writeParts(w, e.Parts)
	if !e.Matched {
		return
	}
	if r := e.Rule.Reply; r != nil {
		fmt.Fprintf(w, "    → %s\n", ownReplyText(r))
	}
	if e.Rule.Await != nil {
		fmt.Fprintf(w, "    → %s\n", awaitText(e.Rule.Await, phase))
	}
	if len(e.Rule.Notify) > 0 {
		fmt.Fprintf(w, "    → notifies %s\n", strings.Join(e.Rule.Notify, ", "))
	}
	if e.Rule.Stop {
		fmt.Fprint(w, "    → ends matching\n")
	}
}

// widestPart is how far values are pushed to the right to stand in one column.
const widestPart = 72

// writeParts prints the parts of a condition as a tree, with their values in one column.
func writeParts(w io.Writer, parts []when.Part) {
	width := 0
	for _, p := range parts {
		if n := partWidth(p); n <= widestPart {
			width = max(width, n)
		}
	}
	for _, p := range parts {
		text := strings.Repeat("  ", p.Depth) + oneLine(p.Text)
		fmt.Fprintf(w, "    %s%s   %s\n", text, strings.Repeat(" ", max(0, width-partWidth(p))), p.Value)
	}
}

func partWidth(p when.Part) int { return 2*p.Depth + utf8.RuneCountInString(oneLine(p.Text)) }

// oneLine joins an expression that was written over several lines.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

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
	text := "asks " + strings.Join(a.Sinks, ", ") + "; policy " + policyText(a.Policy)
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

func policyText(p rules.Policy) string {
	switch p.Kind {
	case rules.Quorum:
		return fmt.Sprintf("quorum of %d", p.N)
	case rules.Primary:
		return "primary " + p.Primary
	}
	return policyNames[p.Kind]
}

var policyNames = map[rules.PolicyKind]string{
	rules.All: "all", rules.Any: "any", rules.Quorum: "quorum",
	rules.Majority: "majority", rules.First: "first", rules.Primary: "primary",
}

// writeAsked prints the votes that the verdict was made of.
func (e explanation) writeAsked(w io.Writer) {
	asked := make(map[string]bool)
	if len(e.trace.Asked) > 0 {
		fmt.Fprintln(w, "\nasked")
	}
	for _, s := range e.trace.Asked {
		asked[s.Sink] = true
		text := voteText(s.Answer)
		switch {
		case !s.Done:
			text = "not waited for: the votes before it decide"
		case !e.voted[s.Sink]:
			text += " (assumed)"
		}
		fmt.Fprintf(w, "  %s: %s\n", s.Sink, text)
	}
	for _, s := range e.set.Sinks {
		if e.voted[s.Name] && !asked[s.Name] {
			fmt.Fprintf(w, "  %s: not asked by any rule that matches, its vote counts for nothing\n", s.Name)
		}
	}
}

// writeNotified prints who would get the callback delivered, in which order, and by which rules.
func writeNotified(w io.Writer, targets []queue.Target) {
	if len(targets) > 0 {
		fmt.Fprintln(w, "\nnotified")
	}
	for _, t := range targets {
		order := "in no order"
		if t.Key != "" {
			order = fmt.Sprintf("in the order of key %q", t.Key)
		}
		fmt.Fprintf(w, "  %s: %s, by %s\n", t.Sink, order, strings.Join(t.Rules, ", "))
	}
}

// writeVerdict prints the verdict, how it came about, and what was left out.
func writeVerdict(w io.Writer, t *router.Trace) {
	verdict := "allow"
	if t.Verdict.Refuse {
		verdict = refusalText(t.Verdict.Code, t.Verdict.Message)
	}
	fmt.Fprintf(w, "\nverdict\n  %s: %s\n", verdict, t.Why)
	for _, note := range t.Notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
}
