package diag

import "strings"

// Nearest returns the name that word was probably meant to be, or "" when none is close: the same
// in another case, else the first with the fewest typing errors (letters added, left out, replaced, or
// two swapped), at most two and fewer than half of word's letters.
func Nearest(word string, names []string) string {
	best, fewest := "", 3
	for _, name := range names {
		if name == word {
			continue
		}
		if strings.EqualFold(name, word) {
			return name
		}
		if n := typingErrors([]rune(word), []rune(name), fewest); n < fewest {
			best, fewest = name, n
		}
	}
	if 2*fewest >= len([]rune(word)) {
		return ""
	}
	return best
}

// typingErrors returns the optimal string alignment distance, or limit when it is limit or more.
func typingErrors(a, b []rune, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			replace := prev[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(replace, prev[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return min(prev[len(b)], limit)
}
