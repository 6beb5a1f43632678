package main

import (
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

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

// While something goes on beside callbacks the heap may grow further, whatever the collections meanwhile say.
func TestHeapGrowsFurtherDuringALoad(t *testing.T) {
	synctest.Test(t, heapGrowsFurtherDuringALoad)
}

func heapGrowsFurtherDuringALoad(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	current := func() int {
		percent := debug.SetGCPercent(100)
		debug.SetGCPercent(percent)
		return percent
	}
	gc := &gcTuner{}
	gc.set(50)
	gc.during(func() {
		if got := current(); got != 100 {
			t.Errorf("during a load the heap may grow by %d %%, want 100 %%", got)
		}
		gc.during(func() { gc.set(80) })
		if got := current(); got != 160 {
			t.Errorf("after a collection during a load the heap may grow by %d %%, want 160 %%", got)
		}
	})
	time.Sleep(holdAfter - 1)
	if got := current(); got != 160 {
		t.Errorf("just after the load the heap may grow by %d %%, want 160 %%", got)
	}
	time.Sleep(time.Nanosecond)
	synctest.Wait()
	if got := current(); got != 80 {
		t.Errorf("after the load the heap may grow by %d %%, want 80 %%", got)
	}
	called := false
	(*gcTuner)(nil).during(func() { called = true })
	if !called {
		t.Error("without a tuner a load is not called")
	}
}
