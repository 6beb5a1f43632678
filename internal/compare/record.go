package compare

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"callboard/internal/journal"
	"callboard/openim"
	"callboard/router"
)

// A recordedTrace is what is read of a trace that the journal has: router's Trace.Record writes it.
type recordedTrace struct {
	DecidedBy string `json:"decided_by"`
	Message   string `json:"message"`
	Rules     []struct {
		Rule  string `json:"rule"`
		Error string `json:"error"`
	} `json:"rules"`
	Asked []struct {
		Sink    string          `json:"sink"`
		Vote    string          `json:"vote"`
		Reason  string          `json:"reason"`
		Code    int32           `json:"code"`
		Message string          `json:"message"`
		Set     json.RawMessage `json:"set"`
	} `json:"asked"`
	Notified []struct {
		Sink  string   `json:"sink"`
		Key   string   `json:"key"`
		Rules []string `json:"rules"`
	} `json:"notified"`
	Fields []struct {
		Name string `json:"name"`
	} `json:"fields"`
	Reply string `json:"reply"`
}

// A Recorded is what the journal tells of a callback.
type Recorded struct {
	// Votes are those that sinks cast, or failed to cast in time, by the sinks' names. Sinks whose answer was not waited for
	// have none.
	Votes map[string]openim.Answer
	// Outcome is what came of it then.
	Outcome Outcome
}

var votes = map[string]openim.Vote{"allow": openim.Allow, "refuse": openim.Refuse, "abstain": openim.Abstain, "failed": openim.Failed}

// ReadRecord reads what the journal tells of a callback; its trace is a json.RawMessage, or nothing.
func ReadRecord(c *journal.Callback) (*Recorded, error) {
	var t recordedTrace
	if raw, ok := c.Trace.(json.RawMessage); ok {
		if err := json.Unmarshal(raw, &t); err != nil {
			return nil, fmt.Errorf("reading the trace of callback %s: %w", c.ID, err)
		}
	}
	r := &Recorded{
		Votes: make(map[string]openim.Answer, len(t.Asked)),
		Outcome: Outcome{
			Matched: c.Rules, Refused: c.Verdict == "refuse", Code: c.Code, Message: t.Message, DecidedBy: t.DecidedBy,
			Fields: t.fields(),
		},
	}
	for _, rule := range t.Rules {
		if rule.Error != "" {
			r.Outcome.Failed = append(r.Outcome.Failed, rule.Rule)
		}
	}
	for _, a := range t.Asked {
		r.Outcome.Asked = append(r.Outcome.Asked, Part{Sink: a.Sink})
		vote, cast := votes[a.Vote]
		if !cast && a.Reason != router.TooLate || string(a.Set) == "null" { // null: it set more than is kept
			continue
		}
		fields, err := readFields(a.Set)
		if err != nil {
			return nil, fmt.Errorf("reading the trace of callback %s: %w", c.ID, err)
		}
		r.Votes[a.Sink] = openim.Answer{Vote: vote, Code: a.Code, Message: a.Message, Reason: a.Reason, Fields: fields}
	}
	for _, n := range t.Notified {
		r.Outcome.Notified = append(r.Outcome.Notified, Part{Sink: n.Sink, Key: n.Key, Rules: n.Rules})
	}
	return r, nil
}

// readFields reads an object's members, by name.
func readFields(object json.RawMessage) ([]openim.FieldValue, error) {
	if len(object) == 0 {
		return nil, nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(object, &values); err != nil {
		return nil, err
	}
	var fields []openim.FieldValue
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fields = append(fields, openim.FieldValue{Name: name, Raw: values[name]})
	}
	return fields, nil
}

// fields returns the reply fields that were set, with the values that left.
func (t *recordedTrace) fields() []openim.FieldValue {
	if len(t.Fields) == 0 {
		return nil
	}
	var reply map[string]json.RawMessage
	if err := json.Unmarshal([]byte(t.Reply), &reply); err != nil {
		return nil // without bodies there is no reply, but then there is nothing to compare it with either
	}
	var fields []openim.FieldValue
	for _, f := range t.Fields {
		if value, ok := reply[f.Name]; ok {
			fields = append(fields, openim.FieldValue{Name: f.Name, Raw: value})
		}
	}
	return fields
}
