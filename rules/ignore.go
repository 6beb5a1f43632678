package rules

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"callboard/internal/diag"
)

// An ignore is a comment that silences a warning at its place:
//
//	# callboard:ignore unused-sink the drill of May asks it
//
// On a line of its own it counts for the entry that begins below, with all that belongs to it; at the end of a line, for this line.
type ignore struct {
	id, reason  string
	at          place // from its # to the end of the id
	first, last int   // lines that it counts for
}

const ignoreWord = "callboard:ignore"

var ignoreComment = regexp.MustCompile(`(?:^|\s)(#\s*` + ignoreWord + `(?:\s+([^\s]+))?)(?:\s+(.*?))?\s*$`)

// findIgnores notes the comments of a file that silence warnings. What looks like one within a text is none.
func (s *source) findIgnores(data []byte, documents []*node) {
	if !bytes.Contains(data, []byte(ignoreWord)) {
		return
	}
	inText := map[int]bool{} // line → whether the word on it belongs to a text
	for _, root := range documents {
		s.markTexts(root, inText)
	}
	for line := 1; line <= s.lineCount(); line++ {
		if !bytes.Contains(s.bytesOf(line), []byte(ignoreWord)) || inText[line] {
			continue
		}
		text := string(s.line(line))
		m := ignoreComment.FindStringSubmatchIndex(text)
		if m == nil {
			continue
		}
		group := func(n int) string {
			if m[2*n] < 0 {
				return ""
			}
			return text[m[2*n]:m[2*n+1]]
		}
		col := utf8.RuneCountInString(text[:m[2]]) + 1
		c := ignore{id: group(2), reason: group(3), at: place{line, col, col + utf8.RuneCountInString(group(1))}, first: line, last: line}
		if strings.TrimSpace(text[:m[2]]) == "" {
			c.first, c.last = s.block(s.nextLine(line))
		}
		s.ignores = append(s.ignores, c)
	}
}

// markTexts marks the lines on which a text holds the word. A plain scalar ends where a comment begins.
func (s *source) markTexts(n *node, inText map[int]bool) {
	for _, p := range n.pairs {
		s.markTexts(p.key, inText)
		s.markTexts(p.value, inText)
	}
	for _, item := range n.items {
		s.markTexts(item, inText)
	}
	if n.style == plainStyle || !strings.Contains(n.text, ignoreWord) {
		return
	}
	at, ok := s.align(n)
	for i := strings.Index(n.text, ignoreWord); ok && i >= 0; {
		inText[at[i].line] = true
		next := strings.Index(n.text[i+1:], ignoreWord)
		if next < 0 {
			break
		}
		i += 1 + next
	}
}

// nextLine returns the first line behind one that has more on it than a comment.
func (s *source) nextLine(line int) int {
	for line++; line <= s.lineCount(); line++ {
		if text := strings.TrimSpace(string(s.line(line))); text != "" && text[0] != '#' {
			break
		}
	}
	return line
}

// block returns the first and the last line of the entry that begins on a line: it ends where a line is indented no deeper.
func (s *source) block(line int) (first, last int) {
	depth := indentation(s.line(line))
	last = line
	for i := line + 1; i <= s.lineCount(); i++ {
		text := s.line(i)
		in := indentation(text)
		if in == len(text) {
			continue // an empty line belongs to what follows
		}
		if in <= depth {
			break
		}
		last = i
	}
	return line, last
}

func indentation(line []rune) int {
	if i := slices.IndexFunc(line, func(r rune) bool { return !unicode.IsSpace(r) }); i >= 0 {
		return i
	}
	return len(line)
}

// silence takes out the warnings that comments silence, and warns of comments that do not.
func (l *loader) silence() {
	f := l.findings
	byFile := map[string]*source{} // name of a file with such comments → the file
	used := map[*ignore]bool{}
	for _, s := range l.sources {
		if len(s.ignores) > 0 {
			byFile[s.name] = s
		}
	}
	if len(byFile) == 0 {
		return
	}
	kept, from := f.list[:0:0], f.from[:0:0]
	for i, d := range f.list {
		silenced := false
		if s := byFile[d.File]; s != nil && d.Severity == diag.Warning {
			for j := range s.ignores {
				c := &s.ignores[j]
				if c.id == d.ID && c.reason != "" && c.first <= d.Line && d.Line <= c.last {
					silenced, used[c] = true, true
				}
			}
		}
		if !silenced {
			kept, from = append(kept, d), append(from, f.from[i])
		}
	}
	f.list, f.from = kept, from
	for _, s := range l.sources {
		for i := range s.ignores {
			if c := &s.ignores[i]; !used[c] {
				l.badIgnore(s, c, kept)
			}
		}
	}
}

// badIgnore warns of a comment that silences nothing. Without an analysis it may be meant for what only that would find.
func (l *loader) badIgnore(s *source, c *ignore, found []diag.Diagnostic) {
	warn := func(id, hint, format string, args ...any) {
		l.findings.add(s, diag.Warning, c.at, id, hint, fmt.Sprintf(format, args...))
	}
	if c.id == "" || c.reason == "" {
		warn(idIgnoreReason, "as in # "+ignoreWord+" unused-sink the drill of May asks it", "a comment that silences a finding names it and gives the reason")
		return
	}
	if !l.analyse {
		return
	}
	var ids []string
	for _, d := range found {
		if d.File != s.name || d.Line < c.first || d.Line > c.last {
			continue
		}
		if d.ID == c.id {
			warn(idIgnoreIdle, "", "only warnings can be silenced, and %s is an error here", c.id)
			return
		}
		ids = append(ids, d.ID)
	}
	if diag.HasErrors(found) {
		return // there was no analysis
	}
	hint := "take the comment out"
	if near := diag.Nearest(c.id, ids); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	warn(idIgnoreIdle, hint, "this comment silences nothing: there is no finding %s here", c.id)
}

// nameOwners says of each finding about a rule who answers for the rule.
func (l *loader) nameOwners() {
	if len(l.findings.list) == 0 {
		return
	}
	rules := map[string][]*outline{} // file → its rules that somebody owns, in the order of their lines
	for _, r := range l.rules {
		if r.Owner != "" {
			rules[r.File] = append(rules[r.File], r)
		}
	}
	for i := range l.findings.list {
		d := &l.findings.list[i]
		owned := rules[d.File]
		n, exact := slices.BinarySearchFunc(owned, d.Line, func(r *outline, line int) int { return r.start - line })
		if !exact {
			n--
		}
		if n < 0 {
			continue
		}
		if _, last := owned[n].from.block(owned[n].start); d.Line <= last {
			d.Owner = owned[n].Owner
		}
	}
}
