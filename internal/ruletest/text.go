package ruletest

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteText writes what failed for people, one case after the other, expected and got side by side:
//
//	moderation_test.yaml:12: a refund is moderated
//	            expected                  got
//	  rules     moderate-support-groups   does not match: its condition is false
//	              groupID was "payments-1", wanted "support-…"
//	  verdict   refuse                    allow (no rule matched)
func WriteText(w io.Writer, results []Result) error {
	b := bufio.NewWriter(w)
	for i := range results {
		if r := &results[i]; len(r.Failures) > 0 {
			r.writeText(b)
			b.WriteByte('\n')
		}
	}
	return b.Flush()
}

func (r *Result) writeText(w io.Writer) {
	fmt.Fprintf(w, "%s:%d: %s\n", r.File, r.Line, r.Name)
	what, want := 0, len("expected")
	for i := range r.Failures {
		what = max(what, len(r.Failures[i].What))
		want = max(want, width(r.Failures[i].Want))
	}
	want = min(want, widestWant)
	fmt.Fprintf(w, "  %s   %s   %s\n", pad("", what), pad("expected", want), "got")
	for i := range r.Failures {
		f := &r.Failures[i]
		if width(f.Want) > want {
			fmt.Fprintf(w, "  %s   %s\n  %s   %s   %s\n", pad(f.What, what), f.Want, pad("", what), pad("", want), f.Got)
		} else {
			fmt.Fprintf(w, "  %s   %s   %s\n", pad(f.What, what), pad(f.Want, want), f.Got)
		}
		for _, line := range f.Why {
			fmt.Fprintf(w, "  %s     %s\n", pad("", what), line)
		}
	}
}

// widestWant is how far what was got is pushed to the right.
const widestWant = 48

func width(s string) int { return utf8.RuneCountInString(s) }

func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-width(s))) }

// String is a failure on one line.
func (f *Failure) String() string {
	s := fmt.Sprintf("%s: expected %s, got %s", f.What, f.Want, f.Got)
	if len(f.Why) > 0 {
		s += ": " + strings.Join(f.Why, "; ")
	}
	return s
}
