package rules

import (
	"fmt"

	"callboard/internal/diag"
)

// findings is everything found so far, over all files.
type findings struct {
	list []diag.Diagnostic
	from []*source       // of each, to show its line
	seen map[string]bool // finding → made already, through another alias of the same node
}

func (d *decoder) fail(at place, id, hint, format string, args ...any) {
	d.findings.add(d.source, diag.Error, at, id, hint, fmt.Sprintf(format, args...))
}

func (d *decoder) warn(at place, id, hint, format string, args ...any) {
	d.findings.add(d.source, diag.Warning, at, id, hint, fmt.Sprintf(format, args...))
}

func (f *findings) add(s *source, severity diag.Severity, at place, id, hint, message string) {
	at = s.clamp(at)
	key := fmt.Sprintf("%s:%d:%d:%s:%s", s.name, at.line, at.col, id, message)
	if f.seen[key] {
		return
	}
	f.seen[key] = true
	f.list = append(f.list, diag.Diagnostic{
		Severity: severity, ID: id, File: s.name,
		Line: at.line, Col: at.col, EndCol: at.endCol,
		Message: message, Hint: hint,
	})
	f.from = append(f.from, s)
}

// show adds the lines that findings are about, once it is known what of them may be shown.
func (f *findings) show() {
	type line struct {
		of     *source
		number int
	}
	shown := map[line]string{}
	for i := range f.list {
		at := line{f.from[i], f.list[i].Line}
		text, ok := shown[at]
		if !ok {
			text = at.of.shown(at.number)
			shown[at] = text
		}
		f.list[i].Source = text
	}
}
