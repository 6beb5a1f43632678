package sinks_test

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

// After 101 net/http hands the bare connection over and no longer minds the request's context.
func TestSwitchingProtocolsHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{network: testkit.NewNetwork()}
		left := make(chan struct{}) // gets a value when a connection of the sink's ends
		s.network.Serve(t, "sink", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n{}")
			_, _ = io.Copy(io.Discard, c) // the connection stays open until the other side closes it
			left <- struct{}{}
		}))
		s.near = s.open(t, sinks.Options{})
		r := s.ask(t, time.Second)
		wantReason(t, r, "answered HTTP 101")
		if r.Duration != 0 || r.Status != http.StatusSwitchingProtocols {
			t.Errorf("an ask took %v, status %d; want 101 at once", r.Duration, r.Status)
		}
		<-left
		o := s.near.Deliver(t.Context(), delivery)
		wantTaken(t, o, retry, "answered HTTP 101")
		if o.Duration != 0 || o.Status != http.StatusSwitchingProtocols {
			t.Errorf("a delivery took %v, status %d; want 101 at once", o.Duration, o.Status)
		}
		<-left
	})
}

// upTo draws milliseconds.
func upTo(d time.Duration) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.IntRange(0, int(d/ms)), func(n int) time.Duration { return time.Duration(n) * ms })
}

// anyStep draws what a sink may do.
var anyStep = rapid.Custom(func(r *rapid.T) testkit.Step {
	return testkit.Step{
		Status:  rapid.SampledFrom([]int{200, 200, 204, 302, 404, 410, 429, 500, 503}).Draw(r, "status"),
		Header:  map[string]string{"Retry-After": rapid.SampledFrom([]string{"", "0", "1", "3600", "x"}).Draw(r, "retry after")},
		Body:    rapid.SampledFrom([]string{"", "{}", `{"nextCode":1}`, "nonsense", "           "}).Draw(r, "body"),
		Delay:   upTo(time.Second).Draw(r, "delay"),
		Late:    upTo(300*ms).Draw(r, "late"),
		Trickle: upTo(100*ms).Draw(r, "trickle"),
		Repeat:  rapid.SampledFrom([]int{1, 1, 1, 100}).Draw(r, "repeat"),
		Hangs:   rapid.IntRange(0, 5).Draw(r, "hangs") == 0,
		Resets:  rapid.IntRange(0, 5).Draw(r, "resets") == 0,
		Garbage: rapid.IntRange(0, 5).Draw(r, "garbage") == 0,
	}
})

// Whatever a sink does, Ask keeps to the deadline, sends no more than allowed, and leaves nothing running.
func TestNoScriptHoldsAskPastItsDeadline(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		script := rapid.SliceOfN(anyStep, 1, 5).Draw(r, "script")
		within := upTo(2*time.Second).Draw(r, "within")
		resetAfter := rapid.IntRange(-200, 200).Draw(r, "reset after")
		o := sinks.Options{
			Timeout:   upTo(time.Second).Draw(r, "timeout"),
			Attempts:  rapid.IntRange(0, 4).Draw(r, "attempts"),
			Backoff:   upTo(300*ms).Draw(r, "backoff"),
			Hedge:     upTo(500*ms).Draw(r, "hedge"),
			MaxAnswer: rapid.Int64Range(0, 20).Draw(r, "max answer"),
		}
		var result sinks.Result
		var took time.Duration
		var arrived, busy int
		onStage(t, o, script, func(t *testing.T, s *stage) {
			s.network.ResetAfter("sink", resetAfter)
			begun := time.Now()
			result = s.ask(t, within)
			took = time.Since(begun)
			synctest.Wait()
			arrived = len(s.far.Got())
			s.near.Close()
			synctest.Wait()
			busy = s.network.Open("sink")
		})
		most := o.Attempts
		if most == 0 {
			most = 2
		}
		if result.Hedged {
			most++
		}
		switch {
		case took > within:
			r.Errorf("took %v of %v", took, within)
		case result.Attempts > most || arrived > result.Attempts:
			r.Errorf("sent %d requests, of which %d arrived; at most %d were allowed", result.Attempts, arrived, most)
		case result.Answer.Vote == openim.Failed && result.Answer.Reason == "":
			r.Errorf("failed without a reason")
		case busy != 0:
			r.Errorf("%d connections are still busy", busy)
		}
	})
}
