package journal

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Filter chooses callbacks. The zero value chooses all; fields are joined by and.
type Filter struct {
	ID           string
	OperationID  string
	MessageID    string
	GroupID      string
	SenderID     string
	Command      string // wire name
	Rule         string
	Sink         string    // asked or notified
	Verdict      string    // allow, refuse, or trouble
	Unmatched    bool      // no rule matched
	Since, Until time.Time // from, and before; zero means no bound
}

const verdictTrouble = "trouble"

// A condition is that a field, or one of a repeated field, has a value.
type condition struct {
	fields [2]protowire.Number // any of them; 0 is none
	value  string
	any    bool // whatever the value
}

// A query is a Filter made ready.
type query struct {
	since, until int64 // milliseconds, until excluded
	conditions   []condition
	unmatched    bool
	terms        []term
}

func (f Filter) query() query {
	q := query{since: math.MinInt64, until: math.MaxInt64, unmatched: f.Unmatched}
	if !f.Since.IsZero() {
		q.since = ceilMilli(f.Since)
	}
	if !f.Until.IsZero() {
		q.until = ceilMilli(f.Until)
	}
	want := func(value string, fields ...protowire.Number) {
		if value == "" {
			return
		}
		c := condition{value: value}
		copy(c.fields[:], fields)
		q.conditions = append(q.conditions, c)
		q.terms = append(q.terms, hashTerm(fields[0], value))
	}
	want(f.ID, cID)
	want(f.OperationID, cOperation)
	want(f.MessageID, cMessage)
	want(f.GroupID, cGroup)
	want(f.SenderID, cSender)
	want(f.Command, cCommand)
	want(f.Rule, cRules)
	want(f.Sink, cAsked, cNotified)
	if f.Verdict == verdictTrouble {
		q.conditions = append(q.conditions, condition{fields: [2]protowire.Number{cTrouble}, any: true})
		q.terms = append(q.terms, hashTerm(cVerdict, verdictTrouble))
	} else {
		want(f.Verdict, cVerdict)
	}
	if f.Unmatched {
		q.terms = append(q.terms, hashTerm(termUnmatched, "unmatched"))
	}
	return q
}

// ceilMilli rounds up: records are kept in whole milliseconds.
func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}

// look reads what it needs of an encoded callback, and reports whether it is one of those asked for. The hit is valid as long
// as the record.
func (q *query) look(record []byte) (h hit, ok bool, err error) {
	met, matched := uint(0), false
	var id []byte
	err = eachField(record, func(field protowire.Number, n int64, v []byte) bool {
		switch field {
		case cID:
			id = v
		case cAt:
			h.at = n
		case cRules:
			matched = true
		}
		for i := range q.conditions {
			c := &q.conditions[i]
			if (field == c.fields[0] || field == c.fields[1]) && (c.any || string(v) == c.value) {
				met |= 1 << i
			}
		}
		return true
	})
	all := uint(1)<<len(q.conditions) - 1
	if err != nil || met != all || h.at < q.since || h.at >= q.until || q.unmatched && matched {
		return hit{}, false, err
	}
	h.id, h.record = string(id), record
	return h, true, nil
}

// hasID reports whether a field of an encoded record is the id.
func hasID(record []byte, field protowire.Number, id string) (found bool) {
	_ = eachField(record, func(f protowire.Number, _ int64, v []byte) bool { // what cannot be read has no id
		found = f == field && string(v) == id
		return !found
	})
	return found
}
