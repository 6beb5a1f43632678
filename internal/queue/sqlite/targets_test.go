package sqlite

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"callboard/internal/queue"
)

func testDirectory(sinks int) *directory {
	d := &directory{ids: map[string]int{}, names: []string{""}}
	for i := range sinks {
		d = d.with("sink-" + string(rune('a'+i)))
	}
	return d
}

func TestTargetsComeBackAsTheyWere(t *testing.T) {
	d := testDirectory(300) // ids of two bytes too
	rapid.Check(t, func(rt *rapid.T) {
		target := rapid.Custom(func(rt *rapid.T) queue.Target {
			return queue.Target{
				Sink:  rapid.SampledFrom(d.names[1:]).Draw(rt, "sink"),
				Key:   rapid.String().Draw(rt, "key"),
				Rules: rapid.SliceOf(rapid.String()).Draw(rt, "rules"),
			}
		})
		want := rapid.SliceOf(target).Draw(rt, "targets")
		packed := appendTargets(nil, d, want)
		got, err := unpackTargets(packed, d, texts{})
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("(-packed +unpacked):\n%s", diff)
		}
		var sinks []string
		if err := eachSink(packed, func(id int) bool { sinks = append(sinks, d.names[id]); return true }); err != nil {
			rt.Fatal(err)
		}
		for i, target := range want {
			if sinks[i] != target.Sink {
				rt.Fatalf("sink %d is %s, want %s", i, sinks[i], target.Sink)
			}
			if !bytes.Contains(packed, marker(d.ids[target.Sink])) {
				rt.Fatalf("the marker of %s is missing", target.Sink)
			}
		}
	})
}

// FuzzTargets unpacks anything: it fails, or gives what packs and unpacks to the same.
func FuzzTargets(f *testing.F) {
	d := testDirectory(5)
	f.Add(appendTargets(nil, d, nil))
	f.Add(appendTargets(nil, d, []queue.Target{{Sink: "sink-a"}, {Sink: "sink-b", Key: "k", Rules: []string{"r", ""}}}))
	f.Add([]byte{})
	f.Add([]byte{2, 0xff, 1, 0, 0})
	f.Add([]byte{1, 0xff, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{1, 0xff, 9, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		targets, err := unpackTargets(b, d, texts{})
		if n := 0; eachSink(b, func(int) bool { n++; return true }) == nil && err == nil && n != len(targets) {
			t.Fatalf("eachSink finds %d sinks, unpackTargets %d", n, len(targets))
		}
		if err != nil {
			return
		}
		again, err := unpackTargets(appendTargets(nil, d, targets), d, texts{})
		if diff := cmp.Diff(targets, again); err != nil || diff != "" {
			t.Fatalf("%v %s", err, diff)
		}
	})
}
