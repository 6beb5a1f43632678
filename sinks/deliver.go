package sinks

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"callboard/openim"
)

// A Delivery is one attempt at notifying a sink.
type Delivery struct {
	ID          string // webhook-id: stable over attempts
	CallbackID  string
	Command     string // wire name
	Source      string
	OperationID string
	TraceParent string // W3C, "" for none
	ReplayOf    string // id of the callback that this sends again, "" for none
	Hops        int    // gateways that the callback has passed
	Attempt     int    // from 1
	// Body is sent as it is, and must stay unchanged for good.
	Body []byte
	// Headers are as in Request; those of Standard Webhooks stand over them. In a batch an envelope has them, or nothing has.
	Headers http.Header
}

// An Outcome is how a Deliver ended. Where neither Delivered, Retry nor Gone holds, the sink has refused for good.
type Outcome struct {
	Delivered  bool
	Status     int           // 0 when no answer came
	Retry      bool          // whether another attempt may end better
	Gone       bool          // whether the sink wants nothing more (410)
	RetryAfter time.Duration // what the sink asked for, 0 when it did not; not clamped
	Reason     string        // why it was not delivered, "" when it was; holds nothing of the answer
	Answer     []byte        // the first bytes of the answer, at most 512, valid UTF-8
	Duration   time.Duration
}

// calledOff is the Reason when the caller's context ended a Deliver.
const calledOff = "called off"

// Deliver makes one request and reads how the sink took it: by the status, and with NeedsReply by the answer as well. It
// returns soon after ctx ends. It never panics, and takes no slot of Ask's: its callers bound how many there are at a time.
//
// It is one request, not go-retryablehttp's several as in Ask, because nobody waits for its end: the next attempt may come
// in hours, and when, depends on what only the dispatcher knows: the order of a key, the rate, the breaker, Retry-After, and
// that the process may stop in between.
func (s *Sink) Deliver(ctx context.Context, d Delivery) (o Outcome) {
	begun := time.Now()
	defer func() {
		if p := recover(); p != nil {
			s.options.Log.Error("delivering panicked", "sink", s.options.Name, "id", d.ID, "panic", p, "stack", string(debug.Stack()))
			o = Outcome{Retry: true, Reason: "delivering panicked; the log has more"}
		}
		s.use()
		o.Duration = time.Since(begun)
		s.logDelivery(ctx, &d, &o)
	}()
	url, err := s.target.url(d.Command, d.Source)
	if err != nil {
		return Outcome{Reason: "not sent: " + err.Error()}
	}
	attemptCtx, cancel := withTimeout(ctx, s.options.Timeout)
	defer cancel()
	resp, err := s.transport.RoundTrip(s.request(attemptCtx, url, s.deliveryHeader(&d, begun), d.Body))
	if err == nil {
		o, err = s.outcome(resp)
	}
	if err != nil {
		o.Retry, o.Reason = true, s.failure(attemptCtx, o.Status, err)
		if ctx.Err() != nil {
			o.Reason = calledOff
		}
	}
	return o
}

// outcome reads how a sink took a delivery. Its error is what kept an answer that decides from being read; where the status
// decides alone, the answer may break off as it likes.
func (s *Sink) outcome(resp *http.Response) (Outcome, error) {
	defer resp.Body.Close()
	o := s.ofStatus(resp.StatusCode)
	var err error
	if o.Status != http.StatusSwitchingProtocols { // see Sink.read
		r := answerReaders.Get().(*answerReader)
		defer r.recycle()
		if o.Delivered && s.options.NeedsReply {
			if err = r.read(resp, s.options.MaxAnswer); err == nil {
				o.Reason = missing(openim.ReadAnswer(o.Status, r.buffer.Bytes(), s.options.Dialect), o.Status)
			}
			o.Delivered = err == nil && o.Reason == ""
			o.Retry = !o.Delivered
		} else {
			r.skim(resp)
		}
		o.Answer = beginning(r.buffer.Bytes())
	}
	if !o.Delivered {
		o.RetryAfter, _ = parseRetryAfter(resp.Header.Get("Retry-After"))
	}
	return o, err
}

// ofStatus is what a status says by itself. Redirects are not followed, but may be gone once somebody looks into them.
func (s *Sink) ofStatus(status int) Outcome {
	o := Outcome{Status: status, Delivered: status/100 == 2}
	if o.Delivered {
		return o
	}
	o.Reason = openim.ReadAnswer(status, nil, s.options.Dialect).Reason
	o.Gone = status == http.StatusGone
	o.Retry = status/100 != 4 || worthRetrying(status)
	if o.Gone {
		o.Reason += ": it wants nothing more"
	}
	return o
}

// missing says what an answer lacks of the reply that success: reply wants, "" for nothing. Silence is not enough, neither 204
// nor an empty body: it says nothing about the work that actionCode would speak of.
func missing(a openim.Answer, status int) string {
	switch a.Vote {
	case openim.Allow:
		return ""
	case openim.Refuse:
		return fmt.Sprintf("its reply refuses with code %d, where success: reply wants an allow", a.Code)
	case openim.Abstain:
		return fmt.Sprintf("answered HTTP %d without the reply that success: reply wants", status)
	}
	return a.Reason
}

const (
	// keepAnswer is how much of an answer an Outcome keeps.
	keepAnswer = 512
	// maxSkim bounds what is read of an answer that does not matter, so that its connection can be used again. Beyond it a
	// new connection costs less.
	maxSkim = 16 << 10
)

// skim reads how an answer begins, and on to its end where that is near.
func (r *answerReader) skim(resp *http.Response) {
	r.limited = io.LimitedReader{R: resp.Body, N: maxSkim}
	if resp.ContentLength > maxSkim {
		r.limited.N = keepAnswer
	}
	_, _ = r.buffer.ReadFrom(&r.limited)
}

// beginning copies the first bytes of an answer, as valid UTF-8.
func beginning(answer []byte) []byte {
	if len(answer) > keepAnswer {
		answer = answer[:keepAnswer]
		for i := 1; i < utf8.UTFMax; i++ { // a character that the cut went through
			if tail := answer[keepAnswer-i:]; utf8.RuneStart(tail[0]) {
				if !utf8.FullRune(tail) {
					answer = answer[:keepAnswer-i]
				}
				break
			}
		}
	}
	switch {
	case len(answer) == 0:
		return nil
	case utf8.Valid(answer): // as nearly always, which is quicker to see than to mend
		return bytes.Clone(answer)
	}
	return bytes.ToValidUTF8(answer, []byte("?"))
}

func (s *Sink) logDelivery(ctx context.Context, d *Delivery, o *Outcome) {
	log := s.options.Log
	if !log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	log.LogAttrs(ctx, slog.LevelDebug, "delivery attempted",
		slog.String("sink", s.options.Name), slog.String("id", d.ID), slog.Int("attempt", d.Attempt), slog.Int("status", o.Status),
		slog.Bool("delivered", o.Delivered), slog.String("reason", o.Reason), slog.Duration("took", o.Duration))
}
