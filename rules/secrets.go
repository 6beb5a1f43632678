package rules

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Diagnostics show lines of the file, and a line may hold a secret. Of the rules everything is shown that
// secretText does not find. Of sinks and defaults, and of what stands nowhere, only keys are, and the values
// of settings that are no secrets: what a decoder did not expect (a header under a misspelled key, a
// key given twice, a file that is no YAML) may be anything.

// secretKeys are the keys of sinks that diagnostics do not show; of url some is, see revealURL.
var secretKeys = []string{"url", "headers", "secret"}

// secretText finds what must not be shown anywhere: the user part of a URL, the values in its query, and
// values whose names say that they are secret.
var secretText = []*regexp.Regexp{
	regexp.MustCompile(`://(.*)@`),
	regexp.MustCompile(`://[^\s?]*\?[^\s=]*=([^\s"']*)`),
	regexp.MustCompile(`(?i)(?:authorization|token|secret|password|passwd|api[-_]?key|cookie|signature|credential)[\w-]*["']?\s*:\s+(\S.*)$`),
}

var (
	reference   = regexp.MustCompile(`\$\{[^}:]*(?::[^}:]*)?(?:\}|:-)`) // its default may be a secret
	topLevelKey = regexp.MustCompile(`^["']?([\w-]+)["']?\s*:`)
	anyKey      = regexp.MustCompile(`(?:^\s*(?:- +)*|[{,]\s*)(?:[A-Za-z_][\w.-]*|"[\w .-]*"|'[\w .-]*')\s*:(?:\s|$)`)
	comment     = regexp.MustCompile(`(?:^|\s)#.*$`)
	origin      = regexp.MustCompile(`^(https?://)(?:[^/?#]*@)?([^/?#@]*(?:/$)?)`)
	harmlessURL = regexp.MustCompile(`^(?:\w+:/*)?[^:@?]*(?::\d+[^:@?]*)?$`)
)

// A stretch is a part of a scalar's text, from one byte to before another; all of it when both are 0.
type stretch struct {
	of       *node
	from, to int
}

// reveal lets diagnostics show a setting's value: a scalar, or a list of them.
func (s *source) reveal(n *node) {
	switch n.kind {
	case scalarNode:
		s.revealed = append(s.revealed, stretch{of: n})
	case sequenceNode:
		for _, item := range n.items {
			if item.kind == scalarNode {
				s.reveal(item)
			}
		}
	}
}

// revealURL lets diagnostics show what of a URL is no secret: where it leads to, and all of it when it
// is wrong and has no place for one.
func (s *source) revealURL(n *node, wrong bool) {
	switch m := origin.FindStringSubmatchIndex(n.text); {
	case n.kind != scalarNode:
	case wrong && harmlessURL.MatchString(n.text):
		s.reveal(n)
	case !wrong && m != nil:
		s.revealed = append(s.revealed, stretch{n, m[2], m[3]}, stretch{n, m[4], m[5]})
	}
}

// shown returns a line as diagnostics may show it: secrets are asterisks, one for each character,
// so that carets stay right. References to secrets stay.
func (s *source) shown(line int) string {
	text := string(s.line(line))
	if !s.inRules(line) {
		text = s.revealedOnly(line)
	}
	for _, secret := range secretText {
		if m := secret.FindStringSubmatchIndex(text); m != nil {
			text = text[:m[2]] + masked(text[m[2]:m[3]]) + text[m[3]:]
		}
	}
	return text
}

// inRules reports whether a line belongs to the rules of the file. It is for when all is read.
func (s *source) inRules(line int) bool {
	if s.rulesLines == nil {
		s.rulesLines = make([]bool, s.lineCount()+1)
		inside := false
		for line := 1; line <= s.lineCount(); line++ {
			text := s.bytesOf(line)
			if len(text) == 0 || text[0] == ' ' {
				s.rulesLines[line] = inside // as most lines
				continue
			}
			if m := topLevelKey.FindSubmatch(text[:min(len(text), 100)]); m != nil {
				inside = string(m[1]) == "rules"
			}
			s.rulesLines[line] = inside
		}
	}
	return s.rulesLines[line]
}

// revealedOnly masks a line but for its keys and what is revealed of it, without the comment at its end.
func (s *source) revealedOnly(line int) string {
	revealed := s.revealedOn(line)
	text := s.line(line)
	var b strings.Builder
	from := 0
	for _, p := range revealed {
		if p.col-1 < from {
			continue
		}
		end := min(p.endCol-1, len(text)) // a place is one wide at least, an empty line is not
		b.WriteString(keysOnly(string(text[from : p.col-1])))
		b.WriteString(string(text[p.col-1 : end]))
		from = end
	}
	b.WriteString(keysOnly(comment.ReplaceAllString(string(text[from:]), "")))
	return strings.TrimRightFunc(b.String(), unicode.IsSpace)
}

// revealedOn returns what is revealed of a line, from left to right. It is for when all is read.
func (s *source) revealedOn(line int) []place {
	if s.revealedAt == nil {
		s.revealedAt = map[int][]place{}
		for _, r := range s.revealed {
			for _, p := range s.places(r) {
				s.revealedAt[p.line] = append(s.revealedAt[p.line], p)
			}
		}
		for _, places := range s.revealedAt {
			slices.SortFunc(places, func(a, b place) int { return a.col - b.col })
		}
	}
	return s.revealedAt[line]
}

// places returns where a stretch stands, a place for each line.
func (s *source) places(r stretch) []place {
	if r.to > 0 {
		return []place{s.clamp(s.within(r.of, r.from, r.to))}
	}
	places := []place{s.clamp(s.place(r.of))}
	if at, ok := s.align(r.of); ok && len(at) > 0 {
		for line := r.of.line + 1; line <= at[len(at)-1].line; line++ {
			places = append(places, s.clamp(s.wholeLine(line)))
		}
	}
	return places
}

// keysOnly masks everything in a stretch of a line but its keys.
func keysOnly(text string) string {
	var b strings.Builder
	from := 0
	for _, m := range anyKey.FindAllStringIndex(text, -1) {
		b.WriteString(masked(text[from:m[0]]))
		b.WriteString(text[m[0]:m[1]])
		from = m[1]
	}
	b.WriteString(masked(text[from:]))
	return b.String()
}

// masked puts asterisks in place of everything but references and the punctuation around it.
func masked(s string) string {
	var b strings.Builder
	from := 0
	stars := func(s string) {
		core := strings.Trim(s, " \t'\"{}[],")
		before, after, _ := strings.Cut(s, core)
		b.WriteString(before + strings.Repeat("*", utf8.RuneCountInString(core)) + after)
	}
	for _, m := range reference.FindAllStringIndex(s, -1) {
		stars(s[from:m[0]])
		b.WriteString(s[m[0]:m[1]])
		from = m[1]
	}
	stars(s[from:])
	return b.String()
}
