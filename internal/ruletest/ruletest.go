// Package ruletest plays routing tests: callbacks, the answers of sinks, and what is to come of them.
//
// New makes a Suite of a table and the tests beside it; Suite.Run plays them. Coverage says what of the rules the tests have
// seen, Suite.Mutate which changes of a rule they would not notice. Package rules reads the files; package router is
// the engine, in counted time.
package ruletest

import (
	"regexp"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"callboard/internal/diag"
	"callboard/router"
	"callboard/rules"
)

// A Suite is a table and its tests, ready to be played any number of times. It is safe for concurrent use.
type Suite struct {
	Set   *rules.Set
	Cases []*Case

	rehearsal *router.Rehearsal
}

// New makes a suite of tests that rules.ReadTests has read against set. It reads the recorded callbacks that they name with
// readFile. Of o, Version and AnswerWithin count. The Suite is nil when a diagnostic is an error.
func New(set *rules.Set, tests []*rules.Test, o router.Options, readFile func(name string) ([]byte, error)) (*Suite, []diag.Diagnostic) {
	s := &Suite{Set: set, rehearsal: router.NewRehearsal(set, o)}
	recorded := recordings{readFile: readFile, files: map[string]*recording{}}
	dialects := dialectsOf(set)
	var found []diag.Diagnostic
	for _, t := range tests {
		c, err := newCase(t, dialects, &recorded)
		if err != nil {
			found = append(found, diag.Diagnostic{ID: idUnplayableTest, File: t.File, Line: t.Line, Col: 1, EndCol: 2, Message: err.Error()})
			continue
		}
		s.Cases = append(s.Cases, c)
	}
	if len(found) > 0 {
		return nil, found
	}
	return s, nil
}

// Only keeps the cases whose name the expression matches.
func (s *Suite) Only(name *regexp.Regexp) {
	kept := s.Cases[:0:0]
	for _, c := range s.Cases {
		if name.MatchString(c.Name) {
			kept = append(kept, c)
		}
	}
	s.Cases = kept
}

// A Result is what came of one case.
type Result struct {
	*Case
	Trace    *router.Trace
	Failures []Failure     // none: it passed
	Took     time.Duration // to play it, by the clock on the wall
}

// Run plays all cases, on all processors, and returns their results in the cases' order. coverage, when not nil, takes in what
// they have seen.
func (s *Suite) Run(coverage *Coverage) []Result {
	results := make([]Result, len(s.Cases))
	inParallel(len(s.Cases), func(i int) {
		begun := time.Now()
		c := s.Cases[i]
		t := c.play(s.rehearsal)
		r := Result{Case: c, Trace: t, Failures: c.compare(t)}
		if len(r.Failures) > 0 {
			c.explain(s.Set, r.Failures)
		}
		if coverage != nil {
			coverage.see(c, s.Set, t)
		}
		r.Took = time.Since(begun)
		results[i] = r
	})
	return results
}

// inParallel calls f for 0 to n-1, on all processors.
func inParallel(n int, f func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(i)
			}
		})
	}
	workers.Wait()
}
