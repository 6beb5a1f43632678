package rules

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A place is a stretch of one line: line and column from 1, in characters. The zero value is the
// file as a whole.
type place struct {
	line, col, endCol int
}

// A source is the text of a rules file, for places and carets.
type source struct {
	name     string
	lines    [][]rune  // without their breaks
	revealed []stretch // values that diagnostics may show, see secrets.go

	revealedAt map[int][]place // line → what is revealed of it; made when first asked for
	rulesLines []bool          // by line, whether it belongs to the rules; the same
}

// lineBreak is what YAML takes for one. Places would drift if we cut lines elsewhere.
var lineBreak = regexp.MustCompile("\r\n|[\n\r\u0085\u2028\u2029]")

func newSource(name string, data []byte) *source {
	s := &source{name: name}
	for _, line := range lineBreak.Split(string(data), -1) {
		s.lines = append(s.lines, []rune(line))
	}
	return s
}

// line returns the characters of a line, none for lines that do not exist.
func (s *source) line(n int) []rune {
	if n < 1 || n > len(s.lines) {
		return nil
	}
	return s.lines[n-1]
}

// clamp brings a place into the file, at least one character wide.
func (s *source) clamp(p place) place {
	if p.line <= 0 {
		return place{}
	}
	p.line = min(p.line, len(s.lines))
	width := len(s.line(p.line))
	p.col = min(max(p.col, 1), width+1)
	p.endCol = max(p.col+1, min(p.endCol, width+1))
	return p
}

// restOfLine is the place from a column to the last character of its line that is no white space.
func (s *source) restOfLine(line, col int) place {
	text := strings.TrimRightFunc(string(s.line(line)), unicode.IsSpace)
	return place{line, col, utf8.RuneCountInString(text) + 1}
}

// wholeLine is the place of a line without its indentation.
func (s *source) wholeLine(line int) place {
	text := s.line(line)
	col := 1
	for col <= len(text) && unicode.IsSpace(text[col-1]) {
		col++
	}
	return s.restOfLine(line, col)
}

// place returns where a node stands: a scalar of one line with its quotes, a mapping by its first
// key, everything longer up to the end of its first line.
func (s *source) place(n *node) place {
	switch {
	case n.kind == mappingNode && len(n.pairs) > 0 && n.pairs[0].key.line == n.line && n.pairs[0].key.col == n.col:
		return s.place(n.pairs[0].key)
	case n.kind != scalarNode || n.explicitTag != "":
		return place{n.line, n.col, n.col + 1}
	}
	at, ok := s.align(n)
	if n.text == "" && n.style != plainStyle {
		return place{n.line, n.col, n.col + 2}
	}
	if !ok || len(at) == 0 || at[len(at)-1].line != n.line {
		return s.restOfLine(n.line, n.col)
	}
	end := at[len(at)-1].endCol
	if n.style == singleQuoted || n.style == doubleQuoted {
		end++
	}
	return place{n.line, n.col, end}
}

// badByte returns the offset of the first byte that is no UTF-8, and of the first character that
// YAML does not allow; -1 when there is none.
func badByte(data []byte) (notUTF8, control int) {
	control = -1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i, control
		}
		if control < 0 && !allowedInYAML(r) {
			control = i
		}
		i += size
	}
	return -1, control
}

func allowedInYAML(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r == 0x85:
		return true
	case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff:
		return false
	default:
		return true
	}
}

// placeOf returns the place of the character at a byte offset. What precedes it must be UTF-8.
func placeOf(data []byte, offset int) place {
	before := data[:offset]
	line, from := 1, 0
	for _, m := range lineBreak.FindAllIndex(before, -1) {
		line, from = line+1, m[1]
	}
	col := utf8.RuneCount(before[from:]) + 1
	return place{line, col, col + 1}
}

var byteOrderMark = []byte("\ufeff")

func trimByteOrderMark(data []byte) []byte { return bytes.TrimPrefix(data, byteOrderMark) }
