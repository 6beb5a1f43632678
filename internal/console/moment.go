package console

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// errNoMoment says how to write a time.
var errNoMoment = errors.New("not a time as in 2026-01-31T18:30:00Z, nor a duration as in 90m, 2h or 3d for so long ago")

// ParseMoment reads a time in the form of RFC 3339, or a duration that says how long before now: 90m, 2h, 3d.
func ParseMoment(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		return time.Time{}, errNoMoment
	}
	return now.Add(-ago), nil
}

// A Window bounds the time of what is chosen: since ≤ time < until.
type Window struct {
	Since string `json:"since,omitempty" query:"since" doc:"From this time on: RFC 3339, or a duration for so long ago (90m, 2h, 3d)." example:"2h"`
	Until string `json:"until,omitempty" query:"until" doc:"Before this time, in the same forms." example:"2026-01-31T18:30:00Z"`
}

// times reads the window; zero means open.
func (w Window) times() (since, until time.Time, err error) {
	now := time.Now()
	for _, bound := range []struct {
		name, text string
		t          *time.Time
	}{{"since", w.Since, &since}, {"until", w.Until, &until}} {
		if bound.text == "" {
			continue
		}
		if *bound.t, err = ParseMoment(bound.text, now); err != nil {
			return since, until, unprocessable(bound.name, bound.text, err, "")
		}
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return since, until, unprocessable("until", w.Until, errors.New("not after since"), "nothing lies between the two")
	}
	return since, until, nil
}
