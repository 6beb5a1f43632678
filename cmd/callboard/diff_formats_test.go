package main

import (
	"strings"
	"testing"

	"callboard/internal/compare"
)

// What users choose, as the names of groups and of commands that nobody knows, stays within its place in a comment, an annotation
// and a terminal.
func TestSamplesStayInTheirPlace(t *testing.T) {
	evil := compare.Sample{ID: "id\n::error::x", Command: "\x1b[2Jodd", GroupID: "`<script>`\\| a | @team \r\n| b", SenderID: "u\u202e1"}
	r := diffResult{Candidate: diffSide{Dir: "new"}, Callbacks: 1, Different: 1,
		Differences: []diffEntry{{Kind: "matched", kind: compare.MatchedMore, Rule: "r", File: "a.yaml", Line: 3, Callbacks: 1, Samples: []compare.Sample{evil}}}}
	for name, write := range map[string]func(*strings.Builder) error{
		"text":     func(w *strings.Builder) error { return r.writeText(w) },
		"markdown": func(w *strings.Builder) error { return r.writeMarkdown(w) },
	} {
		var out strings.Builder
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\r\u202e") || strings.Contains(out.String(), "\n::") || strings.Contains(out.String(), "\n| b") {
			t.Errorf("%s: %q", name, out.String())
		}
		if name != "markdown" {
			continue
		}
		_, row, _ := strings.Cut(out.String(), "|---:|---|---|---|\n")
		want := "| 1 | would newly be matched by a rule | rule `r` (a.yaml:3) | `id ::error::x \ufffd[2Jodd in '<script>'\\¦ a ¦ @team ¦ b from u\ufffd1` |\n"
		if row != want {
			t.Errorf("row\n%q, want\n%q", row, want)
		}
	}
}
