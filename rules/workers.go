package rules

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// eachOf calls do for each number below n, some at the same time: workers of them, one at least. A panic is one of the
// caller's, who may know what to do then; it comes with the stack of where it was.
func eachOf(n, workers int, do func(int)) {
	var next atomic.Int64
	var panicked atomic.Pointer[string]
	work := func() {
		defer func() {
			if p := recover(); p != nil {
				what := fmt.Sprintf("%v\n%s", p, debug.Stack())
				panicked.CompareAndSwap(nil, &what)
				next.Store(int64(n))
			}
		}()
		for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
			do(int(i))
		}
	}
	var helpers sync.WaitGroup
	for range min(workers, n) - 1 {
		helpers.Go(work)
	}
	work()
	helpers.Wait()
	if p := panicked.Load(); p != nil {
		panic(*p)
	}
}
