package compare

import (
	"callboard/internal/journal"
	"callboard/router"
)

// A Recorded is what the journal tells of a callback.
type Recorded struct {
	// Votes are those that sinks cast, or failed to cast in time. Sinks whose answer was not waited for have none, nor those
	// that set more fields than are kept.
	Votes router.Votes
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
		Votes: t.Votes,
		Outcome: Outcome{
			Matched: c.Rules, Failed: t.Failed, Refused: c.Verdict == "refuse", Code: c.Code, Message: t.Message, DecidedBy: t.DecidedBy,
			Fields: t.Fields,
		},
	}
	for i := range t.Asked {
		r.Outcome.Asked = append(r.Outcome.Asked, Part{Sink: t.Asked[i].Sink})
	}
	for _, n := range t.Notified {
		r.Outcome.Notified = append(r.Outcome.Notified, Part{Sink: n.Sink, Key: n.Key, Rules: n.Rules})
	}
	return r, nil
}
