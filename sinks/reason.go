package sinks

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Reasons are read by people in traces and logs. They are built from what is known to be harmless: an error's
// own text may quote the URL, a proxy's password or the sink's bytes.

// story says why all attempts together failed. ended says what cut the last one short, "" for nothing; failures has none
// for that one.
func story(failures []string, ended string, noTime bool) string {
	before := failures
	story := ended
	if ended == "" {
		last := len(before) - 1
		story, before = before[last], before[:last]
		if len(before) > 0 && !slices.ContainsFunc(before, func(r string) bool { return r != story }) {
			story, before = story+", "+times(len(before)+1), nil
		}
	}
	if noTime {
		story += ", with no time left for another attempt"
	}
	if before = slices.Compact(before); len(before) > 0 {
		story += "; before that: " + strings.Join(before, ", ")
	}
	return story
}

func times(n int) string {
	if n == 2 {
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// ended says that and when the caller's context ended it.
func (a *ask) ended() string {
	after := time.Since(a.begun)
	if errors.Is(a.ctx.Err(), context.DeadlineExceeded) {
		return deadlineEnded(after)
	}
	return fmt.Sprintf("it was called off after %v", after.Round(time.Millisecond))
}

func deadlineEnded(after time.Duration) string {
	return fmt.Sprintf("the deadline ended it after %v", after.Round(time.Millisecond))
}

// failure says why one of an ask's requests, under ctx, got no whole answer.
func (a *ask) failure(ctx context.Context, x exchange, err error) string {
	switch {
	case x.cutShort:
		return a.ended()
	case errors.Is(ctx.Err(), context.Canceled) && !errors.Is(err, errTooLarge):
		return "called off, the other request was quicker"
	}
	return a.sink.failure(ctx, x.status, err)
}

// failure says why a request, under a ctx that at most its time has ended, got no whole answer; status is that of the part which came.
func (s *Sink) failure(ctx context.Context, status int, err error) string {
	return s.options.failure(ctx.Err() != nil, status, err)
}

func (o *Options) failure(timedOut bool, status int, err error) string {
	switch {
	case errors.Is(err, errTooLarge):
		return "answer is larger than " + size(o.MaxAnswer)
	case timedOut && status != 0:
		return fmt.Sprintf("answer was not complete within %v", o.Timeout)
	case timedOut:
		return fmt.Sprintf("no answer within %v", o.Timeout)
	case status != 0:
		return "connection broke in the middle of the answer"
	}
	return transportReason(err)
}

// tlsAlert is the Op of the net.OpError in which crypto/tls wraps an alert from the other side.
const tlsAlert = "remote error"

// transportReason says why no answer came, when no context ended.
func transportReason(err error) string {
	var (
		dns    *net.DNSError
		op     *net.OpError
		errno  syscall.Errno
		record tls.RecordHeaderError
		cert   *tls.CertificateVerificationError
		netErr net.Error
	)
	isOp := func(name string) bool { return errors.As(err, &op) && op.Op == name }
	dialing := isOp("dial")
	switch {
	case errors.As(err, &dns):
		return "no connection: looking up " + dns.Name + ": " + dns.Err
	case errors.As(err, &cert):
		return "no connection: " + cert.Err.Error()
	case errors.As(err, &record):
		return "no connection: the sink does not speak TLS"
	case isOp(tlsAlert):
		return "no connection: the sink ended the TLS handshake: " + op.Err.Error()
	case errors.As(err, &errno) && dialing:
		return "no connection: " + errno.Error()
	case errors.As(err, &errno):
		return "connection broke before the answer: " + errno.Error()
	case errors.As(err, &netErr) && netErr.Timeout():
		return "no connection in time"
	case dialing:
		return "no connection"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection was closed before the answer"
	}
	// The rest of net/http's errors have no type to know them by, and may quote what the sink sent.
	switch text := err.Error(); {
	case strings.Contains(text, "malformed"):
		return "answer is not HTTP"
	case strings.Contains(text, "response headers exceeded"):
		return "answer's header is larger than " + size(maxHeader)
	}
	return "HTTP exchange failed"
}

// permanent reports whether an error would only happen again.
func permanent(err error) bool {
	var (
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		op     *net.OpError
	)
	return errors.Is(err, errTooLarge) || errors.As(err, &cert) || errors.As(err, &record) ||
		errors.As(err, &op) && op.Op == tlsAlert
}

// size writes a number of bytes as people do.
func size(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
