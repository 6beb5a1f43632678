package sinks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// A result is what an answer to a batch says of one delivery:
//
//	{"results": [{"id": "01k9….archive", "status": 200}, {"id": "01k9….archive", "status": 503, "reason": "busy"}]}
//
// Either all have the ids of deliveries, or none has one and they stand in the order of the batch, one for each.
type result struct {
	ID     string `json:"id"`
	Status int    `json:"status"` // as if it had answered a lone delivery
	raw    []byte
}

// UnmarshalJSON keeps the text beside what is read of it.
func (r *result) UnmarshalJSON(text []byte) error {
	type plain result
	if err := json.Unmarshal(text, (*plain)(r)); err != nil {
		return err
	}
	r.raw = bytes.Clone(text)
	return nil
}

// batchOutcome reads how a sink took a batch. Its error is what kept an answer from being read whose results would have decided.
func (s *Sink) batchOutcome(resp *http.Response, ds []Delivery) (whole Outcome, each []Outcome, err error) {
	defer resp.Body.Close()
	whole = s.ofStatus(resp.StatusCode)
	wait, _ := parseRetryAfter(resp.Header.Get("Retry-After"))
	defer func() {
		if !whole.Delivered {
			whole.RetryAfter = wait
		}
		for i := range each {
			if !each[i].Delivered {
				each[i].RetryAfter = wait
			}
		}
	}()
	if whole.Status == http.StatusSwitchingProtocols { // see Sink.read
		return whole, nil, nil
	}
	r := answerReaders.Get().(*answerReader)
	defer r.recycle()
	if !whole.Delivered {
		r.skim(resp)
		whole.Answer = beginning(r.buffer.Bytes())
		return whole, nil, nil
	}
	err = r.read(resp, s.options.MaxAnswer)
	if errors.Is(err, errTooLarge) {
		if r.buffer.Len() == 0 { // its length was enough to know
			r.skim(resp)
		}
		if !mayHaveResults(r.buffer.Bytes()) && !s.wantsResults(whole.Status) {
			err = nil
		}
	}
	answer := r.buffer.Bytes()
	whole.Answer = beginning(answer)
	if err != nil {
		return whole, nil, err
	}
	results, reason := resultsOf(answer)
	switch {
	case reason != "":
	case results != nil:
		if each, reason = s.settle(whole.Status, results, ds); each != nil {
			return whole, each, nil
		}
	case s.wantsResults(whole.Status):
		reason = fmt.Sprintf("answered HTTP %d without results", whole.Status)
	}
	if reason != "" {
		whole.Delivered, whole.Retry, whole.Reason = false, true, reason
	}
	return whole, nil, nil
}

// wantsResults says whether a delivery that no result speaks of is not done, in spite of a 2xx: 207 says that there is more to say.
func (s *Sink) wantsResults(status int) bool {
	return s.options.NeedsReply || status == http.StatusMultiStatus
}

// mayHaveResults is quick to say that an answer is about other things.
func mayHaveResults(answer []byte) bool { return bytes.Contains(answer, []byte(`"results"`)) }

// resultsOf reads the results in an answer, nil where it has none. reason says why there are some that cannot be read.
func resultsOf(answer []byte) (results []result, reason string) {
	if !mayHaveResults(answer) {
		return nil, ""
	}
	var top struct {
		Results json.RawMessage `json:"results"`
	}
	if json.Unmarshal(answer, &top) != nil {
		return nil, "the answer has results but is not JSON"
	}
	if len(top.Results) == 0 {
		return nil, "" // they are deeper inside, and others'
	}
	if json.Unmarshal(top.Results, &results) != nil || results == nil {
		return nil, "the answer's results are no list of objects with id and status"
	}
	return results, ""
}

// settle gives each delivery its result, or says why that cannot be done.
func (s *Sink) settle(status int, results []result, ds []Delivery) (each []Outcome, reason string) {
	named := map[string]*result{}
	for i := range results {
		if r := &results[i]; r.ID != "" {
			named[r.ID] = r
		}
	}
	if len(named) == 0 && len(results) > 0 && len(results) != len(ds) {
		return nil, fmt.Sprintf("%d results without ids, for a batch of %d", len(results), len(ds))
	}
	each = make([]Outcome, len(ds))
	for i := range ds {
		r := named[ds[i].ID]
		if len(named) == 0 && len(results) > 0 {
			r = &results[i]
		}
		o := &each[i]
		switch {
		case r != nil:
			*o = resultOutcome(r)
		case s.wantsResults(status):
			*o = Outcome{Status: status, Retry: true, Reason: "the answer's results do not name it"}
		default:
			*o = Outcome{Status: status, Delivered: true}
		}
	}
	return each, ""
}

// resultOutcome is what a result says. A 410 in it is about one delivery, and does not end all others.
func resultOutcome(r *result) Outcome {
	o := Outcome{Status: r.Status, Delivered: r.Status/100 == 2, Answer: beginning(r.raw)}
	switch {
	case o.Delivered:
	case r.Status < 100 || r.Status > 999:
		o.Status, o.Retry, o.Reason = 0, true, "its result has no HTTP status"
	default:
		o.Retry = r.Status/100 != 4 || worthRetrying(r.Status)
		o.Reason = fmt.Sprintf("its result is HTTP %d", r.Status)
	}
	return o
}
