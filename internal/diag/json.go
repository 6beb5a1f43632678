package diag

import (
	"encoding/json"
	"io"
)

// Page is the page of the manual that tells of every finding, below the root of the project.
const Page = "docs/findings.md"

// A Report is the JSON rendering. Names are only ever added, never changed.
type Report struct {
	Diagnostics []Entry `json:"diagnostics"`
	Errors      int     `json:"errors"`
	Warnings    int     `json:"warnings"`
}

// An Entry is a diagnostic in a Report.
type Entry struct {
	Severity string `json:"severity"`
	ID       string `json:"id"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Col      int    `json:"col"`
	EndCol   int    `json:"end_col"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	Source   string `json:"source,omitempty"`
	Owner    string `json:"owner,omitempty"`
	Doc      string `json:"doc"`
}

// WriteJSON renders diagnostics for programs, as one object:
//
//	{"diagnostics": [{"severity": "error", "id": "unknown-field", "file": "rules.yaml", "line": 14,
//	  "col": 34, "end_col": 40, "message": "…", "hint": "…", "source": "…", "owner": "…",
//	  "doc": "docs/findings.md#unknown-field"}], "errors": 1, "warnings": 0}
//
// Severity is "error" or "warning"; line is 0 for a file as a whole; hint, source and owner are left out
// when there is none; doc is the place in the manual. No diagnostics are an empty list.
func WriteJSON(w io.Writer, ds []Diagnostic) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(NewReport(ds))
}

// NewReport returns what WriteJSON writes, for those who add to it.
func NewReport(ds []Diagnostic) Report {
	r := Report{Diagnostics: make([]Entry, 0, len(ds))}
	r.Errors, r.Warnings = Count(ds)
	for _, d := range ds {
		r.Diagnostics = append(r.Diagnostics, Entry{
			Severity: d.Severity.String(), ID: d.ID,
			File: d.File, Line: d.Line, Col: d.Col, EndCol: d.EndCol,
			Message: d.Message, Hint: d.Hint, Source: d.Source, Owner: d.Owner, Doc: Page + "#" + d.ID,
		})
	}
	return r
}
