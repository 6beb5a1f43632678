package sqlite

import (
	"testing"

	"pgregory.net/rapid"
)

// spans holds what a set of numbers would.
func TestSpansAreASet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var s spans
		set := map[uint64]bool{}
		rt.Repeat(map[string]func(*rapid.T){
			"add": func(rt *rapid.T) {
				from, n := rapid.Uint64Range(1, 100).Draw(rt, "from"), rapid.Uint64Range(0, 10).Draw(rt, "n")
				s.add(from, from+n)
				s.add(from, from-1) // nothing
				for i := range n + 1 {
					set[from+i] = true
				}
			},
			"drop": func(rt *rapid.T) {
				to := rapid.Uint64Range(0, 60).Draw(rt, "to")
				s.dropTo(to)
				for i := range to + 1 {
					delete(set, i)
				}
			},
			"": func(rt *rapid.T) {
				n := 0
				for i, sp := range s {
					if sp.from > sp.to || i > 0 && sp.from <= s[i-1].to+1 {
						rt.Fatalf("spans %v", s)
					}
					for j := sp.from; j <= sp.to; j++ {
						if n++; !set[j] {
							rt.Fatalf("%d is in %v", j, s)
						}
					}
				}
				if n != len(set) {
					rt.Fatalf("%v has %d of %d", s, n, len(set))
				}
			},
		})
	})
}

func TestManySpansAreJoinedAndLoseNothing(t *testing.T) {
	var s spans
	for i := uint64(1); i <= 3*maxSpans; i++ {
		s.add(i*i, i*i)
	}
	if len(s) > maxSpans {
		t.Errorf("%d spans", len(s))
	}
	in := func(n uint64) bool {
		for _, sp := range s {
			if sp.from <= n && n <= sp.to {
				return true
			}
		}
		return false
	}
	for i := uint64(1); i <= 3*maxSpans; i++ {
		if !in(i * i) {
			t.Fatalf("%d is lost", i*i)
		}
	}
	if last := s[len(s)-1]; last.from != last.to {
		t.Errorf("those that are far apart were joined: %v", last)
	}
}
