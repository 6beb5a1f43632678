package ruletest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"callboard/internal/journal"
	"callboard/openim"
)

// recordedTrace is what a test takes from the trace of a recorded callback.
type recordedTrace struct {
	Asked []recordedVote
}

type recordedVote struct {
	Sink     string
	Vote     string
	Reason   string
	Attempts int
	Status   int
	Code     int32
	Message  string
	MS       float64
}

// WriteRecorded writes a file of tests of recorded callbacks: each is to end as it did, when the sinks answer as they did. file is
// the name of the callbacks' file beside the tests. Where nothing tells how a sink failed, it times out.
func WriteRecorded(w io.Writer, file string, callbacks []*journal.Callback) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "tests:\n")
	for _, cb := range callbacks {
		var t recordedTrace
		if raw, ok := cb.Trace.(json.RawMessage); ok {
			if err := json.Unmarshal(raw, &t); err != nil {
				return fmt.Errorf("reading the trace of callback %s: %w", cb.ID, err)
			}
		}
		writeRecorded(b, file, cb, t)
	}
	return b.Flush()
}

func writeRecorded(w io.Writer, file string, cb *journal.Callback, t recordedTrace) {
	name := cb.Command
	if known, ok := openim.Lookup(name); ok {
		name = known.Short
	}
	fmt.Fprintf(w, "  - name: %s\n", quote(name+" "+cb.ID))
	fmt.Fprintf(w, "    recorded: %s\n    id: %s\n", quote(file), quote(cb.ID))
	if len(t.Asked) > 0 {
		fmt.Fprint(w, "    answers:\n")
		for i := range t.Asked {
			fmt.Fprintf(w, "      %s: %s\n", t.Asked[i].Sink, t.Asked[i].answer())
		}
	}
	fmt.Fprintf(w, "    expect:\n      rules: %s\n", quotedList(cb.Rules))
	fmt.Fprint(w, "      asked: {")
	for i := range t.Asked {
		if i > 0 {
			fmt.Fprint(w, ", ")
		}
		fmt.Fprintf(w, "%s: %s", t.Asked[i].Sink, t.Asked[i].Vote)
	}
	fmt.Fprintf(w, "}\n      notified: %s\n      verdict: %s\n", quotedList(cb.Notified), cb.Verdict)
	if cb.Verdict == "refuse" {
		fmt.Fprintf(w, "      code: %d\n", cb.Code)
	}
}

// answer is what the sink's requests met, as far as its vote tells.
func (v *recordedVote) answer() string {
	after := ""
	if took := time.Duration(v.MS * float64(time.Millisecond)).Round(time.Millisecond); took > 0 && v.Attempts <= 1 {
		after = ", after: " + took.String()
	}
	switch {
	case v.Vote == "refuse":
		return fmt.Sprintf("{refuse: {code: %d, message: %s}%s}", v.Code, quote(v.Message), after)
	case v.Vote == "allow", v.Vote == "abstain":
		return fmt.Sprintf("{answer: %s%s}", v.Vote, after)
	case v.Vote == "failed" && v.Status/100 == 2:
		return fmt.Sprintf("{body: unreadable%s}", after)
	case v.Vote == "failed" && v.Status != 0:
		return fmt.Sprintf("{status: %d%s}", v.Status, after)
	case strings.HasPrefix(v.Reason, "no connection"):
		return "unreachable"
	case strings.HasPrefix(v.Reason, "connection"):
		return "reset"
	}
	return "timeout"
}

func quotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = string(quote(name))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
