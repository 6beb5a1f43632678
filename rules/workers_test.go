package rules

import (
	"strings"
	"sync/atomic"
	"testing"
)

func TestEachOf(t *testing.T) {
	for _, workers := range []int{0, 1, 3, 100} {
		var done [50]atomic.Int64
		eachOf(len(done), workers, func(i int) { done[i].Add(1) })
		for i := range done {
			if n := done[i].Load(); n != 1 {
				t.Fatalf("%d workers do %d %d times", workers, i, n)
			}
		}
	}
	eachOf(0, 3, func(int) { t.Error("there is nothing to do") })
}

func TestAPanicOfAWorkerIsTheCallers(t *testing.T) {
	for _, workers := range []int{1, 4} {
		func() {
			defer func() {
				if p, _ := recover().(string); !strings.HasPrefix(p, "at 7\n") || !strings.Contains(p, "workers_test.go") {
					t.Errorf("with %d workers the caller recovers %v", workers, p)
				}
			}()
			eachOf(20, workers, func(i int) {
				if i == 7 {
					panic("at 7")
				}
			})
		}()
	}
}
