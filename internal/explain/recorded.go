package explain

import (
	"encoding/json"
	"slices"

	"callboard/internal/journal"
	"callboard/openim"
	"callboard/router"
)

// recall takes from a record what the request does not say.
func (c *Case) recall(cb *journal.Callback, request *openim.Request, req Request) error {
	then := router.RecordedRequest(cb)
	if req.Now.IsZero() && !cb.At.IsZero() {
		c.Now = cb.At
	}
	if req.Query == "" {
		request.RawQuery = cb.Query
	}
	if req.Source == "" && req.Command == "" {
		request.Path = then.Path
	}
	request.Header = then.Header
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

// recallTrace answers for the sinks that voted. One that was not waited for abstains: for the rules that served then, any vote is as
// good, and none would have come before those that decided.
func (c *Case) recallTrace(cb *journal.Callback) error {
	c.Recorded = &Recorded{ID: cb.ID, At: cb.At, Verdict: cb.Verdict, Code: cb.Code, Revision: cb.Revision, Rules: cb.Rules}
	t, err := router.Recall(cb)
	if err != nil {
		return &Mistake{"id", err, ""}
	}
	c.Recorded.Why = t.Why
	c.came = t.Votes
	for i := range t.Asked {
		a := &t.Asked[i]
		if a.Done || a.TooLate() {
			c.Answers[a.Sink] = Answer{a.Answer, FromJournal}
		} else {
			c.Answers[a.Sink] = Answer{openim.Answer{Vote: openim.Abstain, Reason: "it was not waited for"}, Assumed}
		}
	}
	return nil
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
