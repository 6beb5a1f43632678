package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"callboard/internal/diag"
	"callboard/internal/table"
	"callboard/openim"
	"callboard/router"
)

// margin is the width of the column that holds the time and the verdict.
const margin = 8

// A screen prints what happens. It may be used concurrently; what one call prints stays together.
type screen struct {
	mu  sync.Mutex
	out io.Writer // guarded by mu
}

func (s *screen) print(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(s.out, text) // nobody is left to tell when the terminal is gone
}

func (s *screen) printf(format string, args ...any) { s.print(fmt.Sprintf(format, args...)) }

// performed prints a callback of the stream. mark stands where the eye begins: the time, ok, FAILED.
func (s *screen) performed(mark string, p performance, wrong string) {
	note := ""
	switch p.risk {
	case slow:
		note = "   [the risk service is slow now]"
	case down:
		note = "   [the risk service is down now]"
	}
	text := line(mark, p.command+"  "+headline(p.callback)+note) + outcome(p.trace)
	if wrong != "" {
		text += line("", wrong)
	}
	s.print(text)
}

// foreign prints a callback that somebody else has sent.
func (s *screen) foreign(t *router.Trace) {
	command := t.Command
	if c, ok := openim.Lookup(command); ok {
		command = c.Short
	}
	s.print(line(clock(t.Received), fmt.Sprintf("%s  from elsewhere, operation %q", command, t.OperationID)) + outcome(t))
}

// taken prints that new rules are in force.
func (s *screen) taken(now table.Status) {
	var b strings.Builder
	b.WriteString(line(clock(now.LoadedAt), fmt.Sprintf("RULES TAKEN: revision %s, %d rules, %d sinks", now.Revision, now.Rules, now.Sinks)))
	_ = diag.WriteText(&b, now.Diagnostics) // warnings; a Builder takes everything
	s.print(b.String())
}

// rejected prints that an edit was not taken, and why.
func (s *screen) rejected(ds []diag.Diagnostic, err string) {
	var b strings.Builder
	b.WriteString(line(clock(time.Now()), "RULES NOT TAKEN: the ones before stay in force"))
	if err != "" {
		b.WriteString(line("", err))
	}
	_ = diag.WriteText(&b, ds) // a Builder takes everything
	s.print(b.String())
}

func clock(t time.Time) string { return t.Format(time.TimeOnly) }

func line(mark, text string) string { return fmt.Sprintf("%*s  %s\n", margin, mark, text) }

// outcome tells the verdict and how long it took, who said what, and why, in one line or two.
func outcome(t *router.Trace) string {
	said := []string{"in " + elapsed(t.Duration)}
	if t.Verdict.Refuse {
		said[0] = fmt.Sprintf("%d %q in %s", t.Verdict.Code, t.Verdict.Message, elapsed(t.Duration))
	}
	for i := range t.Asked {
		said = append(said, vote(&t.Asked[i]))
	}
	for _, f := range t.Verdict.Fields {
		said = append(said, f.Name+" becomes "+excerpt(plain(f.Raw)))
	}
	if names := echoed(t); len(names) > 0 {
		said = append(said, "echoes "+strings.Join(names, ", "))
	}
	said = append(said, t.Notes...)
	return line(verdictMark(t), strings.Join(said, " · ")) + line("", t.Why)
}

// plain is a JSON value for people: a string without its quotes.
func plain(raw []byte) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}

// echoed returns the fields that a reply carries although no rule or sink set them: IMServer wants
// them back with some allows.
func echoed(t *router.Trace) []string {
	var reply map[string]json.RawMessage
	if json.Unmarshal(t.Reply, &reply) != nil {
		return nil
	}
	for _, common := range []string{"actionCode", "errCode", "errMsg", "errDlt", "nextCode"} {
		delete(reply, common)
	}
	for _, f := range t.Verdict.Fields {
		delete(reply, f.Name)
	}
	return slices.Sorted(maps.Keys(reply))
}

func verdictMark(t *router.Trace) string {
	if t.Verdict.Refuse {
		return "REFUSE"
	}
	return "ALLOW"
}

// vote tells what one sink said and how long it took.
func vote(a *router.SinkTrace) string {
	if !a.Done {
		return a.Sink + " unanswered" // why it was not waited for is in the rule's words
	}
	text := fmt.Sprintf("%s %s %s", a.Sink, a.Answer.Vote, elapsed(a.Duration))
	if a.Attempts > 1 {
		text += fmt.Sprintf(" in %d attempts", a.Attempts)
	}
	return text
}

func elapsed(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 0.1:
		return "<0.1ms"
	case ms < 10:
		return fmt.Sprintf("%.1fms", ms)
	default:
		return fmt.Sprintf("%.0fms", ms)
	}
}

// headline tells where something happens, who does it, and what.
func headline(cb *openim.Callback) string {
	where := first(cb, "groupID", "groupId", "recvID", "conversationID")
	who := first(cb, "sendID", "userID", "fromUserID", "ownerUserID", "applyID")
	what := cb.Text()
	if what == "" {
		what = first(cb, "groupName", "reqMsg", "reqMessage")
	}
	if what != "" {
		what = fmt.Sprintf("%q", excerpt(what))
	}
	said := strings.TrimSpace(who + ": " + what)
	switch {
	case what == "":
		said = who
	case who == "":
		said = what
	}
	return strings.TrimSpace(where + "  " + said)
}

// first returns the first of some fields that says something.
func first(cb *openim.Callback, names ...string) string {
	for _, name := range names {
		if text := cb.Value(name, openim.String).(string); text != "" {
			return text
		}
	}
	return ""
}

// longest is how many characters of a text are shown.
const longest = 60

func excerpt(text string) string {
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	return string([]rune(text)[:longest-1]) + "…"
}
