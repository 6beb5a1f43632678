package console

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"callboard/internal/journal"
	"callboard/internal/queue"
)

// A fakeQueue has deliveries and remembers what it was told. Its filters know only ids, sink and states.
type fakeQueue struct {
	waiting []queue.Waiting // newest first
	sinks   []queue.SinkStatus
	asked   []queue.Filter // of all calls that take one
	did     []string
	err     error // of everything
	healthy error
}

func (q *fakeQueue) chosen(f queue.Filter) []queue.Waiting {
	q.asked = append(q.asked, f)
	return slices.DeleteFunc(slices.Clone(q.waiting), func(w queue.Waiting) bool {
		return len(f.IDs) > 0 && !slices.Contains(f.IDs, queue.DeliveryID(w.Event.ID, w.Sink)) ||
			f.Sink != "" && f.Sink != w.Sink || len(f.States) > 0 && !slices.Contains(f.States, w.State)
	})
}

func (q *fakeQueue) Sinks() []queue.SinkStatus { return q.sinks }

func (q *fakeQueue) Deliveries(_ context.Context, f queue.Filter, before queue.Ref, n int) ([]queue.Waiting, error) {
	found := slices.DeleteFunc(q.chosen(f), func(w queue.Waiting) bool {
		return before.Seq != 0 && (w.Seq > before.Seq || w.Seq == before.Seq && w.Sink >= before.Sink)
	})
	return found[:min(n, len(found))], q.err
}

func (q *fakeQueue) Count(_ context.Context, f queue.Filter) (int, error) {
	return len(q.chosen(f)), q.err
}

func (q *fakeQueue) Event(_ context.Context, id string) (*queue.Event, error) {
	for _, w := range q.waiting {
		if w.Event.ID == id {
			e := *w.Event
			e.Body = []byte(`{"groupID": "g1"}`)
			return &e, nil
		}
	}
	return nil, queue.ErrNotFound
}

func (q *fakeQueue) Retry(_ context.Context, f queue.Filter) (int, error) {
	q.did = append(q.did, "retry")
	return len(q.chosen(f)), q.err
}

func (q *fakeQueue) Discard(_ context.Context, f queue.Filter) (int, error) {
	q.did = append(q.did, "discard")
	return len(q.chosen(f)), q.err
}

func (q *fakeQueue) Pause(_ context.Context, sink, why string) error {
	q.did = append(q.did, "pause "+sink)
	for i := range q.sinks {
		if q.sinks[i].Name == sink {
			q.sinks[i].State, q.sinks[i].Why, q.sinks[i].Since = queue.Paused, why, born
		}
	}
	return q.err
}

func (q *fakeQueue) Resume(_ context.Context, sink string) error {
	q.did = append(q.did, "resume "+sink)
	for i := range q.sinks {
		if q.sinks[i].Name == sink {
			q.sinks[i] = queue.SinkStatus{Name: sink, State: queue.Running}
		}
	}
	return q.err
}

func (q *fakeQueue) Healthy() error { return q.healthy }

// A fakeJournal has callbacks, oldest first. Its filters know only group and times.
type fakeJournal struct {
	callbacks []*journal.Callback
	attempts  []journal.Attempt
	asked     []journal.Filter
	err       error                                   // of Find, at the end
	follow    chan *journal.Callback                  // what Follow gives; nil waits for ctx
	missed    int                                     // told with each of them
	onYield   func(ctx context.Context, found string) // before each yield of Find
}

func (j *fakeJournal) Find(ctx context.Context, f journal.Filter, oldestFirst bool, yield func(*journal.Callback) bool) error {
	j.asked = append(j.asked, f)
	found := slices.Clone(j.callbacks)
	if !oldestFirst {
		slices.Reverse(found)
	}
	for _, cb := range found {
		if f.GroupID != "" && f.GroupID != cb.GroupID || cb.At.Before(f.Since) || !f.Until.IsZero() && !cb.At.Before(f.Until) {
			continue
		}
		if j.onYield != nil {
			j.onYield(ctx, cb.ID)
		}
		if !yield(cb) {
			return nil
		}
	}
	return j.err
}

func (j *fakeJournal) Get(_ context.Context, id string) (*journal.Callback, []journal.Attempt, error) {
	for _, cb := range j.callbacks {
		if cb.ID == id {
			return cb, j.attempts, nil
		}
	}
	return nil, j.attempts, journal.ErrNotFound // as the journal does, which forgets a callback before its attempts
}

func (j *fakeJournal) Follow(ctx context.Context, f journal.Filter, yield func(*journal.Callback, int) bool) error {
	j.asked = append(j.asked, f)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case cb := <-j.follow:
			if !yield(cb, j.missed) {
				return nil
			}
		}
	}
}

// born is when the tests' callbacks came.
var born = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// waiting makes a delivery of the callback with this number.
func waiting(n int, sink string, state queue.State) queue.Waiting {
	id := "cb" + string(rune('0'+n))
	return queue.Waiting{
		Row: queue.Row{Ref: queue.Ref{Sink: sink, Seq: uint64(n)}, State: state, Due: born.Add(time.Hour), Attempts: n, Status: 503, Reason: "HTTP 503"},
		Event: &queue.Event{Seq: uint64(n), ID: id, At: born, Command: "callbackAfterSendGroupMsgCommand", OperationID: "op", MessageID: "msg",
			Targets: []queue.Target{{Sink: "other"}, {Sink: sink, Key: "g1", Rules: []string{"archive-all"}}}},
	}
}

// recorded makes the record of the callback with this number, a minute after the one before.
func recorded(n int) *journal.Callback {
	return &journal.Callback{
		ID: "cb" + string(rune('0'+n)), At: born.Add(time.Duration(n) * time.Minute), Command: "callbackAfterSendGroupMsgCommand", Verdict: "allow",
		GroupID: "g1", Trace: json.RawMessage(`{"why":"no rule"}`), Body: []byte(`{"groupID": "<g1>", "n": 12345678901234567890}`),
	}
}

// ask makes one request and decodes its answer into a new T.
func ask[T any](t *testing.T, h http.Handler, method, path, body string) (int, T) {
	t.Helper()
	w := request(h, method, path, body)
	var answer T
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Errorf("%s %s %s answers %d %q: %v", method, path, body, w.Code, w.Body, err)
	}
	return w.Code, answer
}

// request makes one request. A body is JSON, or JSON Lines where it has several.
func request(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	return serve(h, newRequest(method, path, body))
}

func newRequest(method, path, body string) *http.Request {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, path, reader)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if strings.Contains(body, "\n") {
		r.Header.Set("Content-Type", "application/x-ndjson")
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// admin makes the handler.
func admin(o Options) http.Handler {
	o.Status = status(serving)
	return New(o)
}

// countReplays is a Replayer that notifies archive.
func countReplays(n *int) Replayer {
	return func(context.Context, *journal.Callback, []string, bool) ([]string, error) {
		*n++
		return []string{"archive"}, nil
	}
}
