package sinks

import (
	"context"
	"net/http"
)

type askKey struct{}

// askOf returns the ask that a request belongs to. It travels in the context because that is all that
// http.Client hands through to a RoundTripper, and go-retryablehttp to its hooks.
func askOf(ctx context.Context) *ask { return ctx.Value(askKey{}).(*ask) }

// A roundTripper makes one attempt for go-retryablehttp, but for the first, which was made already. The request that
// it is given only names the ask; the attempt makes the real one, reads the whole answer within its bounds, and leaves
// it in the ask. What it returns is a status without header and body (0 for no answer), so that retries depend on
// nothing else, an attempt is bounded to its last byte, and no redirect can be followed.
//
// It has no CloseIdleConnections on purpose: go-retryablehttp would call it whenever an ask ends during a wait
// or an attempt fails for good, and throw away the connections of all others.
type roundTripper struct{}

func (roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	a := askOf(r.Context())
	if a.taken {
		a.attempt()
	}
	a.taken = true
	return &http.Response{StatusCode: a.last.status, Body: http.NoBody, Request: r}, nil
}

func (a *ask) attempt() {
	a.attempts++
	if a.sink.options.Hedge > 0 && !a.hedged {
		a.last = a.race()
	} else {
		a.last = a.exchange(a.ctx)
	}
	if a.last.status != 0 {
		a.status = a.last.status
	}
	if !a.last.usable() && !a.last.cutShort {
		a.failures = append(a.failures, a.last.answer.Reason)
	}
}
