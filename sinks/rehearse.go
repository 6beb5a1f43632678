package sinks

import (
	"net"
	"net/http"
	"syscall"
	"time"

	"callboard/openim"
)

// A Step is what one request to a sink meets in a rehearsal. The zero value is an empty 200 at once, which abstains.
type Step struct {
	After      time.Duration // from the request to what it meets
	Hangs      bool          // no answer ever comes; the rest counts for nothing
	Err        error         // what a transport returns in place of an answer, nil for an answer
	Status     int           // zero means 200
	Body       []byte
	RetryAfter string // the header, "" for none
}

// Rehearse tells what Ask would return if its requests met the steps, one each, the last one for all further ones (none
// at all: each is allowed at once), and its context ended after a time. Nothing is sent and no time passes. Timeout,
// Attempts, Backoff, MaxBackoff, Hedge, Concurrency, MaxAnswer and Dialect count as in Ask.
//
// Where Ask depends on chance, Rehearse takes one case: the wait between two attempts is the longest that could be drawn,
// the sink has room for every request (but for a hedge none where Concurrency is 1), and of two things at the
// very same moment an end of time comes first, then a first request before its hedge.
func Rehearse(o Options, steps []Step, within time.Duration) Result {
	r := rehearsal{o: o.withDefaults(), steps: steps, within: within}
	if len(steps) == 0 {
		r.steps = allowed
	}
	answer, status := r.run()
	return Result{Sink: o.Name, Answer: answer, Attempts: r.sent, Hedged: r.hedged, Status: status, Duration: r.now}
}

var allowed = []Step{{Body: []byte("{}")}}

// A rehearsal is one Ask in time that is only counted, from 0.
type rehearsal struct {
	o      Options
	steps  []Step
	within time.Duration
	now    time.Duration
	sent   int
	hedged bool
}

func (r *rehearsal) run() (answer openim.Answer, status int) {
	if r.within <= 0 {
		return failed("not asked: it came after the deadline"), 0
	}
	var failures []string
	noTime := false
	var last exchange
	for attempts := 1; ; attempts++ {
		last = r.attempt()
		if last.status != 0 {
			status = last.status
		}
		if last.usable() {
			return last.answer, status
		}
		if !last.cutShort {
			failures = append(failures, last.answer.Reason)
		}
		if !r.o.again(last, attempts) {
			break
		}
		pause := r.o.pause(attempts, last.retryAfter, longest)
		if noTime = r.within-r.now <= pause; noTime {
			break
		}
		r.now += pause
	}
	ended := ""
	if last.cutShort {
		ended = last.answer.Reason
	}
	return failed(story(failures, ended, noTime)), status
}

func longest(most time.Duration) time.Duration { return most }

// attempt is ask.attempt, hedge included.
func (r *rehearsal) attempt() exchange {
	begun := r.now
	first, end := r.exchange(begun)
	r.now = end
	hedgeAt := begun + r.o.Hedge
	if r.o.Hedge == 0 || r.hedged || end <= hedgeAt || r.o.Concurrency == 1 {
		return first
	}
	r.hedged = true
	hedge, hedgeEnd := r.exchange(hedgeAt)
	if first.usable() && (end <= hedgeEnd || !hedge.usable()) {
		return first
	}
	if hedge.usable() {
		r.now = hedgeEnd
		return hedge
	}
	r.now = max(end, hedgeEnd)
	if first.status == 0 && hedge.status != 0 {
		return hedge
	}
	return first
}

// exchange is ask.exchange: one request that is sent at a time, and when it ends.
func (r *rehearsal) exchange(begun time.Duration) (exchange, time.Duration) {
	step := &r.steps[min(r.sent, len(r.steps)-1)]
	r.sent++
	end := begun + step.After
	switch limit := begun + r.o.Timeout; {
	case r.within <= limit && (step.Hangs || end >= r.within):
		return exchange{cutShort: true, answer: failed(deadlineEnded(r.within))}, r.within
	case step.Hangs || end >= limit:
		return exchange{retry: true, answer: failed(r.o.failure(true, 0, nil))}, limit
	case step.Err != nil:
		return exchange{retry: !permanent(step.Err), answer: failed(r.o.failure(false, 0, step.Err))}, end
	}
	status := step.Status
	if status == 0 {
		status = http.StatusOK
	}
	x := exchange{status: status, retryAfter: step.RetryAfter}
	if int64(len(step.Body)) > r.o.MaxAnswer && status/100 == 2 {
		x.answer = failed(r.o.failure(false, status, errTooLarge))
		return x, end
	}
	x.judge(step.Body, &r.o)
	return x, end
}

// ErrRefused and ErrReset are what requests meet where nobody listens, and where a connection breaks.
var (
	ErrRefused error = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	ErrReset   error = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
)
