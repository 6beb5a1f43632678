package rules

import (
	"fmt"
	"testing"
	"time"

	"callboard/internal/manyrules"
	"callboard/openim"
)

// BenchmarkMatchMany matches callbacks, decoded already, against many rules, by the index and by looking at each.
func BenchmarkMatchMany(b *testing.B) {
	for _, mix := range []manyrules.Mix{manyrules.Selective, manyrules.Realistic, manyrules.Hard} {
		for _, n := range []int{10, 100, 1000, 10_000, 100_000} {
			b.Run(fmt.Sprintf("%v/%d", mix, n), func(b *testing.B) {
				set, callbacks := many(b, mix, n)
				b.Run("index", func(b *testing.B) { matchEach(b, callbacks, set.Match) })
				b.Run("scan", func(b *testing.B) { matchEach(b, callbacks, set.scan) })
			})
		}
	}
}

func matchEach(b *testing.B, callbacks []*openim.Callback, match func(*openim.Callback, time.Time) Plan) {
	matched, i := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		matched += len(match(callbacks[i%len(callbacks)], noon).Matched)
		i++
	}
	b.ReportMetric(float64(matched)/float64(i), "matched/op")
}

// many loads n rules and decodes callbacks that go with them.
func many(b *testing.B, mix manyrules.Mix, n int) (*Set, []*openim.Callback) {
	m := manyrules.New(mix, n, 1)
	var files []File
	for _, f := range m.Files(1+n/100, "http://127.0.0.1:1") {
		files = append(files, File{Name: f.Name, Data: f.Data})
	}
	set, diagnostics := Load(files, Options{})
	if set == nil {
		b.Fatal(diagnostics)
	}
	var callbacks []*openim.Callback
	for _, body := range m.Bodies(256) {
		cb, err := openim.Decode(openim.Request{Path: "/" + body.Command.Name, Body: body.Data})
		if err != nil {
			b.Fatal(err)
		}
		callbacks = append(callbacks, cb)
	}
	return set, callbacks
}

// BenchmarkBuildIndex builds the index of rules whose conditions are compiled, as a reload does.
func BenchmarkBuildIndex(b *testing.B) {
	for _, mix := range []manyrules.Mix{manyrules.Selective, manyrules.Realistic, manyrules.Hard} {
		b.Run(fmt.Sprint(mix), func(b *testing.B) {
			set, _ := many(b, mix, 100_000)
			b.ReportAllocs()
			for b.Loop() {
				set.buildIndex()
			}
		})
	}
}
