package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"callboard/internal/console"
	"callboard/internal/journal"
)

const deliveryHead = "DELIVERY\tSTATE\tAGE\tCOMMAND\tKEY\tATTEMPTS\tNEXT\tLAST"

// deliveryRow is a delivery for people.
func deliveryRow(d console.Delivery) []any {
	return []any{
		d.ID, d.State, age(time.Since(d.At)), shortCommand(d.Command), orDash(cut(d.Key, 24)), d.Attempts, nextText(d),
		orDash(cut(lastText(d), 60)),
	}
}

// nextText tells when a delivery is tried again.
func nextText(d console.Delivery) string {
	switch {
	case d.Due == nil:
		return "-"
	case !d.Due.After(time.Now()):
		return "now"
	}
	return "in " + age(time.Until(*d.Due))
}

// lastText tells how the last attempt ended. Reasons of answers begin with the status already.
func lastText(d console.Delivery) string {
	status := nonZero(d.Status)
	if strings.Contains(d.Reason, status) {
		return d.Reason
	}
	return strings.TrimSpace(status + " " + d.Reason)
}

// A row is a line of a description: a word and what it says.
type row struct{ word, text string }

// writeRows prints the rows that say something.
func writeRows(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		if r.text != "" {
			fmt.Fprintf(t, "%s\t%s\n", r.word, plain(r.text))
		}
	}
	return t.Flush()
}

// writeDelivery prints everything about one delivery.
func writeDelivery(w io.Writer, d console.DeliveryDetail) error {
	state := d.State
	if d.Since != nil {
		state += " for " + age(time.Since(*d.Since))
	}
	next := ""
	if d.Due != nil {
		next = nextText(d.Delivery)
	}
	err := writeRows(w, []row{
		{"delivery", d.ID}, {"sink", d.Sink}, {"state", state}, {"next", next}, {"last", lastText(d.Delivery)}, {"attempts", strconv.Itoa(d.Attempts)},
		{"callback", d.CallbackID}, {"arrived", momentText(d.At)}, {"command", shortCommand(d.Command)}, {"source", d.Source}, {"key", d.Key},
		{"rules", strings.Join(d.Rules, ", ")}, {"operation id", d.OperationID}, {"message id", d.MessageID}, {"replay of", d.ReplayOf},
	})
	if err != nil {
		return err
	}
	if err := writeAttempts(w, d.History, false); err != nil {
		return err
	}
	return writeBody(w, d.Body)
}

// writeAttempts prints attempts as a table, with their sinks where they are of several, and their place in a batch where one went in
// one.
func writeAttempts(w io.Writer, attempts []journal.Attempt, sinks bool) error {
	if len(attempts) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	sink := func(s string) string {
		if !sinks {
			return ""
		}
		return s + "\t"
	}
	batches := slices.ContainsFunc(attempts, func(a journal.Attempt) bool { return a.Batch > 0 })
	batch := func(s string) string {
		if !batches {
			return ""
		}
		return s + "\t"
	}
	place := func(a *journal.Attempt) string {
		if a.Batch == 0 {
			return "-"
		}
		return fmt.Sprintf("%d of %d", a.Place, a.Batch)
	}
	fmt.Fprintf(t, "%sATTEMPT\t%sAT\tTOOK\tSTATUS\tTHEN\tREASON\tANSWER\n", sink("SINK"), batch("BATCH"))
	for _, h := range attempts {
		fmt.Fprintf(t, "%s%d\t%s%s\t%v\t%s\t%s\t%s\t%s\n", sink(h.Sink), h.Attempt, batch(place(&h)), h.At.Local().Format("2006-01-02 15:04:05.000"),
			h.Duration.Round(100*time.Microsecond), orDash(nonZero(h.Status)), h.State, orDash(cut(h.Reason, 60)), orDash(cut(h.Answer, 60)))
	}
	return t.Flush()
}

// writeBody prints a callback's body, indented where it is JSON.
func writeBody(w io.Writer, body json.RawMessage) error {
	if body == nil {
		return nil
	}
	var text string
	if json.Unmarshal(body, &text) != nil {
		var indented bytes.Buffer
		if err := json.Indent(&indented, body, "", "  "); err != nil {
			return fmt.Errorf("reading the body: %w", err)
		}
		text = indented.String()
	}
	_, err := fmt.Fprintf(w, "\nbody\n%s\n", strings.Map(tame, text))
	return err
}
