package main

import (
	"fmt"
	"strings"
	"time"

	"callboard/internal/journal"
)

const callbackHead = "CALLBACK\tAGE\tCOMMAND\tVERDICT\tTOOK\tGROUP\tSENDER\tRULES\tASKED\tNOTIFIED"

// callbackRow is a recorded callback for people.
func callbackRow(cb journal.Callback) []any {
	names := func(list []string) string { return orDash(cut(strings.Join(list, ","), 40)) }
	return []any{
		cb.ID, age(time.Since(cb.At)), orDash(shortCommand(cb.Command)), verdictWord(cb), cb.Duration.Round(100 * time.Microsecond),
		orDash(cut(cb.GroupID, 24)), orDash(cut(cb.SenderID, 24)), names(cb.Rules), names(cb.Asked), names(cb.Notified),
	}
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
