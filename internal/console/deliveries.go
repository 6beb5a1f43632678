package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"callboard/internal/journal"
	"callboard/internal/queue"
)

// A DeliveryPage is one page of deliveries.
type DeliveryPage struct {
	Items []Delivery `json:"items"`
	Next  string     `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one."`
}

// A DeliveryDetail is everything that is known of one delivery.
type DeliveryDetail struct {
	Delivery
	History []journal.Attempt `json:"history" doc:"The attempts that the journal has, in the order of time."`
	Body    json.RawMessage   `json:"body,omitempty" doc:"The callback. Absent once the delivery is done."`
}

// A Selection chooses the deliveries that an action is for.
type Selection struct {
	DeliveryFilter
	All    bool `json:"all,omitempty" doc:"Needed where nothing else is given, so that a mistake does not choose all."`
	DryRun bool `json:"dry_run,omitempty" doc:"Only count."`
}

// A Count tells how many there were.
type Count struct {
	Count  int  `json:"count"`
	DryRun bool `json:"dry_run,omitempty" doc:"Whether nothing was done."`
}

type deliveriesInput struct {
	unhurried
	DeliveryFilter
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Items on a page."`
	Cursor string `query:"cursor" doc:"Next of the page before."`
}

type deliveryInput struct {
	ID string `path:"id" doc:"Callback id, a dot, and the sink's name."`
}

type selectionInput struct {
	unhurried
	Body Selection
}

// An output is the answer of an operation that has nothing but a body.
type output[T any] struct{ Body T }

func (c *console) addDeliveries(api huma.API) {
	huma.Register(api, get("/api/deliveries", "list-deliveries", "List deliveries that are not done, newest first"), c.listDeliveries)
	huma.Register(api, get("/api/deliveries/{id}", "show-delivery", "Show one delivery, its attempts and its body"), c.showDelivery)
	huma.Register(api, post("/api/deliveries/retry", "retry-deliveries", "Make retrying, stuck and dead deliveries due at once"), c.retryDeliveries)
	huma.Register(api, post("/api/deliveries/discard", "discard-deliveries", "Give deliveries up for good"), c.discardDeliveries)
}

func (c *console) listDeliveries(ctx context.Context, in *deliveriesInput) (*output[DeliveryPage], error) {
	if c.Queue == nil {
		return nil, errNoQueue
	}
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	before, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := c.Queue.Deliveries(ctx, f, before, in.Limit+1)
	if err != nil {
		return nil, problem(err)
	}
	page := DeliveryPage{Items: []Delivery{}}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		page.Next = cursorOf(found[in.Limit-1])
	}
	for _, w := range found {
		page.Items = append(page.Items, deliveryOf(w))
	}
	return &output[DeliveryPage]{page}, nil
}

// notWaiting helps whoever asks for a delivery that the queue has not.
const notWaiting = "it was delivered or discarded, or never was; callboard callbacks show CALLBACK tells what the journal has kept"

func (c *console) showDelivery(ctx context.Context, in *deliveryInput) (*output[DeliveryDetail], error) {
	if c.Queue == nil {
		return nil, errNoQueue
	}
	callback, _, _ := strings.Cut(in.ID, ".")
	history, cb, err := c.history(ctx, callback, in.ID)
	if err != nil {
		return nil, err
	}
	detail := DeliveryDetail{History: history}
	found, err := c.Queue.Deliveries(ctx, queue.Filter{IDs: []string{in.ID}}, queue.Ref{}, 1)
	switch {
	case err != nil:
		return nil, problem(err)
	case len(found) > 0:
		detail.Delivery = deliveryOf(found[0])
	default:
		done := deliveryDone(in.ID, cb, history)
		if done == nil {
			return nil, newProblem(http.StatusNotFound, "no delivery "+in.ID+" waits", notWaiting)
		}
		detail.Delivery = *done
	}
	// The event may go between the two calls, or be kept for another sink.
	event, err := c.Queue.Event(ctx, callback)
	switch {
	case err == nil:
		detail.Body = event.Body
	case !errors.Is(err, queue.ErrNotFound):
		return nil, problem(err)
	}
	return &output[DeliveryDetail]{detail}, nil
}

// history is what the journal has on a delivery, where there is a journal that has the callback still.
func (c *console) history(ctx context.Context, callback, delivery string) ([]journal.Attempt, *journal.Callback, error) {
	if c.Journal == nil {
		return []journal.Attempt{}, nil, nil
	}
	cb, attempts, err := c.Journal.Get(ctx, callback)
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		return nil, nil, problem(err)
	}
	own := []journal.Attempt{}
	for _, a := range attempts {
		if a.DeliveryID == delivery {
			own = append(own, a)
		}
	}
	return own, cb, nil
}

// retriable are the states that Queue.Retry does something about.
var retriable = []queue.State{queue.Retrying, queue.Stuck, queue.Dead}

func (c *console) retryDeliveries(ctx context.Context, in *selectionInput) (*output[Count], error) {
	return c.act(ctx, in.Body, "retried", retriable, Queue.Retry)
}

func (c *console) discardDeliveries(ctx context.Context, in *selectionInput) (*output[Count], error) {
	return c.act(ctx, in.Body, "discarded", nil, Queue.Discard)
}

// An action does something to the deliveries that a filter chooses and returns how many there were.
type action func(q Queue, ctx context.Context, f queue.Filter) (int, error)

// act does something to a selection, or counts it. Only deliveries in one of the states are concerned; nil means any.
func (c *console) act(ctx context.Context, s Selection, done string, states []queue.State, do action) (*output[Count], error) {
	if c.Queue == nil {
		return nil, errNoQueue
	}
	if s.IsEmpty() != s.All {
		return nil, newProblem(http.StatusUnprocessableEntity, "body: either choose deliveries or say all", `{"all": true} means every delivery`)
	}
	f, err := s.filter()
	if err != nil {
		return nil, err
	}
	if states != nil {
		if f.States = meet(states, f.States); len(f.States) == 0 {
			return &output[Count]{Count{DryRun: s.DryRun}}, nil
		}
	}
	var n int
	if s.DryRun {
		n, err = c.Queue.Count(ctx, f)
	} else {
		n, err = do(c.Queue, ctx, f)
	}
	if err != nil {
		return nil, problem(err)
	}
	if !s.DryRun {
		c.Log.Info("deliveries changed by hand", "what", done, "n", n, "sink", s.Sink)
	}
	return &output[Count]{Count{Count: n, DryRun: s.DryRun}}, nil
}

// meet returns the states that are in both; chosen empty means all.
func meet(possible, chosen []queue.State) []queue.State {
	if len(chosen) == 0 {
		return possible
	}
	var both []queue.State
	for _, s := range chosen {
		if slices.Contains(possible, s) {
			both = append(both, s)
		}
	}
	return both
}
