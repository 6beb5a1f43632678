package rules

import (
	"fmt"

	"callboard/internal/diag"
)

// findings is everything found so far: in one file, or over all files.
type findings struct {
	list []diag.Diagnostic
	from []*source       // of each, to show its line; nil where that is done
	seen map[string]bool // finding → made already, through another alias of the same node
}

// take adds findings whose lines are shown.
func (f *findings) take(list []diag.Diagnostic) {
	for _, d := range list {
		f.list, f.from = append(f.list, d), append(f.from, nil)
		f.note(d)
	}
}

// note reports whether a finding is new.
func (f *findings) note(d diag.Diagnostic) bool {
	key := fmt.Sprintf("%s:%d:%d:%s:%s", d.File, d.Line, d.Col, d.ID, d.Message)
	if f.seen[key] {
		return false
	}
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	f.seen[key] = true
	return true
}

func (d *decoder) fail(at place, id, hint, format string, args ...any) {
	d.findings.add(d.source, diag.Error, at, id, hint, fmt.Sprintf(format, args...))
}

func (d *decoder) warn(at place, id, hint, format string, args ...any) {
	d.findings.add(d.source, diag.Warning, at, id, hint, fmt.Sprintf(format, args...))
}

func (f *findings) add(s *source, severity diag.Severity, at place, id, hint, message string) {
	at = s.clamp(at)
	d := diag.Diagnostic{
		Severity: severity, ID: id, File: s.name,
		Line: at.line, Col: at.col, EndCol: at.endCol,
		Message: message, Hint: hint,
	}
	if f.note(d) {
		f.list, f.from = append(f.list, d), append(f.from, s)
	}
}

// show adds the lines that findings are about, once it is known what of them may be shown.
func (f *findings) show() {
	type line struct {
		of     *source
		number int
	}
	shown := map[line]string{}
	for i := range f.list {
		if f.from[i] == nil {
			continue
		}
		at := line{f.from[i], f.list[i].Line}
		text, ok := shown[at]
		if !ok {
			text = at.of.shown(at.number)
			shown[at] = text
		}
		f.list[i].Source = text
	}
}
