package manyrules_test

import (
	"bytes"
	"testing"
	"time"

	"callboard/internal/manyrules"
	"callboard/openim"
	"callboard/rules"
)

var mixes = map[string]manyrules.Mix{"selective": manyrules.Selective, "realistic": manyrules.Realistic, "hard": manyrules.Hard}

func load(t *testing.T, files []manyrules.File) *rules.Set {
	t.Helper()
	var list []rules.File
	for _, f := range files {
		list = append(list, rules.File(f))
	}
	set, findings := rules.Load(list, rules.Options{})
	for _, f := range findings {
		t.Error(f, f.Hint, f.Source)
	}
	return set
}

func TestRulesLoadWithoutFindings(t *testing.T) {
	for name, mix := range mixes {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 10, 2000} {
				made := manyrules.New(mix, n, 1)
				set := load(t, made.Files(20, "http://sinks.internal"))
				if t.Failed() {
					t.FailNow()
				}
				if len(set.Rules) != n {
					t.Errorf("%d rules load as %d", n, len(set.Rules))
				}
			}
		})
	}
}

func TestSomeCallbacksMatch(t *testing.T) {
	for name, mix := range mixes {
		t.Run(name, func(t *testing.T) {
			made := manyrules.New(mix, 2000, 1)
			set := load(t, made.Files(2, "http://sinks.internal"))
			bodies, matching := made.Bodies(500), 0
			for _, b := range bodies {
				cb, err := openim.Decode(openim.Request{Path: "/" + b.Command.Name, Body: b.Data})
				if err != nil {
					t.Fatalf("%s: %v", b.Data, err)
				}
				if cb.Command != b.Command || len(cb.Mismatches()) > 0 {
					t.Fatalf("%s is %s with wrong types in %v, want %s", b.Data, cb.Name, cb.Mismatches(), b.Command.Name)
				}
				plan := set.Match(cb, time.Time{})
				if len(plan.Errors) > 0 {
					t.Fatalf("conditions fail: %v", plan.Errors)
				}
				if len(plan.Matched) > 0 {
					matching++
				}
			}
			if matching < len(bodies)/20 || matching == len(bodies) {
				t.Errorf("%d of %d callbacks match", matching, len(bodies))
			}
			t.Logf("%d of %d callbacks match", matching, len(bodies))
		})
	}
}

func TestSameSeedSameRules(t *testing.T) {
	text := func(seed uint64) []byte {
		made := manyrules.New(manyrules.Realistic, 200, seed)
		return append(made.Files(3, "http://sinks.internal")[2].Data, made.Bodies(5)[4].Data...)
	}
	if !bytes.Equal(text(7), text(7)) {
		t.Error("one seed makes two sets")
	}
	if bytes.Equal(text(7), text(8)) {
		t.Error("two seeds make one set")
	}
}
