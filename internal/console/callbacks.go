package console

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"callboard/internal/journal"
)

// A CallbackMatch chooses recorded callbacks by what they are. Fields are joined by and.
type CallbackMatch struct {
	ID          string `json:"id,omitempty" query:"id" doc:"Callback id."`
	OperationID string `json:"operation_id,omitempty" query:"operation_id"`
	MessageID   string `json:"message_id,omitempty" query:"message_id" doc:"serverMsgID."`
	GroupID     string `json:"group_id,omitempty" query:"group_id"`
	SenderID    string `json:"sender_id,omitempty" query:"sender_id"`
	Command     string `json:"command,omitempty" query:"command" doc:"In any of its spellings."`
	Rule        string `json:"rule,omitempty" query:"rule" doc:"One that matched."`
	Sink        string `json:"sink,omitempty" query:"sink" doc:"One that was asked or notified."`
	Verdict     string `json:"verdict,omitempty" query:"verdict" enum:"allow,refuse,trouble"`
	Unmatched   bool   `json:"unmatched,omitempty" query:"unmatched" doc:"Only those that no rule matched."`
}

// A CallbackFilter chooses recorded callbacks by what they are and when they came.
type CallbackFilter struct {
	CallbackMatch
	Window
}

// IsEmpty reports whether it would choose all.
func (f CallbackFilter) IsEmpty() bool { return f == CallbackFilter{} }

// filter is the journal's own, without times.
func (m CallbackMatch) filter() journal.Filter {
	return journal.Filter{
		ID: m.ID, OperationID: m.OperationID, MessageID: m.MessageID, GroupID: m.GroupID, SenderID: m.SenderID, Command: wireName(m.Command),
		Rule: m.Rule, Sink: m.Sink, Verdict: m.Verdict, Unmatched: m.Unmatched,
	}
}

// filter is the journal's own.
func (f CallbackFilter) filter() (jf journal.Filter, err error) {
	jf = f.CallbackMatch.filter()
	jf.Since, jf.Until, err = f.times()
	return jf, err
}

// A CallbackPage is one page of recorded callbacks, without traces and bodies.
type CallbackPage struct {
	Items []journal.Callback `json:"items"`
	Next  string             `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one."`
}

// A CallbackDetail is everything that is known of one callback.
type CallbackDetail struct {
	journal.Export
	Attempts []journal.Attempt `json:"attempts" doc:"At its deliveries, in the order of time."`
}

type callbacksInput struct {
	unhurried
	CallbackFilter
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Items on a page."`
	Cursor string `query:"cursor" doc:"Next of the page before."`
}

type callbackInput struct {
	ID string `path:"id"`
}

func (c *console) addCallbacks(api huma.API) {
	huma.Register(api, get("/api/callbacks", "list-callbacks", "List recorded callbacks, newest first"), c.listCallbacks)
	huma.Register(api, get("/api/callbacks/{id}", "show-callback", "Show one recorded callback with its trace, attempts and body"), c.showCallback)
}

// listCallbacks reads one more than it returns, to know whether there is a next page.
func (c *console) listCallbacks(ctx context.Context, in *callbacksInput) (*output[CallbackPage], error) {
	if c.Journal == nil {
		return nil, errNoJournal
	}
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	place, err := parsePlace(in.Cursor)
	if err != nil {
		return nil, err
	}
	if upTo := place.at.Add(time.Millisecond); place.id != "" && (f.Until.IsZero() || upTo.Before(f.Until)) {
		f.Until = upTo
	}
	page := CallbackPage{Items: []journal.Callback{}}
	err = c.Journal.Find(ctx, f, false, func(cb *journal.Callback) bool {
		if !place.isBefore(cb) {
			return true
		}
		if len(page.Items) == in.Limit {
			page.Next = placeOf(&page.Items[in.Limit-1])
			return false
		}
		page.Items = append(page.Items, brief(cb))
		return true
	})
	if err != nil {
		return nil, problem(err)
	}
	return &output[CallbackPage]{page}, nil
}

func (c *console) showCallback(ctx context.Context, in *callbackInput) (*output[CallbackDetail], error) {
	cb, attempts, err := c.recorded(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &output[CallbackDetail]{CallbackDetail{Export: exportOf(cb), Attempts: append([]journal.Attempt{}, attempts...)}}, nil
}

// exportOf is a callback as the lines of export have it.
func exportOf(cb *journal.Callback) journal.Export {
	e := journal.Export{Callback: *cb}
	e.Body, e.BodyBase64 = splitBody(cb.Body)
	return e
}

// brief is a callback without what makes it long.
func brief(cb *journal.Callback) journal.Callback {
	short := *cb
	short.Trace, short.Body = nil, nil
	return short
}

// A place is where a page of callbacks ended: the journal has them by time, then by id.
type place struct {
	at time.Time
	id string
}

// isBefore reports whether a callback comes after the place, newest first. All come after the zero place.
func (p place) isBefore(cb *journal.Callback) bool {
	return p.id == "" || cb.At.Before(p.at) || cb.At.Equal(p.at) && cb.ID < p.id
}

// placeOf writes it as a cursor: nanoseconds since 1970, a dot, and the id.
func placeOf(cb *journal.Callback) string {
	return strconv.FormatInt(cb.At.UnixNano(), 10) + "." + cb.ID
}

// parsePlace reads one. "" is the first page.
func parsePlace(text string) (place, error) {
	if text == "" {
		return place{}, nil
	}
	ns, id, ok := strings.Cut(text, ".")
	at, err := strconv.ParseInt(ns, 10, 64)
	if !ok || err != nil || id == "" {
		return place{}, unprocessable("query.cursor", text, errors.New("no cursor"), "give the next of the page before")
	}
	return place{time.Unix(0, at), id}, nil
}
