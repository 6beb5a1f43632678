package shadow

import (
	"time"

	"callboard/internal/compare"
	"callboard/openim"
	"callboard/router"
)

// allow is what sinks are assumed to answer that were not asked.
var allow = openim.Answer{Vote: openim.Allow}

// compare rehearses a callback with the table that did not decide it.
func (s *Shadow) compare(t *router.Trace) {
	s.mu.Lock()
	serving, candidate, discarded := s.serving, s.candidate, s.discarded
	s.mu.Unlock()
	decided, other := serving, candidate
	if t.Canary {
		decided, other = candidate, serving
	}
	if discarded || decided == nil || other == nil || decided.Set.Revision != t.Revision { // a table has changed since
		s.metrics.skipped.Inc()
		return
	}
	if t.Trouble != "" || t.Callback == nil { // not the rules alone have decided it
		s.judge(t)
		return
	}
	o := decided.Outcome(t)
	rehearsed, unheard := other.Rehearse(t.Callback, t.Received, t.Votes(), allow)
	ds := differences(t.Canary, &o, &rehearsed)
	more := t.Canary && len(o.Matched) > len(rehearsed.Matched)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.serving != serving || s.candidate != candidate || s.discarded {
		s.metrics.skipped.Inc()
		return
	}
	s.compared++
	s.report.Assume(unheard)
	s.report.Add(s.compared, sample(t), ds)
	s.metrics.compared(ds)
	s.judgeLocked(t, ds, more)
}

func differences(canary bool, decided, rehearsed *compare.Outcome) []compare.Difference {
	if canary {
		return compare.Differences(rehearsed, decided)
	}
	return compare.Differences(decided, rehearsed)
}

func sample(t *router.Trace) compare.Sample {
	s := compare.Sample{ID: t.ID, At: t.Received.UTC(), Command: t.Command}
	if c := t.Callback.Command; c != nil {
		s.Command = c.Short
	}
	s.GroupID, _ = t.Callback.Value("groupID", openim.String).(string)
	s.SenderID, _ = t.Callback.Value("sendID", openim.String).(string)
	return s
}

// judge counts a callback that is not compared.
func (s *Shadow) judge(t *router.Trace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judgeLocked(t, nil, false)
}

// judgeLocked counts what the bounds are about, and rolls the canary back where one is passed.
func (s *Shadow) judgeLocked(t *router.Trace, ds []compare.Difference, more bool) {
	now := time.Now()
	c := counts{callbacks: 1, failed: failed(t)}
	if t.Canary {
		for _, d := range ds {
			switch d.Kind {
			case compare.Refused:
				c.refused = 1
			case compare.Failed:
				c.failed = 1
			}
		}
	}
	if more {
		c.matched = 1
	}
	s.window.add(now, t.Canary, c)
	if !t.Canary || s.rolledBack != nil || s.shareNow() == 0 {
		return
	}
	if why := s.o.Bounds.passed(s.window.sum(now)); why != "" {
		s.rollBackLocked(now, why)
	}
}

// failed is 1 where the callback was in trouble or a sink that was asked has failed, else 0.
func failed(t *router.Trace) int {
	if t.Trouble != "" {
		return 1
	}
	for i := range t.Asked {
		if a := &t.Asked[i]; a.Answer.Vote == openim.Failed && (a.Done || a.Answer.Reason == router.TooLate) {
			return 1
		}
	}
	return 0
}
