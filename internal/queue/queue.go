// Package queue keeps deliveries until their sinks have them: durably, in order per key where asked,
// however often sinks and this process fail.
//
// New makes a Queue over a Store; Append accepts an event, Run delivers. A store only keeps and finds (packages under
// queue/ hold them, package queuetest says what one must do); order, retries, concurrency and time are decided here, once
// for all stores. The queue holds bytes and knows no callback: what goes to whom is decided by its callers.
package queue

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// An Event is what one callback leaves to be delivered. It is stored once, however many sinks get it, and
// read-only from Append on.
type Event struct {
	Seq         uint64    // place in the log, from 1, ascending in the order of acceptance; given by Store.Commit
	ID          string    // of the callback: a ULID, so ascending in time too
	At          time.Time // when the callback arrived; kept in milliseconds
	Command     string    // wire name
	Source      string
	OperationID string
	MessageID   string
	TraceParent string // W3C traceparent that deliveries carry, "" for none
	Hops        int    // gateways that the callback has passed, this one included
	ReplayOf    string // id of the callback that this one repeats, "" for none
	Targets     []Target
	Body        []byte
}

// A Target is one sink's part in an event.
type Target struct {
	Sink string
	// Key orders: the deliveries of a sink with the same key arrive one after the other, in the order of
	// acceptance. "" has no order.
	Key string
	// Rules are the names of the rules that asked for it, in the order of matching.
	Rules []string
}

// A Delivery is one attempt at bringing an event to a sink, as a Deliverer sees it.
type Delivery struct {
	*Event
	Sink    string
	Attempt int    // from 1, over restarts
	Lane    uint64 // of its key: in a batch, none may arrive before an earlier one of its lane. 0 for none
}

// DeliveryID is the id of a delivery: the same over all attempts, another for every event and sink. It is the
// sink's idempotency key.
func DeliveryID(eventID, sink string) string { return eventID + "." + sink }

// A Deliverer makes one attempt. It returns soon after ctx ends, and may be called concurrently.
type Deliverer interface {
	Deliver(ctx context.Context, d Delivery) Outcome
}

// A BatchDeliverer is a Deliverer that can also make one attempt for several deliveries in one request, in their order. each says how
// it ended for every one of them; it is nil where whole says the same of all. Of a batch that was refused as a whole
// nothing is known of any one delivery: it is tried again in halves.
type BatchDeliverer interface {
	DeliverBatch(ctx context.Context, ds []Delivery) (whole Outcome, each []Outcome)
}

// An Outcome is how one attempt ended.
type Outcome struct {
	// Verdict says what becomes of the delivery.
	Verdict Verdict
	Status  int    // of the answer, 0 when there was none
	Reason  string // for people, "" when it is done
	// RetryAfter is what the sink asked to wait at least, 0 when it did not.
	RetryAfter time.Duration
	Answer     []byte // how the answer begins, for the journal
	Duration   time.Duration
}

// A Verdict says what an attempt made of a delivery.
type Verdict uint8

// The verdicts. The zero value is not one of them.
const (
	Done    Verdict = iota + 1 // the sink has it
	Again                      // it may go better later: no answer, 408, 425, 429, 5xx
	Refused                    // it would only be refused again: other 4xx
	Gone                       // 410: the sink wants nothing more; it is paused and keeps the delivery
)

// A Sink is how deliveries to one sink are made. Zero values mean the defaults.
type Sink struct {
	Name      string
	Deliverer Deliverer
	// Batching has deliveries go in batches. Each is one attempt to Concurrency, Rate and Breaker.
	Batching Batching
	// Concurrency bounds attempts at the same time. Zero means 64.
	Concurrency int
	// Rate bounds attempts a second (token bucket, with Burst). Zero means no bound.
	Rate  float64
	Burst int // zero means Rate, at least 1
	// Backoff bounds the wait after the first failed attempt, doubling after; the wait is drawn from 0 to it (full
	// jitter). Zero means 1 second.
	Backoff time.Duration
	// MaxBackoff is the most between two attempts, also what Retry-After is clamped to. Zero means 10 minutes.
	MaxBackoff time.Duration
	// For is how long after its acceptance a delivery is still retried. Zero means 24 hours.
	For time.Duration
	// OnStuck says what becomes of an ordered delivery that is refused or too old.
	OnStuck OnStuck
	// StuckLimit bounds how many deliveries may wait behind a stuck one; beyond it the stuck one becomes a dead
	// letter after all. Zero means 10,000.
	StuckLimit int
	// Breaker says when a failing sink is left alone. The zero value has the defaults.
	Breaker Breaker
}

// Batching says how deliveries are gathered into batches. A batch goes as soon as Max or MaxBytes is reached, or Wait has passed since
// the first of it could have gone.
type Batching struct {
	// Max is the most deliveries in a batch. Zero means that each goes by itself, and so does a Deliverer that is no BatchDeliverer.
	Max int
	// MaxBytes bounds their bodies together; a larger one goes by itself. Zero means 1 MiB.
	MaxBytes int
	// Wait is how long a batch that is not full waits for more. Zero means not at all.
	Wait time.Duration
}

// OnStuck says what becomes of a delivery with a key that cannot be delivered.
type OnStuck uint8

// The ways to treat a stuck key.
const (
	Block      OnStuck = iota // it keeps its place and its key waits until a person acts
	DeadLetter                // it becomes a dead letter and its key goes on
)

// A Breaker opens after so many failed attempts in a row (transport errors, timeouts, 429, 5xx); while open nothing is sent, and
// deliveries wait without being charged an attempt. After Delay one probe goes out: its success closes the breaker.
type Breaker struct {
	Off      bool
	Failures int           // zero means 10
	Delay    time.Duration // zero means 5 seconds; doubles with each failed probe
	MaxDelay time.Duration // zero means 1 minute
}

// An Attempt is one attempt, told when it has ended.
type Attempt struct {
	Delivery Delivery
	At       time.Time // when it began
	Outcome  Outcome
	State    State     // that the delivery is in now; 0 when it is done
	Due      time.Time // of the next attempt, where State is Retrying
	// Batch is how many deliveries the request had, and Place which one of them this was, from 1. Zero where deliveries do not go in
	// batches.
	Batch, Place int
}

// Options configures a Queue. Store is required.
type Options struct {
	Store Store
	// MaxBytes bounds what the store may use; beyond it Append fails with ErrFull. Zero means no bound.
	MaxBytes int64
	// MaxAge bounds how long a delivery may wait, whatever its sink says: it becomes a dead letter then, and a dead letter
	// of that age is removed. Zero means for ever.
	MaxAge time.Duration
	// Window bounds the deliveries of one sink that wait in memory. Zero means 1024; those beyond it are read
	// from the store when their turn comes.
	Window int
	// WindowBytes bounds their bodies, in bytes. Zero means 8 MiB.
	WindowBytes int
	// OnAttempt is called after each attempt. It must return at once and may be called concurrently. Nil means
	// nobody looks.
	OnAttempt func(Attempt)
	// Log receives what people must see. Nil discards.
	Log *slog.Logger
	// Registerer receives the metrics. Nil registers nothing.
	Registerer prometheus.Registerer
}

// Errors of Append and of what people do.
var (
	// ErrFull means that MaxBytes is reached or the disk is full. What was accepted is safe; there is room again when
	// deliveries succeed, are discarded or expire.
	ErrFull = errors.New("the queue is full")
	// ErrClosed means that the queue no longer accepts.
	ErrClosed = errors.New("the queue is closed")
	// ErrNotFound means that there is no such delivery or sink.
	ErrNotFound = errors.New("not found")
	// ErrLost means that another process owns the partition now.
	ErrLost = errors.New("another process has taken over")
)
