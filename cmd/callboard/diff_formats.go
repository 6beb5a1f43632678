package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"callboard/internal/diag"
)

// mostAnnotations is what GitHub shows of one step.
const mostAnnotations = 10

// diagnostics are the differences at the places of their rules. What counts for the exit code is an error.
func (r diffResult) diagnostics(c diffCmd) []diag.Diagnostic {
	ds := []diag.Diagnostic{{Severity: diag.Warning, ID: "diff", Message: strings.Join(append([]string{r.headline()}, r.caveats()...), "\n")}}
	for _, e := range r.Differences {
		d := diag.Diagnostic{
			Severity: diag.Warning, ID: "diff-" + strings.ReplaceAll(e.Kind, "_", "-"), File: e.File, Line: e.Line, Col: 1, EndCol: 2,
			Message: fmt.Sprintf("%s %s: %s", plural(e.Callbacks, "callback"), kindTitles[e.kind], e.subject("")),
		}
		if e.removed { // its file is not part of the change
			d.File = ""
		}
		if d.File == "" {
			d.Line = 0
		}
		if !c.ExitZero && (len(c.FailOn) == 0 || slices.Contains(c.FailOn, e.Kind)) {
			d.Severity = diag.Error
		}
		for _, s := range e.Samples {
			d.Message += "\n" + sampleText(s)
		}
		ds = append(ds, d)
	}
	slices.SortStableFunc(ds[1:], func(a, b diag.Diagnostic) int { return int(a.Severity) - int(b.Severity) })
	if len(ds) > mostAnnotations { // the rest is in the other formats
		ds = ds[:mostAnnotations]
	}
	return ds
}

// mostRows keeps a comment below what code hosts take.
const mostRows = 100

// writeMarkdown prints the result for a comment on a change.
func (r diffResult) writeMarkdown(w io.Writer) error {
	fmt.Fprintf(w, "### %s\n", r.headline())
	if len(r.Differences) > 0 {
		fmt.Fprint(w, "\n| callbacks | what | by | for example |\n|---:|---|---|---|\n")
	}
	listed := r.Differences[:min(len(r.Differences), mostRows)]
	for _, e := range listed {
		var samples []string
		for _, s := range e.Samples {
			samples = append(samples, "`"+inCode.Replace(sampleText(s))+"`")
		}
		fmt.Fprintf(w, "| %d | %s | %s | %s |\n", e.Callbacks, kindTitles[e.kind], inCell(e.subject("`")), strings.Join(samples, "<br>"))
	}
	caveats := r.caveats()
	if more := len(r.Differences) - len(listed); more > 0 {
		caveats = append(caveats, plural(more, "difference")+" more")
	}
	if len(caveats) > 0 {
		fmt.Fprintf(w, "\n- %s\n", strings.Join(caveats, "\n- "))
	}
	return nil
}

// inCell keeps a text of the rules' authors within its cell.
func inCell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// inCode keeps what users have chosen within its code span, and that within its cell. A backslash would not help: users may put
// another one in front of it.
var inCode = strings.NewReplacer("`", "'", "|", "¦")
