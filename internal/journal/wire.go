package journal

import (
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Records are kept in the wire format of Protocol Buffers, which is small, quick, and lets fields be added: who does not
// know one skips it. A chunk is a message of this type, so two chunks joined are a chunk:
//
//	message Chunk    { repeated Callback callback = 1; repeated Attempt attempt = 2; }   // in the order of recording
//	message Callback { string id = 1; sint64 at_ms = 2; sint64 duration_ns = 3; ... }    // the constants below
//
// Zero values are left out, except of times. Numbers are never used again for something else.
const (
	tagCallback = 1
	tagAttempt  = 2
)

// Fields of a callback.
const (
	cID protowire.Number = iota + 1
	cAt
	cDuration
	cCommand
	cSource
	cPath
	cQuery
	cOperation
	cMessage
	cGroup
	cSender
	cRevision
	cRules    // repeated
	cAsked    // repeated
	cNotified // repeated
	cVerdict
	cCode
	cTrouble
	cReplayOf
	cTrace // JSON
	cBody  // there whenever bodies are kept
	cRepeatOf
	cHops
)

// Fields of an attempt.
const (
	aDelivery protowire.Number = iota + 1
	aCallback
	aSink
	aCommand
	aOperation
	aAt
	aDuration
	aAttempt
	aStatus
	aState
	aReason
	aAnswer
	aBatch
	aPlace
)

// An encoder turns records into bytes. What it returns is valid until the next call.
type encoder struct {
	withoutBodies bool
	buf, trace    []byte
}

func (e *encoder) callback(c *Callback) []byte {
	b := e.buf[:0]
	b = appendString(b, cID, c.ID)
	b = appendTime(b, cAt, c.At)
	b = appendInt(b, cDuration, int64(c.Duration))
	b = appendString(b, cCommand, c.Command)
	b = appendString(b, cSource, c.Source)
	b = appendString(b, cPath, c.Path)
	b = appendString(b, cQuery, c.Query)
	b = appendString(b, cOperation, c.OperationID)
	b = appendString(b, cMessage, c.MessageID)
	b = appendString(b, cGroup, c.GroupID)
	b = appendString(b, cSender, c.SenderID)
	b = appendString(b, cRevision, c.Revision)
	b = appendStrings(b, cRules, c.Rules)
	b = appendStrings(b, cAsked, c.Asked)
	b = appendStrings(b, cNotified, c.Notified)
	b = appendString(b, cVerdict, c.Verdict)
	b = appendInt(b, cCode, int64(c.Code))
	b = appendString(b, cTrouble, c.Trouble)
	b = appendString(b, cReplayOf, c.ReplayOf)
	b = appendString(b, cRepeatOf, c.RepeatOf)
	b = appendInt(b, cHops, int64(c.Hops))
	if trace := e.traceJSON(c.Trace); len(trace) > 0 {
		b = appendBytes(b, cTrace, trace)
	}
	if c.Body != nil && !e.withoutBodies {
		b = appendBytes(b, cBody, c.Body)
	}
	e.buf = b
	return b
}

// traceJSON returns nil for no trace. One that cannot be JSON says so.
func (e *encoder) traceJSON(trace any) []byte {
	switch t := trace.(type) {
	case nil:
		return nil
	case json.RawMessage:
		return t
	case interface{ AppendJSON([]byte) []byte }:
		e.trace = t.AppendJSON(e.trace[:0])
		return e.trace
	}
	text, err := json.Marshal(trace)
	if err != nil {
		text, _ = json.Marshal(map[string]string{"error": err.Error()}) // a map of strings always can
	}
	return text
}

func (e *encoder) attempt(a *Attempt) []byte {
	b := e.buf[:0]
	b = appendString(b, aDelivery, a.DeliveryID)
	b = appendString(b, aCallback, a.CallbackID)
	b = appendString(b, aSink, a.Sink)
	b = appendString(b, aCommand, a.Command)
	b = appendString(b, aOperation, a.OperationID)
	b = appendTime(b, aAt, a.At)
	b = appendInt(b, aDuration, int64(a.Duration))
	b = appendInt(b, aAttempt, int64(a.Attempt))
	b = appendInt(b, aStatus, int64(a.Status))
	b = appendString(b, aState, a.State)
	b = appendString(b, aReason, a.Reason)
	if !e.withoutBodies {
		b = appendString(b, aAnswer, a.Answer)
	}
	b = appendInt(b, aBatch, int64(a.Batch))
	b = appendInt(b, aPlace, int64(a.Place))
	e.buf = b
	return b
}

func appendInt(b []byte, field protowire.Number, v int64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), protowire.EncodeZigZag(v))
}

// appendTime does not leave out 0, which is a time like others.
func appendTime(b []byte, field protowire.Number, t time.Time) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), protowire.EncodeZigZag(t.UnixMilli()))
}

func appendString(b []byte, field protowire.Number, v string) []byte {
	if v == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendStrings(b []byte, field protowire.Number, vs []string) []byte {
	for _, v := range vs {
		b = protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), v)
	}
	return b
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

// eachField calls f with the fields of a message until it returns false: n for numbers, v for the rest.
func eachField(b []byte, f func(field protowire.Number, n int64, v []byte) bool) error {
	for len(b) > 0 {
		field, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return fmt.Errorf("reading a field: %w", protowire.ParseError(size))
		}
		b = b[size:]
		var n int64
		var v []byte
		switch kind {
		case protowire.VarintType:
			var u uint64
			u, size = protowire.ConsumeVarint(b)
			n = protowire.DecodeZigZag(u)
		case protowire.BytesType:
			v, size = protowire.ConsumeBytes(b)
		default:
			size = protowire.ConsumeFieldValue(field, kind, b)
		}
		if size < 0 {
			return fmt.Errorf("reading field %d: %w", field, protowire.ParseError(size))
		}
		b = b[size:]
		if !f(field, n, v) {
			return nil
		}
	}
	return nil
}

// decodeCallback reads a record; it keeps nothing of b.
func decodeCallback(b []byte) (*Callback, error) {
	c := new(Callback)
	err := eachField(b, func(field protowire.Number, n int64, v []byte) bool {
		switch field {
		case cID:
			c.ID = string(v)
		case cAt:
			c.At = time.UnixMilli(n).UTC()
		case cDuration:
			c.Duration = time.Duration(n)
		case cCommand:
			c.Command = string(v)
		case cSource:
			c.Source = string(v)
		case cPath:
			c.Path = string(v)
		case cQuery:
			c.Query = string(v)
		case cOperation:
			c.OperationID = string(v)
		case cMessage:
			c.MessageID = string(v)
		case cGroup:
			c.GroupID = string(v)
		case cSender:
			c.SenderID = string(v)
		case cRevision:
			c.Revision = string(v)
		case cRules:
			c.Rules = append(c.Rules, string(v))
		case cAsked:
			c.Asked = append(c.Asked, string(v))
		case cNotified:
			c.Notified = append(c.Notified, string(v))
		case cVerdict:
			c.Verdict = string(v)
		case cCode:
			c.Code = int32(n)
		case cTrouble:
			c.Trouble = string(v)
		case cReplayOf:
			c.ReplayOf = string(v)
		case cRepeatOf:
			c.RepeatOf = string(v)
		case cHops:
			c.Hops = int(n)
		case cTrace:
			c.Trace = append(json.RawMessage{}, v...)
		case cBody:
			c.Body = append([]byte{}, v...)
		}
		return true
	})
	return c, err
}

// decodeAttempt reads a record; it keeps nothing of b.
func decodeAttempt(b []byte) (Attempt, error) {
	var a Attempt
	err := eachField(b, func(field protowire.Number, n int64, v []byte) bool {
		switch field {
		case aDelivery:
			a.DeliveryID = string(v)
		case aCallback:
			a.CallbackID = string(v)
		case aSink:
			a.Sink = string(v)
		case aCommand:
			a.Command = string(v)
		case aOperation:
			a.OperationID = string(v)
		case aAt:
			a.At = time.UnixMilli(n).UTC()
		case aDuration:
			a.Duration = time.Duration(n)
		case aAttempt:
			a.Attempt = int(n)
		case aStatus:
			a.Status = int(n)
		case aState:
			a.State = string(v)
		case aReason:
			a.Reason = string(v)
		case aAnswer:
			a.Answer = string(v)
		case aBatch:
			a.Batch = int(n)
		case aPlace:
			a.Place = int(n)
		}
		return true
	})
	return a, err
}
