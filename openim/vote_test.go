package openim

import "testing"

func TestParseVote(t *testing.T) {
	for v := Failed; v <= Abstain; v++ {
		if got, ok := ParseVote(v.String()); got != v || !ok {
			t.Errorf("ParseVote(%q) = %v, %t", v, got, ok)
		}
	}
	for _, name := range []string{"", "out", "Allow"} {
		if got, ok := ParseVote(name); got != Failed || ok {
			t.Errorf("ParseVote(%q) = %v, %t, want no vote", name, got, ok)
		}
	}
}
