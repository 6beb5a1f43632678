package shadow

import "testing"

// A share that is exactly a bound is within it, whatever decimal fractions are in binary.
func TestBoundsAreInclusive(t *testing.T) {
	shareOf := func(tenths int) float64 { return float64(tenths) / 10 / 100 } // as 0.7% is read
	for tenths := range 1000 {
		b := Bounds{Refusals: shareOf(tenths), Errors: shareOf(tenths), Matches: shareOf(tenths)}.withDefaults()
		at := counts{callbacks: 1000, refused: tenths, failed: tenths, matched: tenths}
		if why := b.passed(at, counts{}); why != "" {
			t.Fatalf("%d of 1000: %s", tenths, why)
		}
		for what, over := range map[string]counts{
			"refused": {callbacks: 1000, refused: tenths + 1}, "failed": {callbacks: 1000, failed: tenths + 1}, "matched": {callbacks: 1000, matched: tenths + 1},
		} {
			if b.passed(over, counts{}) == "" {
				t.Fatalf("%d of 1000 %s do not pass the bound", tenths+1, what)
			}
		}
	}
	one := Bounds{Refusals: 1, Errors: shareOf(10), Matches: 1}.withDefaults()
	for others := range 99 {
		if why := one.passed(counts{callbacks: 100, failed: others + 1}, counts{callbacks: 100, failed: others}); why != "" {
			t.Fatalf("one of a hundred more than the others: %s", why)
		}
	}
}

func TestBoundsCountFromTheLeast(t *testing.T) {
	b := Bounds{Least: 10}.withDefaults()
	if b.passed(counts{callbacks: 9, refused: 9}, counts{}) != "" || b.passed(counts{callbacks: 10, refused: 1}, counts{}) == "" {
		t.Error("9 callbacks are too few to judge, 10 are not")
	}
}
