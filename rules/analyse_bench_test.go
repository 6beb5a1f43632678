package rules_test

import (
	"fmt"
	"testing"

	"callboard/internal/diag"
	"callboard/internal/manyrules"
	"callboard/rules"
)

// What an analysis costs beside loading: who checks a hundred thousand rules should not have to wait for it.
func BenchmarkAnalyse(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		var files []rules.File
		for _, f := range manyrules.New(manyrules.Realistic, n, 1).Files(n/100, "http://127.0.0.1:9") {
			files = append(files, rules.File{Name: f.Name, Data: f.Data})
		}
		for _, analyse := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/analyse=%t", n, analyse), func(b *testing.B) {
				for b.Loop() {
					if _, found := rules.Load(files, rules.Options{Analyse: analyse}); diag.HasErrors(found) {
						b.Fatal(found[0])
					}
				}
			})
		}
	}
}
