package sinks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Batch is how several deliveries make one request. The zero value is a JSON array of the callbacks' bodies.
type Batch struct {
	// NDJSON has each delivery on a line of its own, instead of a JSON array around all.
	NDJSON bool
	// Envelope puts each body into an object that also says what headers say of a lone delivery.
	Envelope bool
}

const (
	jsonType   = "application/json; charset=utf-8"
	ndjsonType = "application/x-ndjson"
)

// DeliverBatch makes one request for several deliveries and reads how the sink took each: by the status, and by what the answer says
// of single ones (results.go). each has their outcomes in the order of ds; it is nil where whole says the same of all. Otherwise it is
// like Deliver.
func (s *Sink) DeliverBatch(ctx context.Context, ds []Delivery) (whole Outcome, each []Outcome) {
	begun := time.Now()
	id := batchID(ds)
	defer func() {
		if p := recover(); p != nil {
			s.options.Log.Error("delivering panicked", "sink", s.options.Name, "batch", id, "panic", p, "stack", string(debug.Stack()))
			whole, each = Outcome{Retry: true, Reason: "delivering panicked; the log has more"}, nil
		}
		s.use()
		whole.Duration = time.Since(begun)
		for i := range each {
			each[i].Duration = whole.Duration
		}
		s.logBatch(ctx, id, len(ds), &whole)
	}()
	if s.target.template != "" {
		return Outcome{Reason: "not sent: a batch holds several callbacks, which the placeholders of the sink's URL do not fit"}, nil
	}
	body := s.batchBody(ds)
	attemptCtx, cancel := withTimeout(ctx, s.options.Timeout)
	defer cancel()
	resp, err := s.transport.RoundTrip(s.request(attemptCtx, s.target.fixed, s.batchHeader(id, len(ds), begun, body), body))
	if err == nil {
		whole, each, err = s.batchOutcome(resp, ds)
	}
	if err != nil {
		whole.Delivered, whole.Retry, whole.Reason = false, true, s.failure(attemptCtx, whole.Status, err)
		if each = nil; ctx.Err() != nil {
			whole.Reason = calledOff
		}
	}
	return whole, each
}

// batchID is the webhook-id of a batch: the same for the same deliveries in the same order.
func batchID(ds []Delivery) string {
	h := sha256.New()
	for i := range ds {
		h.Write([]byte(ds[i].ID))
		h.Write([]byte{'\n'})
	}
	return "batch_" + hex.EncodeToString(h.Sum(nil)[:16])
}

// batchHeader returns the headers of a batch. What differs between its deliveries is left to their envelopes.
func (s *Sink) batchHeader(id string, n int, at time.Time, body []byte) http.Header {
	h := make(http.Header, len(s.headers)+1+len(webhookHeaders))
	h["Callboard-Batch"] = []string{strconv.Itoa(n)}
	maps.Copy(h, s.headers)
	if s.options.Batch.NDJSON && h.Get("Content-Type") == jsonType {
		h["Content-Type"] = []string{ndjsonType}
	}
	put(h, webhookHeaders[:], []string{id, strconv.FormatInt(at.Unix(), 10), s.signer.sign(id, at, body)})
	return h
}

// batchBody puts deliveries into one body.
func (s *Sink) batchBody(ds []Delivery) []byte {
	size := 2
	for i := range ds {
		size += len(ds[i].Body) + 2
		if s.options.Batch.Envelope {
			size += 384 // about
		}
	}
	b := make([]byte, 0, size)
	if s.options.Batch.NDJSON {
		for i := range ds {
			begin := len(b)
			b = s.appendItem(b, &ds[i])
			oneLine(b[begin:])
			b = append(b, '\n')
		}
		return b
	}
	b = append(b, '[')
	for i := range ds {
		if i > 0 {
			b = append(b, ',', '\n')
		}
		b = s.appendItem(b, &ds[i])
	}
	return append(b, ']')
}

// oneLine puts spaces in place of line breaks. In JSON they stand between tokens only.
func oneLine(b []byte) {
	for i, c := range b {
		if c == '\n' || c == '\r' {
			b[i] = ' '
		}
	}
}

// appendItem writes what a batch says of one delivery.
func (s *Sink) appendItem(b []byte, d *Delivery) []byte {
	body := d.Body
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("null") // nothing at all would put the others out of place
	}
	if !s.options.Batch.Envelope {
		return append(b, body...)
	}
	text := func(name, value string) {
		if value != "" {
			b = append(b, `,"`+name+`":`...)
			b, _ = jsontext.AppendQuote(b, value) // an error only tells of replaced bytes
		}
	}
	b = append(b, `{"id":`...)
	b, _ = jsontext.AppendQuote(b, d.ID)
	text("callback_id", d.CallbackID)
	text("command", d.Command)
	text("source", d.Source)
	text("operation_id", d.OperationID)
	text("traceparent", d.TraceParent)
	text("replay_of", d.ReplayOf)
	number := func(name string, value int) {
		if value > 0 {
			b = strconv.AppendInt(append(b, `,"`+name+`":`...), int64(value), 10)
		}
	}
	number("hops", d.Hops)
	number("attempt", d.Attempt)
	if len(d.Headers) > 0 {
		b = append(b, `,"headers":{`...)
		for i, name := range slices.Sorted(maps.Keys(d.Headers)) {
			if i > 0 {
				b = append(b, ',')
			}
			b, _ = jsontext.AppendQuote(b, name)
			b, _ = jsontext.AppendQuote(append(b, ':'), d.Headers.Get(name))
		}
		b = append(b, '}')
	}
	b = append(b, `,"body":`...)
	b = append(b, body...)
	return append(b, '}')
}

func (s *Sink) logBatch(ctx context.Context, id string, n int, o *Outcome) {
	log := s.options.Log
	if !log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	log.LogAttrs(ctx, slog.LevelDebug, "batch attempted",
		slog.String("sink", s.options.Name), slog.String("batch", id), slog.Int("deliveries", n), slog.Int("status", o.Status),
		slog.Bool("delivered", o.Delivered), slog.String("reason", o.Reason), slog.Duration("took", o.Duration))
}
