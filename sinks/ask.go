package sinks

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"callboard/openim"
)

// Ask posts the callback and reads the answer into a vote. It returns soon after ctx ends, with a
// Failed vote that says so. It never panics and never returns early with work left running, but for a
// connection in the making, which net/http keeps for the next request.
//
// Connections that fail, answers that do not come within Timeout, and the statuses 408, 425, 429 and 5xx
// are worth another attempt, as long as the wait before it ends before ctx.
//
// Where the sink's votes are kept, one that is young enough is used instead, and an old one in place of a Failed vote.
func (s *Sink) Ask(ctx context.Context, r Request) Result {
	if key, ok := s.votes.key(&r); ok {
		return s.askThroughCache(ctx, key, r)
	}
	return s.ask(ctx, r)
}

func (s *Sink) ask(ctx context.Context, r Request) Result {
	a := &ask{sink: s, request: r, ctx: ctx, begun: time.Now()}
	answer := a.run()
	s.use()
	return Result{
		Sink:     s.options.Name,
		Answer:   answer,
		Attempts: int(a.sent.Load()),
		Hedged:   a.hedged,
		Status:   a.status,
		Duration: time.Since(a.begun),
	}
}

// An ask is one Ask in progress.
type ask struct {
	sink    *Sink
	request Request
	ctx     context.Context // the caller's
	begun   time.Time
	url     *url.URL

	sent   atomic.Int32 // requests so far
	hedged bool         // whether one of them was a hedge

	// Of the attempts so far; a hedge belongs to the attempt that it hedges.
	attempts int
	taken    bool // whether go-retryablehttp has taken over, told of the first attempt as if it were its own
	last     exchange
	failures []string      // why they failed, without one that the end of ctx cut short
	status   int           // of the last answer
	pause    time.Duration // drawn for the time before the next attempt
	noTime   bool          // whether the next attempt was left out for lack of time
}

func (a *ask) run() openim.Answer {
	s := a.sink
	if reason := s.acquire(a.ctx); reason != "" {
		return failed(reason)
	}
	defer s.release()
	var err error
	if a.url, err = s.target.url(a.request.Command, a.request.Source); err != nil {
		return failed("not asked: " + err.Error())
	}
	// The attempts leave what they came to in a, and no body open. go-retryablehttp comes in when the first one, which
	// nearly always suffices, wants another. An error of its is the end of ctx during a wait.
	if a.attempt(); a.last.retry && s.options.Attempts > 1 {
		request := retryablehttp.Request{Request: s.template.WithContext(context.WithValue(a.ctx, askKey{}, a))}
		_, err = s.client.Do(&request) //nolint:bodyclose // roundTripper's bodies are http.NoBody
	}
	if err == nil && a.last.usable() {
		return a.last.answer
	}
	ended := ""
	if err != nil || a.last.cutShort {
		ended = a.ended()
	}
	return failed(story(a.failures, ended, a.noTime))
}

// acquire waits for one of the sink's slots. When ctx ends first, it says so.
func (s *Sink) acquire(ctx context.Context) string {
	late := func() string {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return "the deadline"
		}
		return "it was called off"
	}
	if ctx.Err() != nil {
		return "not asked: it came after " + late()
	}
	if s.tryAcquire() {
		return ""
	}
	select {
	case s.slots <- struct{}{}:
		return ""
	case <-ctx.Done():
		return fmt.Sprintf("all %d connections were busy until %s", s.options.Concurrency, late())
	}
}

func (s *Sink) tryAcquire() bool {
	select {
	case s.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s *Sink) release() { <-s.slots }

func failed(reason string) openim.Answer { return openim.Answer{Vote: openim.Failed, Reason: reason} }
