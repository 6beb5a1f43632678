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

// A source is the text of a rules file, for places and carets. It keeps the bytes and where lines begin: of most files
// no line is ever looked at twice.
type source struct {
	name     string
	data     []byte
	begins   []uint32  // of lines, in data; one more for the end
	revealed []stretch // values that diagnostics may show, see secrets.go

	ignores []ignore // comments that silence warnings, see ignore.go

	read struct { // the line that was asked for last
		line int
		text []rune
	}
	revealedAt map[int][]place // line → what is revealed of it; made when first asked for
	rulesLines []bool          // by line, whether it belongs to the rules; the same
}

// lineBreak is what YAML takes for one. Places would drift if we cut lines elsewhere.
var lineBreak = regexp.MustCompile("\r\n|[\n\r\u0085\u2028\u2029]")

// newSource keeps data, which must not be larger than MaxFile by far.
func newSource(name string, data []byte) *source {
	s := &source{name: name, data: data, begins: make([]uint32, 1, 2+len(data)/32)}
	for at := 0; at < len(data); {
		length := lineLength(data[at:])
		at += length + breakLength(data[at+length:])
		s.begins = append(s.begins, uint32(at))
	}
	if n := len(s.begins); n == 1 || breakBefore(data) {
		s.begins = append(s.begins, uint32(len(data))) // the empty line behind the last break
	}
	return s
}

// forget drops what was made to answer questions (asked again, they are answered again), and with what is revealed of
// the rules, where all is shown, the nodes of most of the file.
func (s *source) forget() {
	revealed := s.revealed
	s.revealed = nil
	for _, r := range revealed {
		if !s.inRules(r.of.line) {
			s.revealed = append(s.revealed, r)
		}
	}
	s.read.text, s.read.line, s.revealedAt, s.rulesLines = nil, 0, nil, nil
}

// lineLength returns how many bytes stand before the first line break. It stands for lineBreak where all of a file is
// read.
func lineLength(data []byte) int {
	for i, c := range data {
		if c == '\n' || c == '\r' || c >= 0xc2 && breakLength(data[i:]) > 0 {
			return i
		}
	}
	return len(data)
}

// breakLength returns the length in bytes of the line break with which data begins, 0 for none.
func breakLength(data []byte) int {
	switch {
	case bytes.HasPrefix(data, []byte("\r\n")), bytes.HasPrefix(data, []byte("\u0085")):
		return 2
	case bytes.HasPrefix(data, []byte("\u2028")), bytes.HasPrefix(data, []byte("\u2029")):
		return 3
	case len(data) > 0 && (data[0] == '\n' || data[0] == '\r'):
		return 1
	}
	return 0
}

// breakBefore reports whether data ends with a line break.
func breakBefore(data []byte) bool {
	for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
		if bytes.HasSuffix(data, []byte(end)) {
			return true
		}
	}
	return false
}

// lineCount returns the number of lines, one at least.
func (s *source) lineCount() int { return max(1, len(s.begins)-1) }

// bytesOf returns a line as it stands in the file, without its break; nothing for lines that do not exist.
func (s *source) bytesOf(n int) []byte {
	if n < 1 || n >= len(s.begins) {
		return nil
	}
	text := s.data[s.begins[n-1]:s.begins[n]]
	return text[:lineLength(text)]
}

// line returns the characters of a line, none for lines that do not exist. They are good until the next call.
func (s *source) line(n int) []rune {
	if s.read.line != n {
		s.read.line = n
		s.read.text = s.read.text[:0]
		for text := s.bytesOf(n); len(text) > 0; {
			r, size := utf8.DecodeRune(text)
			s.read.text = append(s.read.text, r)
			text = text[size:]
		}
	}
	return s.read.text
}

// clamp brings a place into the file, at least one character wide.
func (s *source) clamp(p place) place {
	if p.line <= 0 {
		return place{}
	}
	p.line = min(p.line, s.lineCount())
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
	if end, ok := s.written(n); ok {
		return place{n.line, n.col, end}
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

// written returns where a scalar ends that stands on its line as it reads: most do, and then nothing has to be aligned.
func (s *source) written(n *node) (endCol int, ok bool) {
	if n.text == "" || n.style == literalBlock || n.style == foldedBlock {
		return 0, false
	}
	line, at := s.line(n.line), n.col-1
	quote := rune(0)
	switch n.style {
	case singleQuoted:
		quote = '\''
	case doubleQuoted:
		quote = '"'
	}
	if quote != 0 {
		if at >= len(line) || line[at] != quote {
			return 0, false
		}
		at++
	}
	for _, r := range n.text {
		if at >= len(line) || line[at] != r || r == quote && quote != 0 || r == '\\' && quote == '"' {
			return 0, false
		}
		at++
	}
	if quote != 0 {
		if at >= len(line) || line[at] != quote {
			return 0, false
		}
		at++
	}
	return at + 1, true
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
