package router

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"time"

	"callboard/internal/journal"
	"callboard/internal/queue"
	"callboard/openim"
)

// A Recalled is what a record tells of a trace beside what stands in its columns. Recall reads what Trace.Record has written.
type Recalled struct {
	Why       string
	DecidedBy string
	Message   string   // of a refusal, "" without bodies
	Failed    []string // rules whose condition failed
	Asked     []RecalledVote
	Votes     Votes // of those who voted or were too late, without those that set more fields than are kept
	Notified  []queue.Target
	Fields    []openim.FieldValue // of the reply, as they left; nil without bodies
}

// A RecalledVote is a sink that was asked, and what came of it.
type RecalledVote struct {
	Sink     string
	Done     bool          // whether it voted or failed to in time; else the answer's reason says why there is no vote
	Answer   openim.Answer // without detail
	Cut      bool          // it set more fields than are kept
	Attempts int
	Status   int
	Duration time.Duration // to the microsecond
}

// TooLate reports whether a rule's deadline came before the sink's answer. Others without a vote were not needed any more.
func (v *RecalledVote) TooLate() bool { return !v.Done && v.Answer.Reason == tooLate }

// Recall reads the trace of a record: as the journal has it, as a line of an export does, or decoded from an answer of the API. A
// record without one tells nothing.
func Recall(c *journal.Callback) (*Recalled, error) {
	text, raw := c.Trace.(json.RawMessage)
	r := new(Recalled)
	if c.Trace == nil || raw && len(text) == 0 {
		return r, nil
	}
	var err error
	if !raw {
		text, err = json.Marshal(c.Trace)
	}
	var page recalledPage
	if err == nil {
		err = json.Unmarshal(text, &page)
	}
	if err == nil {
		err = page.tell(r)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the trace of callback %s: %w", c.ID, err)
	}
	return r, nil
}

// A recalledPage is what is read of a tracePage.
type recalledPage struct {
	Why       string
	DecidedBy string `json:"decided_by"`
	Message   string
	Rules     []struct {
		Rule, Error string
		Ballots     []struct {
			Sink    string
			Arrived int
			Late    bool
		}
	}
	Asked []struct {
		Sink, Vote, Reason, Message string
		Code                        int32
		Attempts, Status            int
		MS                          float64
		Set                         json.RawMessage
	}
	Notified []struct {
		Sink, Key string
		Rules     []string
	}
	Fields []struct{ Name string }
	Reply  string
}

func (p *recalledPage) tell(r *Recalled) error {
	r.Why, r.DecidedBy, r.Message, r.Fields = p.Why, p.DecidedBy, p.Message, p.fields()
	for _, rule := range p.Rules {
		if rule.Error != "" {
			r.Failed = append(r.Failed, rule.Rule)
		}
		for _, b := range rule.Ballots {
			r.Votes.Came(rule.Rule, b.Sink, b.Arrived, b.Late)
		}
	}
	for _, a := range p.Asked {
		v := RecalledVote{Sink: a.Sink, Attempts: a.Attempts, Status: a.Status, Cut: string(a.Set) == "null",
			Duration: time.Duration(a.MS * float64(time.Millisecond)).Round(time.Microsecond)}
		v.Answer = openim.Answer{Code: a.Code, Message: a.Message, Reason: a.Reason}
		v.Answer.Vote, v.Done = openim.ParseVote(a.Vote)
		var err error
		if v.Answer.Fields, err = fieldsIn(a.Set); err != nil {
			return err
		}
		r.Asked = append(r.Asked, v)
		if (v.Done || v.TooLate()) && !(v.Cut && v.Answer.Vote == openim.Allow) { // only an allow sets fields
			r.Votes.Answer(v.Sink, v.Answer, false)
		}
	}
	for _, n := range p.Notified {
		r.Notified = append(r.Notified, queue.Target{Sink: n.Sink, Key: n.Key, Rules: n.Rules})
	}
	return nil
}

// fieldsIn returns an object's members, by name.
func fieldsIn(object json.RawMessage) ([]openim.FieldValue, error) {
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
func (p *recalledPage) fields() []openim.FieldValue {
	if len(p.Fields) == 0 {
		return nil
	}
	var reply map[string]json.RawMessage
	if err := json.Unmarshal([]byte(p.Reply), &reply); err != nil {
		return nil // without bodies there is no reply
	}
	var fields []openim.FieldValue
	for _, f := range p.Fields {
		if value, ok := reply[f.Name]; ok {
			fields = append(fields, openim.FieldValue{Name: f.Name, Raw: value})
		}
	}
	return fields
}

// RecordedRequest is a recorded callback as the request that it came as: of the headers, those that are kept.
func RecordedRequest(c *journal.Callback) openim.Request {
	header := http.Header{}
	if c.OperationID != "" {
		header.Set("operationID", c.OperationID)
	}
	if c.Hops > 0 {
		header.Set(hopsHeader, strconv.Itoa(c.Hops))
	}
	return openim.Request{Path: recordedPath(c), RawQuery: c.Query, Header: header, Body: c.Body}
}

// recordedPath is the path that a callback came by. A line that a person has written need have none: source and command make one.
func recordedPath(c *journal.Callback) string {
	if c.Path != "" || c.Command == "" {
		return c.Path
	}
	name := c.Command
	if known, ok := openim.Lookup(name); ok {
		name = known.Name
	}
	return path.Join("/", c.Source, name)
}
