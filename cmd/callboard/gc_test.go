package main

import "testing"

func TestHeapGrowsByABoundedAmount(t *testing.T) {
	for live, want := range map[uint64]int{
		0:         400, // nothing was collected yet
		4 << 20:   400,
		20 << 20:  400,
		80 << 20:  100,
		160 << 20: 50,
		250 << 20: 33,
		2 << 30:   33,
	} {
		if got := gcPercentFor(live); got != want {
			t.Errorf("with %d MiB live the heap may grow by %d %%, want %d %%", live>>20, got, want)
		}
	}
}
