// Package sinks makes HTTP sinks out of settings: it asks one, with attempts, hedging and
// bounds, and reads its answer into a vote.
//
// New makes a Sink; Sink.Ask asks it. Which sinks to ask and what their votes mean together is
// decided elsewhere.
package sinks

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"callboard/openim"
)

// Options configures a Sink. Name and URL are required.
type Options struct {
	Name string
	// URL is posted to. {command} and {source} in it are replaced for each callback.
	URL string
	// Timeout bounds one attempt. Zero means 3 seconds.
	Timeout time.Duration
	// Attempts is the most attempts within one Ask. Zero means 2.
	Attempts int
	// Backoff is the most to wait before the second attempt, doubling after; the wait is drawn
	// from 0 to it (full jitter). Zero means 50 ms.
	Backoff time.Duration
	// MaxBackoff is the most between two attempts, also what Retry-After is clamped to. Zero means 1 second.
	MaxBackoff time.Duration
	// Hedge sends a second request when the first has not answered for so long. Zero means never.
	Hedge time.Duration
	// Concurrency bounds requests at the same time. Zero means 64.
	Concurrency int
	// MaxAnswer bounds the answer's bytes. Zero means 1 MiB.
	MaxAnswer int64
	// Headers are sent with each request, over Callboard's own.
	Headers map[string]string
	TLS     TLS
	Dialect openim.Dialect
	// Transport carries the requests. Nil means one of its own, sized to Concurrency. A sink owns its transport.
	Transport http.RoundTripper
	// Log receives what happens below Ask (attempts, at debug level). Nil discards.
	Log *slog.Logger
}

// TLS is how a sink is reached over https; files are read by New. The zero value uses the system's roots.
type TLS struct {
	CA, Cert, Key, ServerName string
}

// A Request is one callback for a sink.
type Request struct {
	ID          string // Callboard's id of the callback
	Command     string // wire name
	Source      string
	OperationID string
	Body        []byte // sent as it is, never changed
}

// A Result is what came of asking a sink once.
type Result struct {
	Sink     string
	Answer   openim.Answer
	Attempts int // requests sent, hedges included
	Hedged   bool
	Status   int // of the last answer, 0 when there was none
	Duration time.Duration
}

// A Sink is one HTTP destination: safe for concurrent use.
type Sink struct{}

// New makes a sink and reads its TLS files. It starts nothing and connects nowhere.
func New(o Options) (*Sink, error) { panic("not built yet") }

// Name returns the sink's name.
func (s *Sink) Name() string { panic("not built yet") }

// Ask posts the callback and reads the answer into a vote. It returns soon after ctx ends, with a
// Failed vote that says so. It never panics and never returns early with work left running.
func (s *Sink) Ask(ctx context.Context, r Request) Result { panic("not built yet") }

// Close closes idle connections. Requests in flight finish.
func (s *Sink) Close() { panic("not built yet") }
