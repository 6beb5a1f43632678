package rules

import (
	"strings"

	"callboard/internal/diag"
	"callboard/rules/when"
)

// Places finds where rules and parts of their conditions stand in their files. A Set does not keep that: it is only asked
// for when something is to be shown. It is not safe for concurrent use.
type Places struct {
	files  map[string]File // name → file
	with   *loading
	drafts map[string]map[string]*ruleDraft // file → rule → where it stands; files that were asked for
}

// NewPlaces makes one for the files and options that a Set was loaded from.
func NewPlaces(files []File, o Options) *Places {
	p := &Places{files: make(map[string]File, len(files)), with: NewLoader(o).loading(), drafts: map[string]map[string]*ruleDraft{}}
	for _, f := range files {
		p.files[f.Name] = f
	}
	return p
}

// At returns a warning without id and message at a stretch of a rule's condition, from one byte offset to another, or, where they
// are equal, at the rule.
func (p *Places) At(r *Rule, start, end int) diag.Diagnostic {
	found := diag.Diagnostic{Severity: diag.Warning, File: r.File, Line: r.Line, Col: 1, EndCol: 2}
	draft := p.draft(r)
	if draft == nil {
		return found
	}
	d, at := draft.from, draft.at
	if n := draft.condition; start < end && n != nil && n.kind == scalarNode {
		if e, ok := d.expand(n); ok {
			lead := strings.Index(e.value, strings.TrimSpace(e.value))
			at, _ = d.expressionPlace(n, e, when.Problem{Start: start, End: end}, lead)
		}
	}
	at = d.clamp(at)
	found.Line, found.Col, found.EndCol, found.Source = at.line, at.col, at.endCol, d.shown(at.line)
	return found
}

// draft reads the file of a rule once more.
func (p *Places) draft(r *Rule) *ruleDraft {
	drafts, read := p.drafts[r.File]
	if !read {
		f := readFile(p.files[r.File], p.with)
		drafts = make(map[string]*ruleDraft, len(f.rules))
		for _, d := range f.rules {
			drafts[d.Name] = d
		}
		p.drafts[r.File] = drafts
	}
	return drafts[r.Name]
}
