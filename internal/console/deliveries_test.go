package console

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/journal"
	"callboard/internal/queue"
)

func TestDeliveriesOnTheWire(t *testing.T) {
	q := &fakeQueue{waiting: []queue.Waiting{waiting(3, "archive", queue.Retrying), waiting(2, "archive", queue.Dead), waiting(1, "stats", queue.WaitingTurn)}}
	code, page := ask[DeliveryPage](t, admin(Options{Queue: q}), "GET", "/api/deliveries", "")
	due := born.Add(time.Hour)
	common := Delivery{Sink: "archive", At: born, Command: "callbackAfterSendGroupMsgCommand", Key: "g1", Rules: []string{"archive-all"},
		OperationID: "op", MessageID: "msg", Status: 503, Reason: "HTTP 503"}
	retrying, dead, turn := common, common, common
	retrying.ID, retrying.CallbackID, retrying.State, retrying.Attempts, retrying.Due = "cb3.archive", "cb3", "retrying", 3, &due
	dead.ID, dead.CallbackID, dead.State, dead.Attempts, dead.Since = "cb2.archive", "cb2", "dead", 2, &due
	turn.ID, turn.CallbackID, turn.State, turn.Attempts, turn.Sink = "cb1.stats", "cb1", "waiting", 1, "stats"
	if diff := cmp.Diff(DeliveryPage{Items: []Delivery{retrying, dead, turn}}, page); code != 200 || diff != "" {
		t.Errorf("GET /api/deliveries = %d (-want +got):\n%s", code, diff)
	}
}

func TestPagesOfDeliveriesHaveEachOnce(t *testing.T) {
	q := &fakeQueue{}
	for n := 7; n > 0; n-- {
		q.waiting = append(q.waiting, waiting(n, "b", queue.Dead), waiting(n, "a", queue.Dead))
	}
	h := admin(Options{Queue: q})
	var got []string
	pages, path := 0, "/api/deliveries?limit=5"
	for cursor := ""; ; pages++ {
		_, page := ask[DeliveryPage](t, h, "GET", path+"&cursor="+cursor, "")
		for _, d := range page.Items {
			got = append(got, d.ID)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if len(got) != 14 || got[0] != "cb7.b" || got[13] != "cb1.a" || pages != 2 {
		t.Errorf("%d pages of %v", pages+1, got)
	}
	seen := map[string]bool{}
	for _, id := range got {
		seen[id] = true
	}
	if len(seen) != 14 {
		t.Errorf("some came twice: %v", got)
	}
}

func TestDeliveryFilters(t *testing.T) {
	want := queue.Filter{
		IDs: []string{"a", "b"}, Sink: "archive", States: []queue.State{queue.Stuck, queue.Dead}, Command: "callbackBeforeSendGroupMsgCommand",
		Rule: "r", Key: "k", OperationID: "o", MessageID: "m", CallbackID: "c", Status: 503, Since: born, Until: born.Add(time.Hour),
	}
	q := &fakeQueue{}
	h := admin(Options{Queue: q})
	request(h, "GET", "/api/deliveries?id=a&id=b&sink=archive&state=stuck&state=dead&command=beforeSendGroupMsg&rule=r&key=k&operation_id=o"+
		"&message_id=m&callback_id=c&status=503&since=2026-03-01T12:00:00Z&until=2026-03-01T14:00:00%2B01:00", "")
	request(h, "POST", "/api/deliveries/retry", `{"ids": ["a", "b"], "sink": "archive", "states": ["stuck", "dead"], "command": "beforeSendGroupMsg", `+
		`"rule": "r", "key": "k", "operation_id": "o", "message_id": "m", "callback_id": "c", "status": 503, `+
		`"since": "2026-03-01T12:00:00Z", "until": "2026-03-01T13:00:00Z"}`)
	if len(q.asked) != 2 {
		t.Fatalf("asked %v", q.asked)
	}
	for i, got := range q.asked {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("filter %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestMoments(t *testing.T) {
	now := born
	for text, want := range map[string]time.Time{
		"2026-01-31T18:30:00+08:00": time.Date(2026, 1, 31, 10, 30, 0, 0, time.UTC),
		"90m":                       now.Add(-90 * time.Minute),
		"1h30m":                     now.Add(-90 * time.Minute),
		"3d":                        now.Add(-72 * time.Hour),
		"0s":                        now,
	} {
		if got, err := ParseMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "now", "-2h", "-1d", "1.5d", "2026-01-31", "99999999999999999d"} {
		if got, err := ParseMoment(text, now); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}

func TestRetryAndDiscard(t *testing.T) {
	all := []queue.Waiting{waiting(5, "a", queue.WaitingTurn), waiting(4, "a", queue.Blocked), waiting(3, "a", queue.Stuck),
		waiting(2, "a", queue.Dead), waiting(1, "b", queue.Retrying)}
	for _, row := range []struct {
		what, path, body string
		did              []string
		count            int
	}{
		{"a dry retry counts what a retry would touch", "retry", `{"all": true, "dry_run": true}`, nil, 3},
		{"a dry retry of a sink", "retry", `{"sink": "a", "dry_run": true}`, nil, 2},
		{"a retry touches what it can", "retry", `{"all": true}`, []string{"retry"}, 3},
		{"a retry of dead ones", "retry", `{"states": ["dead", "waiting"]}`, []string{"retry"}, 1},
		{"a retry of those that wait for their turn is nothing", "retry", `{"states": ["waiting"]}`, nil, 0},
		{"a dry discard counts all", "discard", `{"sink": "a", "dry_run": true}`, nil, 4},
		{"a discard by id", "discard", `{"ids": ["cb5.a"]}`, []string{"discard"}, 1},
	} {
		q := &fakeQueue{waiting: all}
		code, got := ask[Count](t, admin(Options{Queue: q}), "POST", "/api/deliveries/"+row.path, row.body)
		if code != 200 || got.Count != row.count || !cmp.Equal(q.did, row.did) {
			t.Errorf("%s: %d %+v after %v, want %d after %v", row.what, code, got, q.did, row.count, row.did)
		}
	}
}

func TestShowDelivery(t *testing.T) {
	attempts := []journal.Attempt{
		{DeliveryID: "cb1.archive", Sink: "archive", Attempt: 1, Status: 503, State: "retrying"},
		{DeliveryID: "cb1.stats", Sink: "stats", Attempt: 1, Status: 200, State: "done"},
		{DeliveryID: "cb1.archive", Sink: "archive", Attempt: 2, Status: 503, State: "dead"},
	}
	q := &fakeQueue{waiting: []queue.Waiting{waiting(1, "archive", queue.Dead)}}
	j := &fakeJournal{callbacks: []*journal.Callback{recorded(1), recorded(2)}, attempts: attempts}
	h := admin(Options{Queue: q, Journal: j})

	code, d := ask[DeliveryDetail](t, h, "GET", "/api/deliveries/cb1.archive", "")
	if code != 200 || d.State != "dead" || len(d.History) != 2 || d.History[1].Attempt != 2 || string(d.Body) != `{"groupID":"g1"}` {
		t.Errorf("a dead letter: %d %+v", code, d)
	}
	code, d = ask[DeliveryDetail](t, h, "GET", "/api/deliveries/cb1.stats", "")
	if code != 200 || d.State != "done" || d.Status != 200 || d.Sink != "stats" || d.Attempts != 1 {
		t.Errorf("a delivery that is done: %d %+v", code, d)
	}
	for _, id := range []string{"cb2.archive", "cb9.archive", "nonsense"} { // never delivered, unknown, no id
		if code, p := ask[Problem](t, h, "GET", "/api/deliveries/"+id, ""); code != 404 || p.Hint != notWaiting {
			t.Errorf("%s: %d %+v", id, code, p)
		}
	}
	expired := &fakeJournal{attempts: attempts}
	if code, p := ask[Problem](t, admin(Options{Queue: q, Journal: expired}), "GET", "/api/deliveries/cb1.stats", ""); code != 404 || p.Hint != notWaiting {
		t.Errorf("a delivery whose callback has left the journal before its attempts: %d %+v", code, p)
	}
	code, d = ask[DeliveryDetail](t, admin(Options{Queue: q}), "GET", "/api/deliveries/cb1.archive", "")
	if code != 200 || d.State != "dead" || len(d.History) != 0 || d.Body == nil {
		t.Errorf("without a journal: %d %+v", code, d)
	}
}

func TestErrorsOfTheQueueAreProblems(t *testing.T) {
	for err, want := range map[error]int{queue.ErrClosed: 503, queue.ErrFull: 507, errors.New("disk on fire"): 500} {
		h := admin(Options{Queue: &fakeQueue{err: err}})
		for _, op := range []struct{ method, path, body string }{
			{"GET", "/api/deliveries", ""}, {"GET", "/api/deliveries/cb1.a", ""}, {"POST", "/api/deliveries/discard", `{"all": true}`},
		} {
			if code, p := ask[Problem](t, h, op.method, op.path, op.body); code != want || p.Detail != err.Error() {
				t.Errorf("%s %s = %d %+v, want %d", op.method, op.path, code, p, want)
			}
		}
	}
}

// A slowQueue needs longer than the server's time limits, and Huma's.
type slowQueue struct{ fakeQueue }

func (q *slowQueue) Retry(ctx context.Context, _ queue.Filter) (int, error) { return 7, q.wait(ctx) }

func (q *slowQueue) Deliveries(ctx context.Context, _ queue.Filter, _ queue.Ref, _ int) ([]queue.Waiting, error) {
	return nil, q.wait(ctx)
}

func (q *slowQueue) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(5 * time.Minute):
		return nil
	}
}

func TestWhatTakesLongIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, admin(Options{Queue: new(slowQueue)}))
		for _, row := range []struct{ method, path, body, want string }{
			{"POST", "/api/deliveries/retry", `{"all": true}`, `{"count":7}`},
			{"GET", "/api/deliveries", ``, `{"items":[]}`},
		} {
			r, err := http.NewRequest(row.method, "http://admin:80"+row.path, strings.NewReader(row.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			resp, err := c.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || strings.TrimSpace(string(text)) != row.want {
				t.Errorf("%s %s answers %s %s, %v", row.method, row.path, resp.Status, text, err)
			}
		}
	})
}

func TestSinksArePausedAndResumed(t *testing.T) {
	q := &fakeQueue{sinks: []queue.SinkStatus{
		{Name: "archive", State: queue.Open, Why: "10 failures", Since: born, InFlight: 1, Waiting: 2, Retrying: 3, Blocked: 4, Stuck: 5, Dead: 6, Oldest: born},
		{Name: "stats", State: queue.Running},
	}}
	h := admin(Options{Queue: q})
	want := []Sink{
		{Name: "archive", State: "open", Why: "10 failures", Since: &born, InFlight: 1, Waiting: 2, Retrying: 3, Blocked: 4, Stuck: 5, Dead: 6, Oldest: &born},
		{Name: "stats", State: "running"},
	}
	if code, got := ask[SinkList](t, h, "GET", "/api/sinks", ""); code != 200 || !cmp.Equal(got.Items, want) {
		t.Errorf("GET /api/sinks = %d %s", code, cmp.Diff(want, got.Items))
	}
	if code, s := ask[Sink](t, h, "POST", "/api/sinks/archive/pause", `{"why": "moving house"}`); code != 200 || s.State != "paused" || s.Why != "moving house" {
		t.Errorf("pause = %d %+v", code, s)
	}
	if code, s := ask[Sink](t, h, "POST", "/api/sinks/stats/pause", ""); code != 200 || s.Why != byHand {
		t.Errorf("pause without a reason = %d %+v", code, s)
	}
	if code, s := ask[Sink](t, h, "POST", "/api/sinks/archive/resume", ""); code != 200 || s.State != "running" {
		t.Errorf("resume = %d %+v", code, s)
	}
	if code, p := ask[Problem](t, h, "POST", "/api/sinks/archiv/resume", ""); code != 404 || p.Hint != `did you mean "archive"?` {
		t.Errorf("resume of a sink that is none = %d %+v", code, p)
	}
	if want := []string{"pause archive", "pause stats", "resume archive"}; !cmp.Equal(q.did, want) {
		t.Errorf("did %v, want %v", q.did, want)
	}
}

// A gateway whose queue is full still gives verdicts: the balancer must not take it away.
func TestReadyzWithTroubleInTheQueue(t *testing.T) {
	q := &fakeQueue{}
	o := Options{Status: status(serving), Queue: q}
	if code, answer := call(t, o, "GET", "/readyz"); code != 200 || answer["status"] != "ready" || !cmp.Equal(answer["queue"], any(map[string]any{"ok": true})) {
		t.Errorf("healthy: %d %v", code, answer)
	}
	q.healthy = queue.ErrFull
	want := map[string]any{"ok": false, "reason": "the queue is full"}
	if code, answer := call(t, o, "GET", "/readyz"); code != 200 || answer["status"] != "degraded" || !cmp.Equal(answer["queue"], any(want)) {
		t.Errorf("full: %d %v", code, answer)
	}
	o.Draining = func() bool { return true }
	if code, answer := call(t, o, "GET", "/readyz"); code != 503 || answer["status"] != "draining" {
		t.Errorf("full and draining: %d %v", code, answer)
	}
}
