package formula

import (
	"unicode"
	"unicode/utf8"
)

// AppendFolded appends a text in the view Folded.
func AppendFolded(b []byte, text string) []byte {
	for _, r := range text {
		b = utf8.AppendRune(b, foldRune(r))
	}
	return b
}

func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}
