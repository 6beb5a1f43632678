package main

import "testing"

func TestHeapGrowsByABoundedAmount(t *testing.T) {
	for live, want := range map[uint64]int{
		0:         400, // nothing was collected yet
		4 << 20:   400,
		24 << 20:  400,
		96 << 20:  100,
		192 << 20: 50,
		2 << 30:   50,
	} {
		if got := gcPercentFor(live); got != want {
			t.Errorf("with %d MiB live the heap may grow by %d %%, want %d %%", live>>20, got, want)
		}
	}
}
