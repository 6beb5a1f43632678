package sinks_test

import (
	"testing"
	"testing/synctest"
	"time"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

func TestHedge(t *testing.T) {
	slow := func(d time.Duration) testkit.Step { return testkit.Refuse(20401, "slow").After(d) }
	for name, c := range map[string]struct {
		script    []testkit.Step
		vote      openim.Vote
		reason    string
		attempts  int
		hedged    bool
		took      time.Duration
		abandoned int
	}{
		"a quick answer is not hedged": {
			script: steps(testkit.Allow().After(79 * ms)), vote: openim.Allow, attempts: 1, took: 79 * ms},
		"the hedge wins": {
			script: steps(testkit.Hang(), testkit.Allow().After(10*ms)), vote: openim.Allow, attempts: 2, hedged: true, took: 90 * ms, abandoned: 1},
		"the first wins after all": {
			script: steps(testkit.Allow().After(100*ms), slow(time.Hour)), vote: openim.Allow, attempts: 2, hedged: true, took: 100 * ms, abandoned: 1},
		"a failed hedge waits for the first": {
			script: steps(testkit.Allow().After(200*ms), testkit.Reset()), vote: openim.Allow, attempts: 2, hedged: true, took: 200 * ms},
		"an unreadable hedge waits for the first": {
			script: steps(testkit.Allow().After(200*ms), testkit.Answer(200, "nonsense")), vote: openim.Allow, attempts: 2, hedged: true, took: 200 * ms},
		"a failed first waits for the hedge": {
			script: steps(status(503).After(100*ms), testkit.Allow().After(100*ms)), vote: openim.Allow, attempts: 2, hedged: true, took: 180 * ms},
		"both fail and the attempt is repeated, without another hedge": {
			script: steps(status(503).After(100*ms), testkit.Reset(), testkit.Allow().After(300*ms)), vote: openim.Allow, attempts: 3, hedged: true, took: 400 * ms},
		"everything fails": {
			script: steps(testkit.Hang()), vote: openim.Failed, reason: "no answer within 400ms, twice", attempts: 3, hedged: true, took: 880 * ms, abandoned: 3},
	} {
		t.Run(name, func(t *testing.T) {
			o := sinks.Options{Timeout: 400 * ms, Hedge: 80 * ms, Backoff: 1} // a nanosecond: no backoff to speak of
			onStage(t, o, c.script, func(t *testing.T, s *stage) {
				r := s.ask(t, time.Second)
				if r.Answer.Vote != c.vote || r.Answer.Reason != c.reason || r.Attempts != c.attempts || r.Hedged != c.hedged || r.Duration.Round(ms) != c.took {
					t.Errorf("got %+v; want %v (%q), %d requests, hedged %v, after %v", r, c.vote, c.reason, c.attempts, c.hedged, c.took)
				}
				synctest.Wait()
				if got := s.far.Abandoned(); got != c.abandoned {
					t.Errorf("%d requests were called off, want %d", got, c.abandoned)
				}
			})
		})
	}
}

func TestADeadlineEndsBothRequests(t *testing.T) {
	onStage(t, sinks.Options{Hedge: 80 * ms}, steps(testkit.Hang()), func(t *testing.T, s *stage) {
		r := s.ask(t, 200*ms)
		wantReason(t, r, "the deadline ended it after 200ms")
		synctest.Wait()
		if r.Duration != 200*ms || s.far.Abandoned() != 2 {
			t.Errorf("took %v with %d called off, want 200ms and 2", r.Duration, s.far.Abandoned())
		}
	})
}

func TestAHedgeGivesItsSlotBack(t *testing.T) {
	onStage(t, sinks.Options{Hedge: 80 * ms, Concurrency: 2}, steps(testkit.Allow().After(100*ms)), func(t *testing.T, s *stage) {
		for range 3 {
			if r := s.ask(t, time.Second); !r.Hedged {
				t.Errorf("got %+v, want a hedge", r)
			}
		}
	})
}

func TestAnAnswerTellsMoreThanSilence(t *testing.T) {
	o := sinks.Options{Timeout: 400 * ms, Hedge: 80 * ms, Attempts: 1}
	onStage(t, o, steps(testkit.Hang(), status(503)), func(t *testing.T, s *stage) {
		r := s.ask(t, time.Second)
		wantReason(t, r, "answered HTTP 503")
		if r.Status != 503 || r.Duration != 400*ms {
			t.Errorf("got %+v, want 503 after 400ms", r)
		}
	})
}
