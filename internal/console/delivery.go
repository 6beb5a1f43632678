package console

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"callboard/internal/journal"
	"callboard/internal/queue"
	"callboard/openim"
)

// A Delivery is one event on its way to one sink.
type Delivery struct {
	ID          string     `json:"id" doc:"The same over all attempts; sinks get it as webhook-id."`
	Sink        string     `json:"sink"`
	State       string     `json:"state" enum:"waiting,retrying,blocked,stuck,dead,done" doc:"What it waits for. Done appears only where one delivery is asked for by id."`
	At          time.Time  `json:"at" doc:"When the callback arrived."`
	Command     string     `json:"command" doc:"Wire name."`
	Source      string     `json:"source,omitempty"`
	Key         string     `json:"key,omitempty" doc:"Deliveries of a sink with the same key arrive in order."`
	Rules       []string   `json:"rules,omitempty" doc:"That asked for it."`
	CallbackID  string     `json:"callback_id"`
	OperationID string     `json:"operation_id,omitempty"`
	MessageID   string     `json:"message_id,omitempty"`
	ReplayOf    string     `json:"replay_of,omitempty" doc:"Id of the callback that this one sends again."`
	Attempts    int        `json:"attempts" doc:"Made so far."`
	Status      int        `json:"status,omitempty" doc:"HTTP status of the last attempt; absent when there was no answer."`
	Reason      string     `json:"reason,omitempty" doc:"Why the last attempt failed."`
	Due         *time.Time `json:"due,omitempty" doc:"When it is tried again, while retrying."`
	Since       *time.Time `json:"since,omitempty" doc:"Since when it is blocked, stuck or dead."`
}

// statesByWord has the states that a filter may name.
var statesByWord = func() map[string]queue.State {
	m := map[string]queue.State{}
	for _, state := range []queue.State{queue.WaitingTurn, queue.Retrying, queue.Blocked, queue.Stuck, queue.Dead} {
		m[state.String()] = state
	}
	return m
}()

// deliveryOf is a delivery on the wire.
func deliveryOf(w queue.Waiting) Delivery {
	e := w.Event
	d := Delivery{
		ID: queue.DeliveryID(e.ID, w.Sink), Sink: w.Sink, State: w.State.String(), At: e.At.UTC(), Command: e.Command, Source: e.Source,
		CallbackID: e.ID, OperationID: e.OperationID, MessageID: e.MessageID, ReplayOf: e.ReplayOf,
		Attempts: w.Attempts, Status: w.Status, Reason: w.Reason,
	}
	for _, target := range e.Targets {
		if target.Sink == w.Sink {
			d.Key, d.Rules = target.Key, target.Rules
		}
	}
	switch due := w.Due.UTC(); w.State {
	case queue.Retrying:
		d.Due = timeOrNil(due)
	case queue.Blocked, queue.Stuck, queue.Dead:
		d.Since = timeOrNil(due)
	}
	return d
}

// deliveryDone is what the journal still knows of a delivery that the queue has not any more, nil when its last attempt
// was not the end of it, or when the journal has the callback no longer: attempts may be days younger.
func deliveryDone(id string, cb *journal.Callback, attempts []journal.Attempt) *Delivery {
	if cb == nil || len(attempts) == 0 || attempts[len(attempts)-1].State != "done" {
		return nil
	}
	last := attempts[len(attempts)-1]
	return &Delivery{
		ID: id, Sink: last.Sink, State: "done", At: cb.At, Command: cb.Command, Source: cb.Source, CallbackID: cb.ID,
		OperationID: cb.OperationID, MessageID: cb.MessageID, ReplayOf: cb.ReplayOf, Attempts: last.Attempt, Status: last.Status,
	}
}

// A DeliveryFilter chooses deliveries that are not done. Fields are joined by and.
type DeliveryFilter struct {
	IDs         []string `json:"ids,omitempty" query:"id,explode" minItems:"1" maxItems:"20000" doc:"Delivery ids."`
	Sink        string   `json:"sink,omitempty" query:"sink"`
	States      []string `json:"states,omitempty" query:"state,explode" minItems:"1" enum:"waiting,retrying,blocked,stuck,dead" doc:"Any of these."`
	Command     string   `json:"command,omitempty" query:"command" doc:"In any of its spellings."`
	Rule        string   `json:"rule,omitempty" query:"rule" doc:"One that asked for it."`
	Key         string   `json:"key,omitempty" query:"key"`
	OperationID string   `json:"operation_id,omitempty" query:"operation_id"`
	MessageID   string   `json:"message_id,omitempty" query:"message_id"`
	CallbackID  string   `json:"callback_id,omitempty" query:"callback_id"`
	Status      int      `json:"status,omitempty" query:"status" minimum:"100" maximum:"599" doc:"HTTP status of the last attempt."`
	Window               // of the callback's arrival
}

// IsEmpty reports whether it would choose all.
func (f DeliveryFilter) IsEmpty() bool {
	return len(f.IDs)+len(f.States) == 0 && f.Sink+f.Command+f.Rule+f.Key+f.OperationID+f.MessageID+f.CallbackID == "" &&
		f.Status == 0 && f.Window == Window{}
}

// filter is the queue's own.
func (f DeliveryFilter) filter() (queue.Filter, error) {
	since, until, err := f.times()
	if err != nil {
		return queue.Filter{}, err
	}
	var states []queue.State
	for _, word := range f.States {
		states = append(states, statesByWord[word]) // the schema lets no other words through
	}
	return queue.Filter{
		IDs: f.IDs, Sink: f.Sink, States: states, Command: wireName(f.Command), Rule: f.Rule, Key: f.Key, OperationID: f.OperationID,
		MessageID: f.MessageID, CallbackID: f.CallbackID, Status: f.Status, Since: since, Until: until,
	}, nil
}

// wireName is the name that a command has in callbacks, however it is spelled. Commands that are not known keep their name.
func wireName(command string) string {
	if known, ok := openim.Lookup(command); ok {
		return known.Name
	}
	return command
}

// A cursor is the place of a page's last delivery: its Seq and sink, 42.archive.
func cursorOf(w queue.Waiting) string { return strconv.FormatUint(w.Seq, 10) + "." + w.Sink }

// parseCursor reads one. "" is the first page.
func parseCursor(text string) (queue.Ref, error) {
	if text == "" {
		return queue.Ref{}, nil
	}
	number, sink, ok := strings.Cut(text, ".")
	seq, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil || seq == 0 {
		return queue.Ref{}, unprocessable("query.cursor", text, errors.New("no cursor"), "give the next of the page before")
	}
	return queue.Ref{Seq: seq, Sink: sink}, nil
}

// splitBody returns a callback's body as JSON, or else as bytes that are none.
func splitBody(body []byte) (json.RawMessage, []byte) {
	if json.Valid(body) && utf8.Valid(body) {
		return body, nil
	}
	return nil, body
}
