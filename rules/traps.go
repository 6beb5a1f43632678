package rules

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	// mostRepairs bounds how many broken lines of one file are reported at once.
	mostRepairs = 20
	// longestSearch bounds the files in which the broken line is searched for; in larger ones the
	// line that the parser names must do.
	longestSearch = 256 << 10
)

// brokenTag marks the value that stands for a line that does not parse.
const brokenTag = "!callboard-broken"

const quoteHint = "quote the whole expression, or write it below `when: >-`, where YAML leaves it alone"

// parse returns the documents of the file. Where YAML stumbles over an expression that should have
// been quoted, it says so, puts a broken value in its place and goes on, so that the
// rest of the file is checked as well.
func (d *decoder) parse(data []byte) []*node {
	text := bytes.Clone(data)
	for range mostRepairs {
		documents, err := parseYAML(text)
		if err == nil {
			return documents
		}
		problem := err.(*syntaxError)
		line := d.brokenLine(text, problem)
		trap, ok := findTrap(string(d.source.line(line)))
		if !ok {
			d.syntaxError(line, problem)
			return nil
		}
		at := place{line, trap.col, trap.endCol}
		d.fail(at, idSyntax, trap.hint, "%s", trap.message)
		repaired, ok := replaceLine(text, line, trap.keep)
		if !ok {
			return nil
		}
		text = repaired
	}
	return nil
}

func (d *decoder) syntaxError(line int, problem *syntaxError) {
	at := place{}
	if line > 0 {
		at = d.wholeLine(line)
	}
	hint := ""
	switch {
	case strings.Contains(problem.message, "tab character"), strings.Contains(string(d.source.line(line)), "\t"):
		hint = "indent with spaces: YAML takes no tabs there"
	case strings.Contains(problem.message, "unexpected end of stream"):
		hint = "a quote is not closed"
	case strings.Contains(problem.message, "anchor"):
		// What the parser names may be a value that begins with * and no alias.
		problem.message = "unknown anchor referenced"
		hint = "an alias (*name) needs its anchor (&name) above it; text that begins with * must be quoted"
	case strings.Contains(problem.message, "did not find expected"), strings.Contains(problem.message, "mapping values"):
		hint = "look at the indentation of this line and the one above, and for a quote or bracket that is not closed"
	}
	d.fail(at, idSyntax, hint, "this is not YAML: %s", problem.message)
}

// brokenLine returns the line at which the parser gives up: it often names the one where the
// broken mapping begins. That is the shortest beginning of the file that fails with the same words.
func (d *decoder) brokenLine(text []byte, problem *syntaxError) int {
	if len(text) > longestSearch {
		return problem.line
	}
	ends := []int{} // where each line ends
	for _, m := range lineBreak.FindAllIndex(text, -1) {
		ends = append(ends, m[1])
	}
	ends = append(ends, len(text))
	low, high := 0, len(ends)-1 // the answer lies from low to high
	for low < high {
		middle := (low + high) / 2
		_, err := parseYAML(text[:ends[middle]])
		if e, ok := err.(*syntaxError); ok && *e == *problem {
			high = middle
		} else {
			low = middle + 1
		}
	}
	if low+1 > d.lineCount() || strings.TrimSpace(string(d.source.line(low+1))) == "" {
		return max(problem.line, 1)
	}
	return low + 1
}

// A trap is a value that YAML reads otherwise than it was meant.
type trap struct {
	keep          string // the line up to its value
	col, endCol   int
	message, hint string
}

var (
	keyedLine    = regexp.MustCompile(`^(\s*(?:- +)*["']?[A-Za-z_][\w-]*["']?:[ \t]+)(\S.*)$`)
	quotedThen   = regexp.MustCompile(`^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')([ \t]*)([^ \t#].*)$`)
	bracketsThen = regexp.MustCompile(`^(\[[^\[\]]*\]|\{[^{}]*\})([ \t]*)([^ \t#].*)$`)
)

// findTrap recognises the usual ways in which an expression that is not quoted breaks YAML.
func findTrap(line string) (trap, bool) {
	m := keyedLine.FindStringSubmatch(line)
	if m == nil {
		return trap{}, false
	}
	keep, value := m[1], strings.TrimRight(m[2], " \t")
	key := strings.Trim(strings.TrimLeft(keep, " -"), " \t:\"'")
	at := func(from, to int, message string) (trap, bool) {
		start := utf8.RuneCountInString(keep + value[:from])
		hint := quoteHint
		if key != "when" {
			hint = "quote the whole value"
		}
		return trap{keep, start + 1, start + 1 + utf8.RuneCountInString(value[from:to]), message, hint}, true
	}
	if m := quotedThen.FindStringSubmatchIndex(value); m != nil {
		return at(m[6], len(value), "the value ends with its closing quote, and more text follows")
	}
	if m := bracketsThen.FindStringSubmatchIndex(value); m != nil {
		return at(m[6], len(value), "the value ends with its closing bracket, and more text follows")
	}
	if strings.ContainsRune("@`%", rune(value[0])) {
		return at(0, 1, "a value cannot begin with "+value[:1])
	}
	if value[0] == '*' && strings.ContainsAny(value, " \t") {
		return at(0, 1, "a value that begins with * is an alias")
	}
	if strings.ContainsRune("\"'|>[{&!*", rune(value[0])) {
		return trap{}, false
	}
	if i := strings.Index(value+" ", ": "); i >= 0 {
		return at(i, i+1, `": " begins a value inside this value`)
	}
	return trap{}, false
}

// replaceLine puts a broken value on a line, behind what is to be kept of it.
func replaceLine(text []byte, line int, keep string) ([]byte, bool) {
	breaks := lineBreak.FindAllIndex(text, -1)
	from, to := 0, len(text)
	if line > 1 {
		from = breaks[line-2][1]
	}
	if line <= len(breaks) {
		to = breaks[line-1][0]
	}
	if bytes.Contains(text[from:to], []byte(brokenTag)) {
		return nil, false
	}
	return append(append(bytes.Clone(text[:from]), keep+brokenTag+` ""`...), text[to:]...), true
}
