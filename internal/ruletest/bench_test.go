package ruletest

import (
	"fmt"
	"strings"
	"testing"
)

// manyTests are rules and as many tests: a rule per group that asks two sinks, and a test of each with an answer that is slow.
func manyTests(n int) (table, tests string) {
	var rules, cases strings.Builder
	rules.WriteString("sinks:\n  moderation: {url: 'http://moderation/'}\n  risk: {url: 'http://risk/'}\nrules:\n")
	for i := range n {
		fmt.Fprintf(&rules, "  - {name: r%d, callbacks: [beforeSendGroupMsg], when: groupID == \"g%d\" && contentType == Text, await: {sinks: [moderation, risk]}}\n", i, i)
		fmt.Fprintf(&cases, "  - {name: t%d, callback: beforeSendGroupMsg, set: {groupID: g%d}, answers: {risk: [503, {answer: allow, after: 30ms}]}, expect: {rules: [r%d], took: 80ms}}\n", i, i, i)
	}
	return rules.String(), cases.String()
}

// BenchmarkRun plays 1,000 tests of as many rules.
func BenchmarkRun(b *testing.B) {
	s := suiteOf(b, firstOf(manyTests(1000)), secondOf(manyTests(1000)))
	b.ReportAllocs()
	for b.Loop() {
		if failed := Failed(s.Run(nil)); failed > 0 {
			b.Fatalf("%d failed", failed)
		}
	}
	b.ReportMetric(float64(b.N*len(s.Cases))/b.Elapsed().Seconds(), "tests/s")
}

// BenchmarkMutate tries every change of 100 rules.
func BenchmarkMutate(b *testing.B) {
	s := suiteOf(b, firstOf(manyTests(100)), secondOf(manyTests(100)))
	tried := 0
	for b.Loop() {
		tried = s.Mutate(0).Tried
	}
	b.ReportMetric(float64(b.N*tried)/b.Elapsed().Seconds(), "changes/s")
}

func firstOf(s, _ string) string  { return s }
func secondOf(_, s string) string { return s }
