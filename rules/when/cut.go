package when

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// fill gives a variable the callback's value.
func (s *Scope) fill(a *slot) {
	s.variables[a.key] = s.cut(a.name, s.cb.Value(a.name, a.kind))
}

// noteLongText notes that text is cut before a condition reads it: which conditions are evaluated must not show.
func (s *Scope) noteLongText() {
	if content, ok := s.cb.Raw("content"); ok && len(content) > maxString {
		s.made[lazyText] = s.cut("text", s.cb.TextValue())
	}
}

// cut shortens what is longer than conditions and keys may see, and notes that.
func (s *Scope) cut(name string, v any) any {
	switch v := v.(type) {
	case string:
		if len(v) > s.longest {
			return s.cutString(name, v)
		}
	case []any:
		if len(v) > maxEntries {
			s.note("%s: rules see the first %d of %d entries", name, maxEntries, len(v))
			return v[:maxEntries]
		}
	}
	return v
}

func (s *Scope) cutString(name, v string) string {
	if len(v) <= s.longest {
		return v
	}
	s.note("%s: rules see the first %d of %d bytes", name, s.longest, len(v))
	return cutText(v, s.longest)
}

// cutText cuts a text between two characters.
func cutText(v string, longest int) string {
	end := longest
	for end > 0 && !utf8.RuneStart(v[end]) {
		end--
	}
	return v[:end]
}

func (s *Scope) note(format string, args ...any) {
	n := fmt.Sprintf(format, args...)
	if !slices.Contains(s.notes, n) {
		s.notes = append(s.notes, n)
	}
}
