package sinks

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// newClient makes the client whose attempts are roundTripper's. The decisions are ours: the library's would sleep
// through any Retry-After, know no jitter and start waits that the deadline cuts off.
func newClient(attempts int) *retryablehttp.Client {
	return &retryablehttp.Client{
		HTTPClient:   &http.Client{Transport: roundTripper{}},
		RetryMax:     attempts - 1,
		CheckRetry:   checkRetry,
		Backoff:      pause,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
}

// checkRetry says whether another attempt follows, and draws the wait before it.
func checkRetry(ctx context.Context, _ *http.Response, err error) (bool, error) {
	a := askOf(ctx)
	if err != nil { // the end of ctx during a wait, which Do returns
		return false, err
	}
	o := &a.sink.options
	if !o.again(a.last, a.attempts) {
		return false, nil
	}
	a.pause = o.pause(a.attempts, a.last.retryAfter, o.Jitter)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= a.pause {
		a.noTime = true
		return false, nil
	}
	return true, nil
}

// pause is a retryablehttp.Backoff: the wait that checkRetry has drawn.
func pause(_, _ time.Duration, _ int, resp *http.Response) time.Duration {
	return askOf(resp.Request.Context()).pause
}

// again reports whether another attempt follows so many, if there is time.
func (o *Options) again(last exchange, attempts int) bool { return last.retry && attempts < o.Attempts }

// pause returns the wait after a number of attempts: what the sink asked for with Retry-After, else what is drawn
// below a bound that doubles; never more than MaxBackoff.
func (o *Options) pause(attempts int, retryAfter string, draw func(most time.Duration) time.Duration) time.Duration {
	most := o.MaxBackoff
	if asked, ok := parseRetryAfter(retryAfter); ok {
		return min(asked, most)
	}
	bound := o.Backoff
	for range attempts - 1 {
		if bound >= most {
			break
		}
		bound *= 2
	}
	return draw(min(bound, most))
}

// fullJitter draws from 0 to most.
func fullJitter(most time.Duration) time.Duration { return rand.N(most + 1) }

// parseRetryAfter reads a Retry-After header, seconds or a date.
func parseRetryAfter(value string) (time.Duration, bool) {
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at)), true
	}
	return 0, false
}

// worthRetrying reports whether a status may be another one soon.
func worthRetrying(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}
