package sinks

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"time"

	"callboard/openim"
)

// An exchange is what came of one request. The zero value is one that did not take place.
type exchange struct {
	answer     openim.Answer
	status     int    // 0 when no answer came
	retry      bool   // whether another attempt may end better
	retryAfter string // the header
	cutShort   bool   // whether the end of the caller's context ended it
}

func (x exchange) usable() bool { return x.answer.Vote != openim.Failed }

// exchange sends one request and reads its answer, within Timeout or until ctx, the caller's or one made from it, ends.
func (a *ask) exchange(ctx context.Context) (x exchange) {
	s, number, begun := a.sink, int(a.sent.Add(1)), time.Now()
	defer func() {
		if p := recover(); p != nil {
			s.options.Log.Error("asking sink panicked", "sink", s.options.Name, "id", a.request.ID, "panic", p, "stack", string(debug.Stack()))
			x = exchange{answer: failed("asking it panicked; the log has more")}
		}
		a.logExchange(x, number, time.Since(begun))
	}()
	attemptCtx, cancel := withTimeout(ctx, s.options.Timeout)
	defer cancel()

	resp, err := s.transport.RoundTrip(s.request(attemptCtx, a.url, s.askHeader(&a.request, number), a.request.Body))
	if err == nil {
		x, err = s.read(resp)
	}
	if err != nil {
		x.cutShort = a.ctx.Err() != nil
		x.retry = !x.cutShort && !permanent(err)
		x.answer = failed(a.failure(attemptCtx, x, err))
	}
	return x
}

// withTimeout is context.WithTimeout, for nothing when ctx ends sooner anyway.
func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// request makes a request. Nothing of it is shared with another one but the body's bytes, since net/http may still be writing
// one that was given up on.
func (s *Sink) request(ctx context.Context, url *url.URL, header http.Header, body []byte) *http.Request {
	r := s.template.WithContext(ctx)
	r.URL, r.Host, r.Header = url, s.host, header
	// A bytes.Reader inside io.NopCloser is what net/http recognises and sends together with the header.
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.ContentLength = int64(len(body))
	return r
}

// errTooLarge is an answer of more than MaxAnswer bytes.
var errTooLarge = errors.New("answer is too large")

// An answerReader holds an answer while it is read.
type answerReader struct {
	buffer  bytes.Buffer
	limited io.LimitedReader
}

var answerReaders = sync.Pool{New: func() any { return new(answerReader) }}

// keepBytes is the largest buffer that goes back into the pool.
const keepBytes = 64 << 10

// read reads an answer to its end. Along with an error it returns the status.
func (s *Sink) read(resp *http.Response) (exchange, error) {
	defer resp.Body.Close()
	x := exchange{status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After")}
	if x.status == http.StatusSwitchingProtocols {
		// What follows is no body but the bare connection: reading it would mind neither ctx nor any other bound.
		x.answer = openim.ReadAnswer(x.status, nil, s.options.Dialect)
		return x, nil
	}
	r := answerReaders.Get().(*answerReader)
	defer r.recycle()
	err := r.read(resp, s.options.MaxAnswer)
	if errors.Is(err, errTooLarge) && resp.StatusCode/100 != 2 {
		err = nil // an error page counts by its status, whatever its length
	}
	if err != nil {
		return x, err
	}
	x.judge(r.buffer.Bytes(), &s.options)
	return x, nil
}

// judge reads an answer's body.
func (x *exchange) judge(body []byte, o *Options) {
	x.answer = openim.ReadAnswer(x.status, body, o.Dialect)
	x.retry = !x.usable() && worthRetrying(x.status)
}

func (r *answerReader) read(resp *http.Response, most int64) error {
	if resp.ContentLength > most {
		return errTooLarge
	}
	r.limited = io.LimitedReader{R: resp.Body, N: most + 1}
	_, err := r.buffer.ReadFrom(&r.limited)
	if err == nil && int64(r.buffer.Len()) > most {
		err = errTooLarge
	}
	return err
}

func (r *answerReader) recycle() {
	r.limited.R = nil
	r.buffer.Reset()
	if r.buffer.Cap() <= keepBytes {
		answerReaders.Put(r)
	}
}

func (a *ask) logExchange(x exchange, number int, took time.Duration) {
	log := a.sink.options.Log
	if !log.Enabled(a.ctx, slog.LevelDebug) {
		return
	}
	log.LogAttrs(a.ctx, slog.LevelDebug, "sink asked",
		slog.String("sink", a.sink.options.Name), slog.String("id", a.request.ID), slog.Int("attempt", number),
		slog.Int("status", x.status), slog.String("vote", x.answer.Vote.String()), slog.String("reason", x.answer.Reason), slog.Duration("took", took))
}
