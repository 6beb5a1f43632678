package journal

import "time"

// A Callback is the record of one callback. It is read-only once recorded. Times are kept in milliseconds.
type Callback struct {
	ID          string        `json:"id"`
	At          time.Time     `json:"at"`
	Duration    time.Duration `json:"duration_ns"`
	Command     string        `json:"command"` // wire name
	Source      string        `json:"source,omitempty"`
	Path        string        `json:"path,omitempty"`
	Query       string        `json:"query,omitempty"`
	OperationID string        `json:"operation_id,omitempty"`
	MessageID   string        `json:"message_id,omitempty"` // serverMsgID
	GroupID     string        `json:"group_id,omitempty"`
	SenderID    string        `json:"sender_id,omitempty"`
	Revision    string        `json:"revision,omitempty"`
	Rules       []string      `json:"rules,omitempty"`    // that matched
	Asked       []string      `json:"asked,omitempty"`    // sinks
	Notified    []string      `json:"notified,omitempty"` // sinks
	Verdict     string        `json:"verdict"`            // allow or refuse
	Code        int32         `json:"code,omitempty"`
	Trouble     string        `json:"trouble,omitempty"`
	Hops        int           `json:"hops,omitempty"`      // gateways that it had passed before this one
	RepeatOf    string        `json:"repeat_of,omitempty"` // id of the callback that was answered and delivered in its place
	ReplayOf    string        `json:"replay_of,omitempty"` // id of the callback that this one sends again
	// Trace is why it ended so. It is turned into JSON in the background, by its own method AppendJSON([]byte) []byte if it has
	// one; what it points to must not change any more. Reading gives a json.RawMessage.
	Trace any `json:"trace,omitempty"`
	// Body is the callback byte for byte, nil where bodies are not kept.
	Body []byte `json:"-"`
}

// An Attempt is the record of one attempt at a delivery. Times are kept in milliseconds.
type Attempt struct {
	DeliveryID  string        `json:"delivery_id"`
	CallbackID  string        `json:"callback_id"`
	Sink        string        `json:"sink"`
	Command     string        `json:"command"`
	OperationID string        `json:"operation_id,omitempty"`
	At          time.Time     `json:"at"`
	Duration    time.Duration `json:"duration_ns"`
	Attempt     int           `json:"attempt"`
	Status      int           `json:"status,omitempty"` // 0 when there was no answer
	State       string        `json:"state"`            // done, retrying, stuck, dead; of a batch also waiting, blocked: that the delivery was in after it
	Reason      string        `json:"reason,omitempty"`
	Answer      string        `json:"answer,omitempty"` // how the sink's answer begins
	Batch       int           `json:"batch,omitempty"`  // deliveries in the request, 0 for a sink that gets each by itself
	Place       int           `json:"place,omitempty"`  // of this one among them, from 1
}

// What a record is taken to occupy while it waits to be written: its fields here and what it points to. Traces are not
// looked into.
const (
	callbackCost = 3 << 10
	attemptCost  = 512
)

func (c *Callback) cost() int { return callbackCost + len(c.Body) + len(c.Query) }
func (a *Attempt) cost() int  { return attemptCost + len(a.Reason) + len(a.Answer) }
