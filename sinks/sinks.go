// Package sinks makes HTTP sinks out of settings: it asks one, with attempts, hedging and bounds, and reads
// its answer into a vote; or it makes one attempt at delivering to it, signed, and reads how that was taken.
//
// New makes a Sink; Sink.Ask asks it, Sink.Deliver delivers, Sink.DeliverBatch several at once. Which sinks to ask, what their votes mean together, and when
// to deliver again is decided elsewhere.
package sinks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"callboard/openim"
)

// Options configures a Sink. Name and URL are required.
type Options struct {
	Name string
	// URL is posted to. {command} and {source} in its path or query are replaced for each callback.
	// User and password in it are sent as basic authentication.
	URL string
	// Timeout bounds one attempt, from connecting to the answer's last byte. Zero means 3 seconds.
	Timeout time.Duration
	// Attempts is the most attempts within one Ask; a hedge comes on top. Zero means 2.
	Attempts int
	// Backoff is the most to wait before the second attempt, doubling after; the wait is drawn
	// from 0 to it (full jitter). Zero means 50 ms.
	Backoff time.Duration
	// MaxBackoff is the most between two attempts, also what Retry-After is clamped to. Zero means 1 second.
	MaxBackoff time.Duration
	// Jitter draws the wait between two attempts, from 0 to most. Nil means at random.
	Jitter func(most time.Duration) time.Duration
	// Hedge sends a second request when the first has not answered for so long, once in an Ask and
	// only while Concurrency has room. The first answer that can be read counts. Zero means never.
	Hedge time.Duration
	// Concurrency bounds Ask's requests at the same time; further Asks wait. As many deliveries may be under way beside them:
	// all keep their connections. Zero means 64.
	Concurrency int
	// MaxAnswer bounds the bytes of an answer that is read into a vote. Zero means 1 MiB.
	MaxAnswer int64
	// Headers are sent with each request, over Callboard's own; only a delivery's webhook-id, webhook-timestamp and
	// webhook-signature stand over these.
	Headers map[string]string
	TLS     TLS
	Dialect openim.Dialect
	// Secrets sign deliveries (Standard Webhooks): the first is the current one, a second the one before or after it, during
	// rotation. Each is base64 behind whsec_, or other text that is the key as it stands; at least 16 bytes. None: deliveries
	// are not signed.
	Secrets []string
	// NeedsReply wants more than a 2xx from a delivery: an answer that allows, too (success: reply).
	NeedsReply bool
	// Cache says how votes are kept. The zero value keeps none.
	Cache Cache

	// Batch is how DeliverBatch writes its request. With NeedsReply each delivery of a batch needs a result in the answer.
	Batch Batch
	// Dial connects. Nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Transport carries the requests, instead of one with Dial, TLS and Concurrency. Nil means that one. A
	// sink owns its transport.
	Transport http.RoundTripper
	// Log receives what happens below Ask (attempts, at debug level). Nil discards.
	Log *slog.Logger
}

// A Request is one callback for a sink.
type Request struct {
	ID          string // Callboard's id of the callback
	Command     string // wire name
	Source      string
	OperationID string
	TraceParent string // W3C, "" for none
	Hops        int    // gateways that the callback has passed
	// Body is sent as it is. It must stay unchanged for good: net/http may still be writing it to a
	// connection given up on when Ask has returned.
	Body []byte
	// Headers were computed for this callback: in canonical form, over all others. They must stay unchanged for good.
	Headers http.Header
	// Key is what the vote is kept under; "" keeps none, and Options.Cache must say that any are kept.
	Key string
}

// A Result is what came of asking a sink once.
type Result struct {
	Sink     string
	Answer   openim.Answer
	Attempts int // requests sent, hedges included
	Hedged   bool
	Status   int // of the last answer, 0 when there was none
	Duration time.Duration

	Cache   CacheUse
	Age     time.Duration // of a vote that was kept
	Failure string        // why the sink failed, where Cache is Stale
}

// A Sink is one HTTP destination: safe for concurrent use.
type Sink struct {
	options Options // with defaults
	target  target
	headers http.Header // sent with every request; its values are shared and never changed
	signer  signer
	host    string // for the Host header, "" means the URL's

	transport http.RoundTripper
	client    *retryablehttp.Client
	template  *http.Request // what every Ask hands to client; see roundTripper
	slots     chan struct{} // holds one token a request in progress
	votes     *votes        // nil where none are kept
	idle      idler
	closed    atomic.Bool
}

// New makes a sink and reads its TLS files. It starts nothing and connects nowhere.
func New(o Options) (*Sink, error) {
	s, err := newSink(o)
	if err != nil {
		return nil, fmt.Errorf("making sink %q: %w", o.Name, err)
	}
	return s, nil
}

func newSink(o Options) (*Sink, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	target, user, err := parseTarget(o.URL)
	if err != nil {
		return nil, err
	}
	headers, host, err := fixedHeaders(o.Headers, user)
	if err != nil {
		return nil, err
	}
	signer, err := newSigner(o.Secrets)
	if err != nil {
		return nil, err
	}
	transport, err := o.transport(target.fixed.Scheme)
	if err != nil {
		return nil, err
	}
	votes, err := newVotes(o.Cache)
	if err != nil {
		return nil, err
	}
	return &Sink{
		options:   o,
		target:    target,
		headers:   headers,
		signer:    signer,
		host:      host,
		transport: transport,
		client:    newClient(o.Attempts),
		template:  &http.Request{Method: http.MethodPost, URL: target.fixed, Header: http.Header{}},
		slots:     make(chan struct{}, o.Concurrency),
		votes:     votes,
	}, nil
}

func (o Options) check() error {
	switch {
	case o.Name == "":
		return errors.New("it has no name")
	case o.URL == "":
		return errors.New("it has no URL")
	case o.Timeout < 0, o.Attempts < 0, o.Backoff < 0, o.MaxBackoff < 0, o.Hedge < 0, o.Concurrency < 0, o.MaxAnswer < 0:
		return errors.New("a time, count or size is negative")
	case o.Transport != nil && (o.Dial != nil || o.TLS != TLS{}):
		return errors.New("a given Transport brings its own Dial and TLS")
	}
	return nil
}

func (o Options) withDefaults() Options {
	o.Timeout = cmp.Or(o.Timeout, 3*time.Second)
	o.Attempts = cmp.Or(o.Attempts, 2)
	o.Backoff = cmp.Or(o.Backoff, 50*time.Millisecond)
	o.MaxBackoff = cmp.Or(o.MaxBackoff, time.Second)
	o.Concurrency = cmp.Or(o.Concurrency, 64)
	o.MaxAnswer = cmp.Or(o.MaxAnswer, 1<<20)
	if o.Jitter == nil {
		o.Jitter = fullJitter
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Name returns the sink's name.
func (s *Sink) Name() string { return s.options.Name }

// Close closes idle connections, and from now on those that become idle. Requests in flight finish.
func (s *Sink) Close() {
	s.closed.Store(true)
	s.closeIdle()
}
