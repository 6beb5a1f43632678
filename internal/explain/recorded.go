package explain

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"

	"callboard/internal/journal"
	"callboard/openim"
)

// recall takes from a record what the request does not say.
func (c *Case) recall(cb *journal.Callback, request *openim.Request, req Request) error {
	if req.Now.IsZero() && !cb.At.IsZero() {
		c.Now = cb.At
	}
	if req.Query == "" {
		request.RawQuery = cb.Query
	}
	if req.Source == "" && req.Command == "" {
		request.Path = RecordedPath(cb)
	}
	if cb.OperationID != "" {
		request.Header.Set("operationID", cb.OperationID)
	}
	if len(req.Headers) == 0 {
		c.Unknown = append(c.Unknown, "headers") // the journal does not keep them
	}
	switch {
	case request.Body != nil:
	case cb.Body != nil:
		request.Body = cb.Body
	default:
		request.Body = whatIsLeft(cb)
	}
	return c.recallTrace(cb)
}

// RecordedPath is the path that a callback came by. A line that a person has written need have none: source and command make one.
func RecordedPath(cb *journal.Callback) string {
	if cb.Path != "" || cb.Command == "" {
		return cb.Path
	}
	name := cb.Command
	if known, ok := openim.Lookup(name); ok {
		name = known.Name
	}
	return path.Join("/", cb.Source, name)
}

// A trace is what the journal tells of the votes.
type trace struct {
	Why   string `json:"why"`
	Asked []struct {
		Sink    string `json:"sink"`
		Vote    string `json:"vote"`
		Code    int32  `json:"code"`
		Message string `json:"message"`
		Reason  string `json:"reason"`
	} `json:"asked"`
	Rules []Count `json:"rules"`
}

// recallTrace answers for the sinks that voted. One that was not waited for abstains: for the rules that served then, any vote is as
// good, and none would have come before those that decided.
func (c *Case) recallTrace(cb *journal.Callback) error {
	c.Recorded = &Recorded{ID: cb.ID, At: cb.At, Verdict: cb.Verdict, Code: cb.Code, Revision: cb.Revision, Rules: cb.Rules}
	if cb.Trace == nil {
		return nil
	}
	text, err := json.Marshal(cb.Trace) // raw, or decoded from an answer of the API
	var t trace
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		return &Mistake{"id", fmt.Errorf("reading the trace of %s: %w", cb.ID, err), ""}
	}
	c.Recorded.Why = t.Why
	late := lateIn(t.Rules)
	for _, a := range t.Asked {
		vote, voted := votes[a.Vote]
		switch {
		case voted:
			c.Answers[a.Sink] = Answer{openim.Answer{Vote: vote, Code: a.Code, Message: a.Message, Reason: a.Reason}, FromJournal}
		case slices.Contains(late, a.Sink):
			c.Answers[a.Sink] = Answer{openim.Answer{Vote: openim.Failed, Reason: a.Reason}, FromJournal}
		default:
			c.Answers[a.Sink] = Answer{openim.Answer{Vote: openim.Abstain, Reason: "it was not waited for"}, Assumed}
		}
	}
	return nil
}

// lateIn names the sinks that a deadline came before.
func lateIn(counts []Count) []string {
	var late []string
	for _, c := range counts {
		for _, b := range c.Ballots {
			if b.Late {
				late = append(late, b.Sink)
			}
		}
	}
	return late
}

// kept are the fields that a record has without the body.
var kept = []string{"groupID", "serverMsgID", "operationID"}

// whatIsLeft is a body of what a record has without it.
func whatIsLeft(cb *journal.Callback) []byte {
	body := map[string]string{"callbackCommand": cb.Command}
	for i, v := range []string{cb.GroupID, cb.MessageID, cb.OperationID} {
		if v != "" {
			body[kept[i]] = v
		}
	}
	text, _ := json.Marshal(body) // a map of strings always can
	return text
}

// forgetBody makes unknown what only the body tells.
func (c *Case) forgetBody() {
	commands := openim.Commands()
	if c.Callback.Command != nil {
		commands = []*openim.Command{c.Callback.Command}
	}
	for _, command := range commands {
		for _, f := range command.Request {
			if !slices.Contains(kept, f.Name) && !slices.Contains(c.Unknown, f.Name) {
				c.Unknown = append(c.Unknown, f.Name)
			}
		}
	}
	c.Unknown = append(c.Unknown, "text", "data", "raw")
}
