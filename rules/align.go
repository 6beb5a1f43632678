package rules

import (
	"strconv"
	"unicode/utf8"
)

// align returns the place in the file of each byte of a scalar's text. It reports false when
// text and file cannot be brought together.
//
// YAML removes indentation, folds line breaks and resolves escapes, but it never changes, drops or adds a
// character that is no white space. So white space is matched where it agrees and skipped where not.
func (s *source) align(n *node) ([]place, bool) {
	c := cursor{source: s, line: n.line, col: n.col}
	c.skipAnchor()
	switch n.style {
	case literalBlock, foldedBlock:
		c.line, c.col = c.line+1, 1
	case singleQuoted, doubleQuoted:
		c.next()
	}
	places := make([]place, 0, len(n.text))
	for _, r := range n.text {
		at, ok := c.match(r, n.style)
		if !ok {
			return nil, false
		}
		for range utf8.RuneLen(r) {
			places = append(places, at)
		}
	}
	return places, true
}

// A cursor walks over the characters of a file. A line break reads as '\n', the end as 0.
type cursor struct {
	*source
	line, col int
}

func (c *cursor) peek() rune {
	text := c.source.line(c.line)
	switch {
	case c.col <= len(text):
		return text[c.col-1]
	case c.line < c.lineCount():
		return '\n'
	default:
		return 0
	}
}

func (c *cursor) next() {
	if c.peek() == '\n' {
		c.line, c.col = c.line+1, 1
		return
	}
	c.col++
}

// skipAnchor moves over &name and the white space behind it, which YAML counts to the scalar.
func (c *cursor) skipAnchor() {
	if c.peek() != '&' {
		return
	}
	for !isBlank(c.peek()) && c.peek() != 0 {
		c.next()
	}
	for isBlank(c.peek()) {
		c.next()
	}
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }

// match moves over the next character of the scalar and returns where it stands.
func (c *cursor) match(r rune, style nodeStyle) (place, bool) {
	if !isBlank(r) {
		for isBlank(c.peek()) || style == doubleQuoted && c.atEscapedBreak() {
			c.next()
		}
	}
	at := place{c.line, c.col, c.col + 1}
	got := c.peek()
	switch {
	case style == doubleQuoted && got == '\\':
		got = c.escape()
		if c.line == at.line {
			at.endCol = c.col
		}
	case style == singleQuoted && got == '\'':
		c.next()
		if c.peek() != '\'' {
			return place{}, false
		}
		c.next()
		at.endCol = c.col
	case got == r:
		c.next()
	}
	return at, got == r || isBlank(r)
}

// atEscapedBreak reports whether the line ends here with a backslash.
func (c *cursor) atEscapedBreak() bool {
	return c.peek() == '\\' && c.col == len(c.source.line(c.line))
}

// escape moves over an escape of a double-quoted scalar and returns the character it stands for,
// 0 when it is none.
func (c *cursor) escape() rune {
	c.next()
	letter := c.peek()
	c.next()
	if digits, ok := map[rune]int{'x': 2, 'u': 4, 'U': 8}[letter]; ok {
		text := c.source.line(c.line)
		end := min(c.col-1+digits, len(text))
		code, err := strconv.ParseUint(string(text[c.col-1:end]), 16, 32)
		if err != nil {
			return 0
		}
		c.col += digits
		return rune(code)
	}
	return escapes[letter]
}

// escapes maps the letter of an escape to the character it stands for.
var escapes = map[rune]rune{
	'0': 0, 'a': '\a', 'b': '\b', 't': '\t', '\t': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r', 'e': 0x1b,
	' ': ' ', '"': '"', '\'': '\'', '\\': '\\', '/': '/', 'N': 0x85, '_': 0xa0, 'L': 0x2028, 'P': 0x2029,
}
