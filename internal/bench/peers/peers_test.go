package peers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"callboard/internal/manyrules"
	"callboard/openim"
	"callboard/rules"
)

var mixes = []manyrules.Mix{manyrules.Selective, manyrules.Realistic, manyrules.Hard}

// CEL, a plain scan and Callboard find the same rules.
func TestPeersAgree(t *testing.T) {
	matched := 0
	for _, mix := range mixes {
		for _, n := range []int{10, 100, 1000} {
			set, table, callbacks := load(t, manyrules.New(mix, n, 7))
			scan := newScanTable(set)
			for _, cb := range callbacks {
				want, err := table.match(cb)
				if err != nil {
					t.Fatal(err)
				}
				scanned, err := scan.match(cb)
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(scanned)
				got := names(set.Match(cb, time.Time{}))
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("mix %d of %d rules, %s: Callboard matches %v, CEL %v", mix, n, cb.Body, got, want)
				}
				if !slices.Equal(got, scanned) {
					t.Errorf("mix %d of %d rules, %s: Callboard matches %v, a scan %v", mix, n, cb.Body, got, scanned)
				}
				matched += len(got)
			}
		}
	}
	if matched < 100 {
		t.Errorf("only %d matches were compared", matched)
	}
}

// BenchmarkPeers matches callbacks, decoded already, against many rules.
func BenchmarkPeers(b *testing.B) {
	for _, mix := range mixes {
		for _, n := range []int{10, 100, 1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%d/%d", mix, n), func(b *testing.B) {
				set, table, callbacks := load(b, manyrules.New(mix, n, 1))
				b.Run("callboard", func(b *testing.B) {
					i := 0
					b.ReportAllocs()
					for b.Loop() {
						set.Match(callbacks[i%len(callbacks)], time.Time{})
						i++
					}
				})
				scan := newScanTable(set)
				b.Run("scan", func(b *testing.B) {
					i := 0
					b.ReportAllocs()
					for b.Loop() {
						if _, err := scan.match(callbacks[i%len(callbacks)]); err != nil {
							b.Fatal(err)
						}
						i++
					}
				})
				b.Run("cel", func(b *testing.B) {
					i := 0
					b.ReportAllocs()
					for b.Loop() {
						if _, err := table.match(callbacks[i%len(callbacks)]); err != nil {
							b.Fatal(err)
						}
						i++
					}
				})
			})
		}
	}
}

func load(tb testing.TB, m *manyrules.Set) (*rules.Set, celTable, []*openim.Callback) {
	tb.Helper()
	var files []rules.File
	for _, f := range m.Files(2+len(m.Rules)/100, "http://127.0.0.1:1") {
		files = append(files, rules.File{Name: f.Name, Data: f.Data})
	}
	set, diagnostics := rules.Load(files, rules.Options{})
	if set == nil {
		tb.Fatal(diagnostics)
	}
	table, err := newCELTable(m)
	if err != nil {
		tb.Fatal(err)
	}
	var callbacks []*openim.Callback
	for _, body := range m.Bodies(200) {
		cb, err := openim.Decode(openim.Request{Path: "/" + body.Command.Name, Body: body.Data})
		if err != nil {
			tb.Fatal(err)
		}
		callbacks = append(callbacks, cb)
	}
	return set, table, callbacks
}

func names(plan rules.Plan) []string {
	var names []string
	for _, r := range plan.Matched {
		names = append(names, strings.TrimSpace(r.Name))
	}
	slices.Sort(names)
	return names
}
