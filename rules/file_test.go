package rules

import (
	"testing"

	"pgregory.net/rapid"
)

// Lines are found without the regular expression that says what a line break is, and places without aligning.
func TestLinesAreWhatLineBreaksLeave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("ab \n\r\u0085\u2028\u2029é退"))).Draw(t, "text")
		s := newSource("a.yaml", []byte(text))
		want := lineBreak.Split(text, -1)
		if s.lineCount() != len(want) {
			t.Fatalf("%q has %d lines, want %d", text, s.lineCount(), len(want))
		}
		for i, line := range want {
			if got := string(s.line(i + 1)); got != line {
				t.Fatalf("line %d of %q is %q, want %q", i+1, text, got, line)
			}
		}
		if len(s.line(0)) > 0 || len(s.line(len(want)+1)) > 0 {
			t.Fatalf("%q has lines outside", text)
		}
	})
}

// Where a scalar stands as it reads, its end is the one that aligning it would find.
func TestWrittenScalarsEndWhereAligningSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quote := rapid.SampledFrom([]string{"", `"`, "'"}).Draw(t, "quote")
		inner := rapid.StringOfN(rapid.SampledFrom([]rune(`ab é'"\ n退`)), 1, 8, -1).Draw(t, "inner")
		data := []byte("k: " + quote + inner + quote + " # c\n")
		documents, err := parseYAML(data)
		if err != nil || len(documents) != 1 || documents[0].kind != mappingNode {
			t.Skip("not YAML")
		}
		n := documents[0].pairs[0].value
		s := newSource("a.yaml", data)
		end, ok := s.written(n)
		if !ok || n.kind != scalarNode {
			return
		}
		at, aligned := s.align(n)
		want := at[len(at)-1].endCol
		if n.style == singleQuoted || n.style == doubleQuoted {
			want++
		}
		if !aligned || end != want {
			t.Fatalf("%q ends at %d, aligned (%t) at %d", data, end, aligned, want)
		}
	})
}
