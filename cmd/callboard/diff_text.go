package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"callboard/internal/compare"
)

// subject names what makes a difference: rule block-links (rules/a.yaml:3), sink archive.
func (e diffEntry) subject(code string) string {
	var parts []string
	if e.Rule != "" {
		text := "rule " + code + plain(e.Rule) + code
		var about []string
		if e.File != "" {
			about = append(about, fmt.Sprintf("%s:%d", e.File, e.Line))
		}
		if e.Owner != "" {
			about = append(about, "owner "+plain(e.Owner))
		}
		if about != nil {
			text += " (" + strings.Join(about, ", ") + ")"
		}
		parts = append(parts, text)
	}
	if e.Sink != "" {
		parts = append(parts, "sink "+code+plain(e.Sink)+code)
	}
	if e.Field != "" {
		parts = append(parts, "field "+code+plain(e.Field)+code)
	}
	if len(parts) == 0 {
		return "no single rule"
	}
	return strings.Join(parts, ", ")
}

// headline is the result in one sentence.
func (r diffResult) headline() string {
	with := "what really happened"
	if r.Base != nil {
		with = r.Base.Dir
	}
	if r.Different == 0 {
		return fmt.Sprintf("%s with %s and with %s: no difference", plural(r.Callbacks, "callback"), r.Candidate.Dir, with)
	}
	return fmt.Sprintf("%d of %s would end differently with %s than with %s", r.Different, plural(r.Callbacks, "callback"), r.Candidate.Dir, with)
}

// caveats are what a reader must know before trusting the numbers.
func (r diffResult) caveats() []string {
	var lines []string
	if r.Callbacks == 0 {
		lines = append(lines, "nothing was compared")
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Because)) {
		lines = append(lines, fmt.Sprintf("uncertain: %s: %s", plural(r.Because[reason], "callback"), reason))
	}
	for _, sink := range slices.Sorted(maps.Keys(r.Assumed)) {
		lines = append(lines, fmt.Sprintf("assumed: sink %s says %s in %s (no vote of it was recorded)", sink, r.assume, plural(r.Assumed[sink], "callback")))
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
		lines = append(lines, fmt.Sprintf("not compared: %s %s", plural(r.Skipped[reason], "callback"), reason))
	}
	return append(lines, r.Notes...)
}

// writeText prints the result for people.
func (r diffResult) writeText(w io.Writer) error {
	fmt.Fprintln(w, r.headline())
	last := compare.Kind(255)
	for _, e := range r.Differences {
		if e.kind != last {
			last = e.kind
			fmt.Fprintf(w, "\n%s %s\n", plural(r.Totals[e.Kind], "callback"), kindTitles[e.kind])
		}
		fmt.Fprintf(w, "%8d  %s\n", e.Callbacks, e.subject(""))
		for _, s := range e.Samples {
			fmt.Fprintf(w, "          %s\n", sampleText(s))
		}
	}
	if caveats := r.caveats(); len(caveats) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(caveats, "\n"))
	}
	return nil
}

// sampleText is a callback on one line: its id, what it is, and what becomes of it.
func sampleText(s compare.Sample) string {
	text := plain(s.ID) + " " + cut(s.Command, 60)
	if s.GroupID != "" {
		text += " in " + cut(s.GroupID, 60)
	}
	if s.SenderID != "" {
		text += " from " + cut(s.SenderID, 60)
	}
	if s.Was != "" || s.Now != "" {
		text += ": " + cut(s.Was, 120) + " → " + cut(s.Now, 120)
	}
	return text
}
