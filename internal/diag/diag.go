// Package diag holds what is wrong with a file, at its exact place, and renders it for people,
// programs and code hosts.
//
// A Diagnostic is one finding; WriteText, WriteJSON and WriteGitHub render a list of them. What is
// wrong is decided elsewhere.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// A Severity says whether a diagnostic stops a table from being used.
type Severity uint8

const (
	// Error keeps the new table from serving.
	Error Severity = iota
	// Warning is shown and serves all the same.
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// A Diagnostic is one finding at one place.
type Diagnostic struct {
	Severity Severity
	ID       string // stable, kebab-case: unknown-field
	File     string // as the user named it, relative to where the check ran
	Line     int    // from 1; 0 means the file as a whole
	Col      int    // from 1, in characters (runes)
	EndCol   int    // one past the last character underlined; Col+1 at least
	Message  string // what is wrong, lower case, no full stop
	Hint     string // what would be right, or ""
	Owner    string // the team that answers for what it is about, or ""
	Source   string // the line's text, for the caret; never holds a secret
}

// String returns the place and the message on one line, as in the first line of WriteText.
func (d Diagnostic) String() string {
	message := printable(d.Message)
	if d.Severity == Warning {
		message = "warning: " + message
	}
	switch {
	case d.File == "":
		return message
	case d.Line == 0:
		return fmt.Sprintf("%s: %s", printable(d.File), message)
	default:
		return fmt.Sprintf("%s:%d:%d: %s", printable(d.File), d.Line, d.Col, message)
	}
}

// HasErrors reports whether any diagnostic is an Error.
func HasErrors(ds []Diagnostic) bool {
	errors, _ := Count(ds)
	return errors > 0
}

// Count returns how many of the diagnostics are errors and how many are warnings.
func Count(ds []Diagnostic) (errors, warnings int) {
	for _, d := range ds {
		if d.Severity == Warning {
			warnings++
		} else {
			errors++
		}
	}
	return errors, warnings
}

// Sort orders diagnostics by file, line and column, and leaves those of one place in the order in
// which they were found. Files come in the order given; files not given come after, by name.
func Sort(ds []Diagnostic, files []string) {
	place := make(map[string]int, len(files)) // file name → its place
	for i, name := range files {
		if _, ok := place[name]; !ok {
			place[name] = i
		}
	}
	rank := func(name string) int {
		if i, ok := place[name]; ok {
			return i
		}
		return len(files)
	}
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(rank(a.File), rank(b.File)),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Col, b.Col),
		)
	})
}
