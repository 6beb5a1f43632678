package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"callboard/internal/journal"
)

// A callbackTable prints recorded callbacks as rows for people.
type callbackTable struct {
	w    io.Writer
	t    *tabwriter.Writer
	rows int
}

func newCallbackTable(w io.Writer) *callbackTable {
	return &callbackTable{w: w, t: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
}

// add adds a row.
func (t *callbackTable) add(cb journal.Callback) error {
	if t.rows == 0 {
		fmt.Fprintln(t.t, "CALLBACK\tAGE\tCOMMAND\tVERDICT\tTOOK\tGROUP\tSENDER\tRULES\tASKED\tNOTIFIED")
	}
	t.rows++
	names := func(list []string) string { return orDash(cut(strings.Join(list, ","), 40)) }
	_, err := fmt.Fprintf(t.t, "%s\t%s\t%s\t%s\t%v\t%s\t%s\t%s\t%s\t%s\n", cb.ID, age(time.Since(cb.At)), orDash(shortCommand(cb.Command)), verdictWord(cb),
		cb.Duration.Round(100*time.Microsecond), orDash(cut(cb.GroupID, 24)), orDash(cut(cb.SenderID, 24)), names(cb.Rules), names(cb.Asked), names(cb.Notified))
	return err
}

// end prints the table, or that it is empty.
func (t *callbackTable) end() error {
	if t.rows == 0 {
		_, err := fmt.Fprintln(t.w, "no callbacks")
		return err
	}
	return t.t.Flush()
}

// verdictWord is the verdict with a refusal's code, and the kind of trouble or what else is special about it.
func verdictWord(cb journal.Callback) string {
	word := cb.Verdict
	if cb.Verdict == "refuse" && cb.Code != 0 {
		word = fmt.Sprintf("refuse %d", cb.Code)
	}
	switch {
	case cb.Trouble != "":
		word += " (" + cb.Trouble + ")"
	case cb.RepeatOf != "":
		word += " (repeat)"
	case cb.ReplayOf != "":
		word += " (replay)"
	}
	return word
}

// tailDetails are the parts of a line of tail that not every callback has.
func tailDetails(cb journal.Callback) string {
	var parts []string
	for _, r := range []row{
		{"group", cb.GroupID}, {"sender", cb.SenderID}, {"rules", strings.Join(cb.Rules, ",")}, {"asked", strings.Join(cb.Asked, ",")},
		{"notified", strings.Join(cb.Notified, ",")}, {"repeat of", cb.RepeatOf}, {"replay of", cb.ReplayOf},
	} {
		if r.text != "" {
			parts = append(parts, r.word+" "+cut(r.text, 60))
		}
	}
	return strings.Join(parts, "  ")
}

// prefixed puts something before a text, unless that is empty.
func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
