package sinks_test

import (
	"net/http"
	"testing"
	"time"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

func TestStatusesWorthAnotherAttempt(t *testing.T) {
	for code, attempts := range map[int]int{408: 2, 425: 2, 429: 2, 500: 2, 501: 2, 502: 2, 503: 2, 504: 2, 400: 1, 401: 1, 409: 1, 410: 1} {
		onStage(t, sinks.Options{}, steps(status(code), testkit.Allow()), func(t *testing.T, s *stage) {
			r := s.ask(t, time.Second)
			if r.Attempts != attempts {
				t.Errorf("%d: got %d attempts, want %d", code, r.Attempts, attempts)
			}
			if attempts == 2 && (r.Answer.Vote != openim.Allow || r.Status != 200) {
				t.Errorf("%d, then an allow: got %+v, want an allow", code, r)
			}
		})
	}
}

func TestFaultsWorthAnotherAttempt(t *testing.T) {
	for name, step := range map[string]testkit.Step{
		"a reset":             testkit.Reset(),
		"silence":             testkit.Hang(),
		"garbage":             testkit.Garbage("?"),
		"half an answer":      testkit.Garbage("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
		"an endless 503 body": {Status: 503, Body: " ", Trickle: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, sinks.Options{Timeout: 400 * ms}, steps(step, testkit.Allow()), func(t *testing.T, s *stage) {
				r := s.ask(t, time.Second)
				wantVote(t, r, openim.Allow)
				if r.Attempts != 2 {
					t.Errorf("got %d attempts, want 2", r.Attempts)
				}
			})
		})
	}
}

func TestBackoffIsFullJitterThatDoublesUpToABound(t *testing.T) {
	bounds := []time.Duration{100 * ms, 200 * ms, 300 * ms, 300 * ms}
	longest, shortest := make([]time.Duration, len(bounds)), append([]time.Duration(nil), bounds...)
	o := sinks.Options{Attempts: 5, Backoff: 100 * ms, MaxBackoff: 300 * ms}
	for range 60 {
		onStage(t, o, steps(status(503)), func(t *testing.T, s *stage) {
			s.ask(t, time.Hour)
			got := s.far.Got()
			for i := range bounds {
				wait := got[i+1].At.Sub(got[i].At)
				longest[i], shortest[i] = max(longest[i], wait), min(shortest[i], wait)
				if wait < 0 || wait > bounds[i] {
					t.Errorf("wait %d took %v, want up to %v", i+1, wait, bounds[i])
				}
			}
		})
	}
	for i, bound := range bounds {
		if longest[i] < bound*3/4 || shortest[i] > bound/4 { // by chance: 1 in 4 million
			t.Errorf("60 waits before attempt %d took from %v to %v, want from near 0 to near %v", i+2, shortest[i], longest[i], bound)
		}
	}
}

func TestRetryAfterIsObeyedWithinBounds(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		want   time.Duration
	}{
		"seconds":                {"2", 2 * time.Second},
		"none at all":            {"0", 0},
		"an hour is cut":         {"3600", 3 * time.Second},
		"a century is cut":       {"2147483647", 3 * time.Second},
		"an age is cut":          {"99999999999999999999", 3 * time.Second},
		"a date":                 {time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC).Format(http.TimeFormat), time.Second}, // bubbles begin in 2000
		"a date that has passed": {time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat), 0},
	} {
		t.Run(name, func(t *testing.T) {
			step := testkit.Step{Status: 429, Header: map[string]string{"Retry-After": c.header}}
			onStage(t, sinks.Options{MaxBackoff: 3 * time.Second}, steps(step, testkit.Allow()), func(t *testing.T, s *stage) {
				r := s.ask(t, time.Minute)
				wantVote(t, r, openim.Allow)
				if r.Duration != c.want {
					t.Errorf("waited %v, want %v", r.Duration, c.want)
				}
			})
		})
	}
}

func TestARetryAfterBeyondTheDeadlineEndsItAtOnce(t *testing.T) {
	step := testkit.Step{Status: 503, Header: map[string]string{"Retry-After": "3600"}}
	onStage(t, sinks.Options{}, steps(step, testkit.Allow()), func(t *testing.T, s *stage) {
		r := s.ask(t, time.Second) // MaxBackoff is a second as well
		wantReason(t, r, "answered HTTP 503, with no time left for another attempt")
		if r.Duration != 0 {
			t.Errorf("took %v, want no wait", r.Duration)
		}
	})
}
