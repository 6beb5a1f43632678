package sinks_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/internal/testkit"
	"callboard/sinks"
)

// meet is a step of a rehearsal as a scripted sink plays it.
func meet(s sinks.Step) testkit.Step {
	step := testkit.Step{Delay: s.After, Hangs: s.Hangs, Resets: s.Err != nil, Status: s.Status, Body: string(s.Body)}
	if s.RetryAfter != "" {
		step.Header = map[string]string{"Retry-After": s.RetryAfter}
	}
	return step
}

// A moment is a time that no sum of a few others equals by chance: what happens at the very same moment
// happens in any order.
var moments = rapid.Custom(func(t *rapid.T) time.Duration {
	odd := rapid.Uint32().Draw(t, "odd")
	return time.Duration(rapid.IntRange(0, 40).Draw(t, "tens"))*10*ms + time.Duration(uint64(odd)*2654435761%1_000_003)*2 + 1
})

var rehearsedSteps = rapid.Custom(func(t *rapid.T) sinks.Step {
	s := sinks.Step{After: moments.Draw(t, "after"), Body: []byte(rapid.SampledFrom([]string{
		"", "{}", `{"nextCode":1,"errCode":20401}`, "nonsense", `{"actionCode":5}`, "                                                  {}",
	}).Draw(t, "body"))}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		s.Hangs = true
	case 1:
		s.Err = sinks.ErrReset
	case 2:
		s.Status, s.RetryAfter = rapid.SampledFrom([]int{503, 429, 404, 302}).Draw(t, "status"), rapid.SampledFrom([]string{"", "0", "1"}).Draw(t, "retry after")
	}
	return s
})

// A rehearsal in counted time comes to what Ask comes to over connections, in all that Result tells.
func TestRehearseIsAsk(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o := sinks.Options{
			Name: "sink", URL: "http://sink/hook",
			Timeout:    100*ms + moments.Draw(r, "timeout"),
			Attempts:   rapid.IntRange(1, 4).Draw(r, "attempts"),
			Backoff:    1 + moments.Draw(r, "backoff"),
			MaxBackoff: 1 + moments.Draw(r, "max backoff"),
			MaxAnswer:  50,
			Jitter:     func(most time.Duration) time.Duration { return most },
		}
		if rapid.Bool().Draw(r, "hedged") {
			o.Hedge = moments.Draw(r, "hedge")
			o.Concurrency = rapid.IntRange(1, 2).Draw(r, "concurrency")
		}
		script := rapid.SliceOfN(rehearsedSteps, 1, 5).Draw(r, "script")
		within := 50*ms + 2*moments.Draw(r, "within")
		got := sinks.Rehearse(o, script, within)

		var want sinks.Result
		synctest.Test(t, func(t *testing.T) {
			network := testkit.NewNetwork()
			var far []testkit.Step
			for _, s := range script {
				far = append(far, meet(s))
			}
			network.Serve(t, "sink", testkit.Script(far...))
			o.Dial = network.DialContext
			near, err := sinks.New(o)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			want = near.Ask(ctx, callback)
			near.Close()
		})
		if diff := cmp.Diff(want, got); diff != "" {
			r.Fatalf("Rehearse differs from Ask (-Ask +Rehearse):\n%s", diff)
		}
	})
}
