// Package diag holds what is wrong with a file, at its exact place, and renders it for people,
// programs and code hosts.
package diag

// A Severity says whether a diagnostic stops a table from being used.
type Severity uint8

const (
	// Error keeps the new table from serving.
	Error Severity = iota
	// Warning is shown and serves all the same.
	Warning
)

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
	Source   string // the line's text, for the caret; never holds a secret
}

// HasErrors reports whether any diagnostic is an Error.
func HasErrors(ds []Diagnostic) bool {
	for _, d := range ds {
		if d.Severity == Error {
			return true
		}
	}
	return false
}
