package compare

import (
	"callboard/internal/journal"
	"callboard/openim"
	"callboard/router"
)

// A Recorded is what the journal tells of a callback.
type Recorded struct {
	// Votes are those that sinks cast, or failed to cast in time, by the sinks' names. Sinks whose answer was not waited for
	// have none, nor those that set more fields than are kept.
	Votes map[string]openim.Answer
	// Outcome is what came of it then.
	Outcome Outcome
}

// ReadRecord reads what the journal tells of a callback.
func ReadRecord(c *journal.Callback) (*Recorded, error) {
	t, err := router.Recall(c)
	if err != nil {
		return nil, err
	}
	r := &Recorded{
		Votes: make(map[string]openim.Answer, len(t.Asked)),
		Outcome: Outcome{
			Matched: c.Rules, Failed: t.Failed, Refused: c.Verdict == "refuse", Code: c.Code, Message: t.Message, DecidedBy: t.DecidedBy,
			Fields: t.Fields,
		},
	}
	for i := range t.Asked {
		a := &t.Asked[i]
		r.Outcome.Asked = append(r.Outcome.Asked, Part{Sink: a.Sink})
		if (a.Done || a.TooLate()) && !a.Cut {
			r.Votes[a.Sink] = a.Answer
		}
	}
	for _, n := range t.Notified {
		r.Outcome.Notified = append(r.Outcome.Notified, Part{Sink: n.Sink, Key: n.Key, Rules: n.Rules})
	}
	return r, nil
}
