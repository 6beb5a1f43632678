package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"callboard/internal/console"
	"callboard/internal/explain"
)

// A traceJSON is what people are shown of a recorded trace. A member that a gateway of another version does not write is empty.
type traceJSON struct {
	Why       string `json:"why"`
	DecidedBy string `json:"decided_by"`
	Canary    bool   `json:"canary"`
	Message   string `json:"message"`
	Rules     []struct {
		Rule     string `json:"rule"`
		Decision string `json:"decision"`
		Why      string `json:"why"`
		Error    string `json:"error"`
		Owner    string `json:"owner"`
		Runbook  string `json:"runbook"`
		explain.Count
	} `json:"rules"`
	Asked []struct {
		Sink     string  `json:"sink"`
		Vote     string  `json:"vote"`
		Code     int     `json:"code"`
		Message  string  `json:"message"`
		Reason   string  `json:"reason"`
		Status   int     `json:"status"`
		Attempts int     `json:"attempts"`
		MS       float64 `json:"ms"`
		Cache    string  `json:"cache"`
		AgeMS    float64 `json:"age_ms"`
		Failure  string  `json:"failure"`
	} `json:"asked"`
	Notified []struct {
		Sink string `json:"sink"`
		Key  string `json:"key"`
	} `json:"notified"`
	Notes []string `json:"notes"`
	Reply string   `json:"reply"`
}

// readTrace reads the trace of an answer, which has been decoded from JSON.
func readTrace(trace any) (t traceJSON, err error) {
	text, err := json.Marshal(trace)
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		return t, fmt.Errorf("reading the trace: %w", err)
	}
	return t, nil
}

// writeCallback prints everything about one recorded callback.
func writeCallback(w io.Writer, d console.CallbackDetail) error {
	cb := d.Callback
	t, err := readTrace(cb.Trace)
	if err != nil {
		return err
	}
	verdict := verdictWord(cb)
	if t.Message != "" {
		verdict += " " + strconv.Quote(t.Message)
	}
	revision := cb.Revision
	if t.Canary {
		revision += " (canary)"
	}
	err = writeRows(w, []row{
		{"callback", cb.ID}, {"arrived", momentText(cb.At)}, {"command", shortCommand(cb.Command)}, {"verdict", verdict}, {"why", t.Why},
		{"decided by", t.DecidedBy}, {"took", cb.Duration.Round(10 * time.Microsecond).String()}, {"group", cb.GroupID}, {"sender", cb.SenderID},
		{"message id", cb.MessageID}, {"operation id", cb.OperationID}, {"source", cb.Source}, {"path", cb.Path}, {"query", cb.Query},
		{"revision", revision}, {"repeat of", cb.RepeatOf}, {"replay of", cb.ReplayOf}, {"notes", strings.Join(t.Notes, "; ")},
	})
	if err != nil {
		return err
	}
	if err := writeTrace(w, t); err != nil {
		return err
	}
	if err := writeAttempts(w, d.Attempts, true); err != nil {
		return err
	}
	if t.Reply != "" {
		fmt.Fprintf(w, "\nreply\n%s\n", strings.Map(tame, t.Reply))
	}
	if err := writeBody(w, d.Body); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nwhat each rule makes of it: callboard explain --id %s\n", cb.ID)
	return nil
}

// writeTrace prints a table each of the rules that matched, the sinks that were asked, and those that were notified.
func writeTrace(w io.Writer, t traceJSON) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(t.Rules) > 0 {
		fmt.Fprintf(table, "\nRULE\tDECISION\tOWNER\tWHY\n")
	}
	for _, r := range t.Rules {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Rule, orDash(r.Decision), orDash(r.Owner), orDash(plain(r.Why+" "+r.Error)))
	}
	for _, r := range t.Rules {
		if r.Runbook != "" {
			fmt.Fprintf(table, "runbook of %s: %s\n", r.Rule, plain(r.Runbook))
		}
	}
	if len(t.Asked) > 0 {
		fmt.Fprintf(table, "\nASKED\tVOTE\tTOOK\tSTATUS\tATTEMPTS\tREASON\n")
	}
	for _, a := range t.Asked {
		vote := a.Vote
		if a.Code != 0 {
			vote = fmt.Sprintf("%s %d", vote, a.Code)
		}
		fmt.Fprintf(table, "%s\t%s\t%vms\t%s\t%d\t%s\n", a.Sink, vote, a.MS, orDash(nonZero(a.Status)), a.Attempts,
			orDash(plain(a.Reason+" "+a.Message+" "+keptText(a.Cache, a.AgeMS, a.Failure))))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	writeCounts(w, t)
	if len(t.Notified) > 0 {
		fmt.Fprintf(table, "\nNOTIFIED\tKEY\n")
	}
	for _, n := range t.Notified {
		fmt.Fprintf(table, "%s\t%s\n", n.Sink, orDash(plain(n.Key)))
	}
	return table.Flush()
}

// writeCounts prints what the policy of each rule that asked did with its votes.
func writeCounts(w io.Writer, t traceJSON) {
	headed := false
	for _, r := range t.Rules {
		if len(r.Ballots) == 0 {
			continue
		}
		if !headed {
			fmt.Fprintln(w, "\nVOTES")
		}
		headed = true
		r.Count.Rule, r.Count.Outcome = r.Rule, r.Decision
		r.Count.WriteText(w)
	}
}

// keptText tells of a vote that was kept how old it was, and why an old one was used.
func keptText(cache string, ageMS float64, failure string) string {
	age := time.Duration(ageMS * float64(time.Millisecond)).Round(time.Millisecond)
	switch cache {
	case "hit":
		return fmt.Sprintf("cached, %v old", age)
	case "stale":
		return fmt.Sprintf("stale, %v old: %s", age, failure)
	}
	return ""
}

// nonZero is a number, or nothing for zero.
func nonZero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
