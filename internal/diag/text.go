package diag

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// longestLine is how many characters of a source line are shown; longer lines are cut to what
// stands around the caret.
const longestLine = 160

// WriteText renders diagnostics for people, a blank line between two:
//
//	rules.yaml:14:34: unknown field "sendId" in expression [unknown-field]
//	   |
//	14 |     when: contentType == Text && sendId != ""
//	   |                                  ^~~~~~
//	hint: did you mean "sendID"?
//	owner: moderation
//
// A warning says "warning: " before its message. Control characters are shown as U+FFFD.
func WriteText(w io.Writer, ds []Diagnostic) error {
	b := bufio.NewWriter(w)
	for i, d := range ds {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(d.String())
		if d.ID != "" {
			b.WriteString(" [" + printable(d.ID) + "]")
		}
		b.WriteByte('\n')
		if d.Line > 0 && strings.TrimSpace(d.Source) != "" {
			writeSnippet(b, d)
		}
		if d.Hint != "" {
			b.WriteString("hint: " + printable(d.Hint) + "\n")
		}
		if d.Owner != "" {
			b.WriteString("owner: " + printable(d.Owner) + "\n")
		}
	}
	return b.Flush()
}

func writeSnippet(b *bufio.Writer, d Diagnostic) {
	line, start, end := window([]rune(d.Source), d.Col-1, d.EndCol-1)
	number := strconv.Itoa(d.Line)
	gutter := strings.Repeat(" ", len(number)) + " |"

	b.WriteString(gutter + "\n")
	b.WriteString(number + " | " + strings.TrimRight(printable(string(line)), " \t") + "\n")
	b.WriteString(gutter + " " + indent(line[:start]) + "^")
	b.WriteString(strings.Repeat("~", max(0, width(line[start:end])-1)) + "\n")
}

// window cuts a long line to what stands around the characters from start to before end, and
// returns where they are then. It brings both into the line whatever they were.
func window(line []rune, start, end int) (cut []rune, newStart, newEnd int) {
	start = min(max(start, 0), len(line))
	end = min(max(end, start), len(line))
	if len(line) <= longestLine {
		return line, start, end
	}
	from := max(0, min(start-longestLine/3, len(line)-longestLine))
	to := from + longestLine
	cut = append(cut, line[from:to]...)
	if from > 0 {
		cut[0] = '…'
	}
	if to < len(line) {
		cut[len(cut)-1] = '…'
	}
	return cut, start - from, min(end, to) - from
}

// indent returns white space as wide as the text on a terminal: tabs stay tabs, since nobody
// knows how far they reach.
func indent(text []rune) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\t' {
			b.WriteByte('\t')
			continue
		}
		b.WriteString(strings.Repeat(" ", runeWidth(r)))
	}
	return b.String()
}

func width(text []rune) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// runeWidth returns how many columns terminals give to a character.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.Is(wide, r):
		return 2
	default:
		return 1
	}
}

// wide holds the blocks that Unicode's East Asian Width calls wide, emoji included.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1}, // Hangul Jamo
		{Lo: 0x2e80, Hi: 0x303e, Stride: 1}, // CJK radicals and punctuation
		{Lo: 0x3041, Hi: 0xa4cf, Stride: 1}, // Kana to Yi
		{Lo: 0xac00, Hi: 0xd7a3, Stride: 1}, // Hangul syllables
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1}, // CJK compatibility
		{Lo: 0xfe30, Hi: 0xfe6f, Stride: 1}, // CJK compatibility forms
		{Lo: 0xff00, Hi: 0xff60, Stride: 1}, // fullwidth forms
		{Lo: 0xffe0, Hi: 0xffe6, Stride: 1}, // fullwidth signs
	},
	R32: []unicode.Range32{
		{Lo: 0x1f300, Hi: 0x1f64f, Stride: 1}, // pictographs, emoticons
		{Lo: 0x1f680, Hi: 0x1f6ff, Stride: 1}, // transport
		{Lo: 0x1f900, Hi: 0x1faff, Stride: 1}, // more pictographs
		{Lo: 0x20000, Hi: 0x3fffd, Stride: 1}, // CJK extensions
	},
}

// printable replaces control characters, so that a file cannot steer the terminal it is shown on.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
