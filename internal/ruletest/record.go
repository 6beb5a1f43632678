package ruletest

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"callboard/internal/journal"
	"callboard/openim"
	"callboard/router"
)

// WriteRecorded writes a file of tests of recorded callbacks: each is to end as it did, when the sinks answer as they did. file is
// the name of the callbacks' file beside the tests. Where nothing tells how a sink failed, it times out.
func WriteRecorded(w io.Writer, file string, callbacks []*journal.Callback) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "tests:\n")
	for _, cb := range callbacks {
		t, err := router.Recall(cb)
		if err != nil {
			return err
		}
		writeRecorded(b, file, cb, t)
	}
	return b.Flush()
}

func writeRecorded(w io.Writer, file string, cb *journal.Callback, t *router.Recalled) {
	name := cb.Command
	if known, ok := openim.Lookup(name); ok {
		name = known.Short
	}
	fmt.Fprintf(w, "  - name: %s\n", quote(name+" "+cb.ID))
	fmt.Fprintf(w, "    recorded: %s\n    id: %s\n", quote(file), quote(cb.ID))
	if len(t.Asked) > 0 {
		fmt.Fprint(w, "    answers:\n")
	}
	asked := make([]string, len(t.Asked))
	for i := range t.Asked {
		v := &t.Asked[i]
		fmt.Fprintf(w, "      %s: %s\n", v.Sink, answer(v))
		vote := "out"
		if v.Done {
			vote = v.Answer.Vote.String()
		}
		asked[i] = v.Sink + ": " + vote
	}
	fmt.Fprintf(w, "    expect:\n      rules: %s\n", quotedList(cb.Rules))
	fmt.Fprintf(w, "      asked: {%s}\n      notified: %s\n      verdict: %s\n", strings.Join(asked, ", "), quotedList(cb.Notified), cb.Verdict)
	if cb.Verdict == "refuse" {
		fmt.Fprintf(w, "      code: %d\n", cb.Code)
	}
	if len(t.Fields) > 0 {
		fmt.Fprintf(w, "      fields: %s\n", object(t.Fields))
	}
}

// answer is what the sink's requests met, as far as its vote tells.
func answer(v *router.RecalledVote) string {
	after := ""
	if took := v.Duration.Round(time.Millisecond); took > 0 && v.Attempts <= 1 {
		after = ", after: " + took.String()
	}
	vote := v.Answer.Vote
	switch {
	case !v.Done:
	case vote == openim.Refuse:
		return fmt.Sprintf("{refuse: {code: %d, message: %s}%s}", v.Answer.Code, quote(v.Answer.Message), after)
	case vote == openim.Allow && len(v.Answer.Fields) > 0:
		return fmt.Sprintf("{fields: %s%s}", object(v.Answer.Fields), after)
	case vote != openim.Failed:
		return fmt.Sprintf("{answer: %s%s}", vote, after)
	case v.Status/100 == 2:
		return fmt.Sprintf("{body: unreadable%s}", after)
	case v.Status != 0:
		return fmt.Sprintf("{status: %d%s}", v.Status, after)
	case strings.HasPrefix(v.Answer.Reason, "no connection"):
		return "unreachable"
	case strings.HasPrefix(v.Answer.Reason, "connection"):
		return "reset"
	}
	return "timeout"
}

// object writes fields as a mapping. What is JSON without needless escapes is YAML, too.
func object(fields []openim.FieldValue) string {
	members := make([]string, len(fields))
	for i, f := range fields {
		raw := jsontext.Value(slices.Clone(f.Raw))
		if err := raw.Format(); err != nil {
			raw = f.Raw // the test says where it cannot be read
		}
		members[i] = string(quote(f.Name)) + ": " + string(raw)
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func quotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = string(quote(name))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
