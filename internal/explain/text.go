package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// WriteText prints the report for people: each rule, who is asked, what came of the votes, who is notified, the verdict, the reply.
// Errors of w are the caller's to notice.
func (r *Report) WriteText(w io.Writer) {
	fmt.Fprintf(w, "%s", r.Command)
	if r.Known {
		fmt.Fprintf(w, " (%s)", r.Phase)
	} else {
		fmt.Fprint(w, " (unknown to the catalogue)")
	}
	if r.Source != "" {
		fmt.Fprintf(w, " from %s", r.Source)
	}
	fmt.Fprintf(w, "\n%s: %s, revision %s\n", r.From, plural(len(r.Rules), "rule"), r.Revision)
	r.Recorded.writeText(w)
	if len(r.Unknown) > 0 {
		fmt.Fprintf(w, "not known, and taken as empty for the verdict: %s\n", listed(r.Unknown))
	}
	r.writeRules(w)
	r.writeAsked(w)
	for i := range r.Counts {
		if i == 0 {
			fmt.Fprintln(w, "\nvotes")
		}
		r.Counts[i].WriteText(w)
	}
	r.writeNotified(w)
	r.writeShaped(w)
	r.writeVerdict(w)
	fmt.Fprintf(w, "\nreply\n  %s\n", r.Reply)
}

func (r *Recorded) writeText(w io.Writer) {
	if r == nil {
		return
	}
	verdict := r.Verdict
	if r.Code != 0 {
		verdict = fmt.Sprintf("%s (%d)", verdict, r.Code)
	}
	if r.Why != "" {
		verdict += ": " + oneLine(r.Why)
	}
	fmt.Fprintf(w, "recorded as %s at %s, revision %s\n  %s\n", r.ID, r.At.Format("2006-01-02T15:04:05.000Z07:00"), orDash(r.Revision), verdict)
}

// maxListed is how many names are listed in a text.
const maxListed = 20

func listed(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), more)
	}
	return strings.Join(names, ", ")
}

// writeRules prints what matches in the order of matching, then what nearly did, then how many others there are.
func (r *Report) writeRules(w io.Writer) {
	byName := make(map[string]*Rule, len(r.Rules))
	var foreign []string
	hidden := 0
	for i := range r.Rules {
		rule := &r.Rules[i]
		byName[rule.Name] = rule
		switch {
		case rule.Matched || rule.MayMatch:
			fmt.Fprintln(w)
			writeRule(w, rule)
		case rule.Foreign:
			foreign = append(foreign, rule.Name)
		case slices.Contains(r.Near, rule.Name):
		case len(rule.Parts) > 0: // asked for by its name
			fmt.Fprintln(w)
			writeRule(w, rule)
		default:
			hidden++
		}
	}
	for _, name := range r.Near {
		fmt.Fprintln(w)
		writeRule(w, byName[name])
	}
	if hidden > 0 {
		fmt.Fprintf(w, "\n%s for this callback did not match either; --all shows all, --rule NAME one\n", plural(hidden, "more rule"))
	}
	if len(foreign) > 0 {
		fmt.Fprintf(w, "\n%s for other callbacks: %s\n", plural(len(foreign), "rule"), listed(foreign))
	}
}

// writeRule prints a rule: whether it matches, what was missing, its condition's parts, what it asks for. What else there is to
// say of a rule belongs here and into ruleOf.
func writeRule(w io.Writer, r *Rule) {
	mark, verb := "✗", "does not match"
	switch {
	case r.Matched:
		mark, verb = "✓", "matches"
	case r.MayMatch:
		mark, verb = "?", "may match"
	}
	fmt.Fprintf(w, "%s %s %s: %s   (%s:%d)\n", mark, r.Name, verb, r.Reason, r.File, r.Line)
	r.Metadata.writeText(w)
	if r.Error != "" {
		fmt.Fprintf(w, "    error: %s\n", r.Error)
	}
	if !r.Matched {
		for _, m := range r.Missing {
			fmt.Fprintf(w, "    missing: %s\n", m.String())
		}
	}
	writeParts(w, r.Parts)
	r.Indexing.writeText(w)
	for _, does := range r.Does {
		fmt.Fprintf(w, "    → %s\n", does)
	}
}

// String says what was there in place of what: groupID was "support-7", wanted "sales-…".
func (m Missing) String() string {
	what := m.Field
	if what == "" {
		what = oneLine(m.Part)
	}
	text := what + " was " + m.Was
	if cause, failed := strings.CutPrefix(m.Was, "error: "); failed {
		text = what + " failed: " + cause
	}
	if m.Wanted != "" {
		text += ", wanted " + m.Wanted
	}
	return text
}

// widestPart is how far values are pushed to the right to stand in one column.
const widestPart = 72

// writeParts prints the parts of a condition as a tree, with their values in one column.
func writeParts(w io.Writer, parts []Part) {
	width := 0
	for _, p := range parts {
		if n := p.width(); n <= widestPart {
			width = max(width, n)
		}
	}
	for _, p := range parts {
		text := strings.Repeat("  ", p.Depth) + oneLine(p.Text)
		note := ""
		if p.Skipped && p.Truth != "" {
			note = " (not reached)"
		}
		fmt.Fprintf(w, "    %s%s   %s%s\n", text, strings.Repeat(" ", max(0, width-p.width())), p.Value, note)
	}
}

func (p Part) width() int { return 2*p.Depth + utf8.RuneCountInString(oneLine(p.Text)) }

// oneLine joins what was written over several lines.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// writeAsked prints the votes that the verdict was made of.
func (r *Report) writeAsked(w io.Writer) {
	if len(r.Asked)+len(r.Unasked) > 0 {
		fmt.Fprintln(w, "\nasked")
	}
	for _, a := range r.Asked {
		text := a.words()
		switch {
		case !a.Counted:
			text = "not waited for: the votes before it decide"
		case a.Source != Given:
			text += " (" + string(a.Source) + ")"
		}
		fmt.Fprintf(w, "  %s: %s\n", a.Sink, text)
	}
	for _, sink := range r.Unasked {
		fmt.Fprintf(w, "  %s: not asked by any rule that matches, its vote counts for nothing\n", sink)
	}
}

// words is a vote as people read it: refuse (20401 "not here").
func (a Asked) words() string {
	switch {
	case a.Vote == "refuse" && (a.Code != 0 || a.Message != ""):
		return refusalText(a.Code, a.Message)
	case a.Reason != "":
		return a.Vote + " (" + a.Reason + ")"
	}
	return a.Vote
}

func refusalText(code int32, message string) string {
	if message == "" {
		return fmt.Sprintf("refuse (%d)", code)
	}
	return fmt.Sprintf("refuse (%d %q)", code, message)
}

// writeNotified prints who would get the callback delivered, in which order, and by which rules.
func (r *Report) writeNotified(w io.Writer) {
	if len(r.Notified) > 0 {
		fmt.Fprintln(w, "\nnotified")
	}
	for _, n := range r.Notified {
		order := "in no order"
		if n.Key != "" {
			order = fmt.Sprintf("in the order of key %q", n.Key)
		}
		fmt.Fprintf(w, "  %s: %s, by %s\n", n.Sink, order, strings.Join(n.Rules, ", "))
	}
}

// writeVerdict prints the verdict, how it came about, and what was left out.
func (r *Report) writeVerdict(w io.Writer) {
	verdict := "allow"
	if r.Verdict.Refuse {
		verdict = refusalText(r.Verdict.Code, r.Verdict.Message)
	}
	fmt.Fprintf(w, "\nverdict\n  %s: %s\n", verdict, r.Why)
	for _, note := range r.Notes {
		fmt.Fprintf(w, "  note: %s\n", note)
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
