package router

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/queue"
	"callboard/openim"
)

// A fakeQueue takes events after a while, or says why not.
type fakeQueue struct {
	after time.Duration
	err   error
	got   []*queue.Event
}

func (q *fakeQueue) Submit(e *queue.Event) func(context.Context) error {
	q.got = append(q.got, e)
	begun := time.Now()
	return func(ctx context.Context) error {
		select {
		case <-time.After(q.after - time.Since(begun)):
			return q.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

const notifying = `rules:
  - {name: audit, callbacks: [beforeSendGroupMsg, afterSendGroupMsg], notify: [archive, search], priority: 2}
  - {name: more, callbacks: [beforeSendGroupMsg], notify: [archive], priority: 1}
`

func quietSinks(names ...string) map[string]*scripted {
	askers := map[string]*scripted{}
	for _, name := range names {
		askers[name] = says(openim.Allow, 0)
	}
	return askers
}

func TestNotificationsOfAllRulesAreOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{}
		g := newGateway(t, Options{Queue: q}, notifying, quietSinks("archive", "search"))
		g.post("beforeSendGroupMsg", map[string]any{"serverMsgID": "m1", "operationID": "op1"})
		if len(q.got) != 1 {
			t.Fatalf("%d events, want 1", len(q.got))
		}
		e, tr := q.got[0], g.last()
		want := []queue.Target{{Sink: "archive", Rules: []string{"audit", "more"}}, {Sink: "search", Rules: []string{"audit"}}}
		if diff := cmp.Diff(want, e.Targets); diff != "" {
			t.Error(diff)
		}
		if e.ID != tr.ID || e.Command != "callbackBeforeSendGroupMsgCommand" || e.Source != "im" || e.OperationID != "op1" || e.Hops != 1 || !isTraceParent(e.TraceParent) {
			t.Errorf("event %+v", e)
		}
		if !tr.Queued || tr.Trouble != "" || len(tr.Notified) != 2 {
			t.Errorf("trace %+v", tr)
		}
		if !strings.Contains(g.log.String(), `notified="archive search"`) {
			t.Errorf("log %s", g.log.String())
		}
	})
}

func TestTheAnswerWaitsForTheDiskWhileSinksAreAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{after: 300 * time.Millisecond}
		g := newGateway(t, Options{Queue: q}, `rules:
  - {name: both, callbacks: [beforeSendGroupMsg], await: {sinks: [mod]}, notify: [archive]}
`, map[string]*scripted{"mod": says(openim.Allow, 200*time.Millisecond), "archive": says(openim.Allow, 0)})
		g.post("beforeSendGroupMsg", nil)
		if d := g.last().Duration; d != 300*time.Millisecond {
			t.Errorf("answered after %v, want 300ms: the disk and the sink side by side", d)
		}
	})
}

func TestWhatCannotBeKeptIsTrouble(t *testing.T) {
	disk := errors.New("disk on fire")
	const refusing = "\n  - {name: no, callbacks: [beforeSendGroupMsg], reply: {refuse: {code: 20403, message: no}}}\n"
	for _, c := range []struct {
		name, rules string
		queue       Queue
		refuse      bool
		code        int
		kind        string
	}{
		{"allowed when trouble allows", notifying, &fakeQueue{err: disk}, false, 0, "queue_failed"},
		{"refused when trouble refuses", notifying, &fakeQueue{err: disk}, true, CodeTrouble, "queue_failed"},
		{"a full queue says so", notifying, &fakeQueue{err: queue.ErrFull}, true, CodeTrouble, "queue_full"},
		{"a slow disk ends with the budget", notifying, &fakeQueue{after: time.Hour}, true, CodeTrouble, "queue_failed"},
		{"no queue at all", notifying, nil, true, CodeTrouble, "queue_failed"},
		{"a rule's refusal stands", notifying + refusing, &fakeQueue{err: disk}, true, 20403, "queue_failed"},
		{"a rule's refusal stands when trouble allows", notifying + refusing, &fakeQueue{err: disk}, false, 20403, "queue_failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, Options{Queue: c.queue, RefuseOnTrouble: c.refuse}, c.rules, quietSinks("archive", "search"))
				if got := code(g.post("beforeSendGroupMsg", nil)); got != c.code {
					t.Errorf("code %d, want %d", got, c.code)
				}
				tr := g.last()
				if tr.Trouble != c.kind || tr.Queued || tr.Duration > 4*time.Second {
					t.Errorf("trouble %q, queued %v, after %v", tr.Trouble, tr.Queued, tr.Duration)
				}
			})
		})
	}
}

func TestAnAfterCallbackThatCannotBeKeptIsReportedHonestly(t *testing.T) {
	g := newGateway(t, Options{Queue: &fakeQueue{err: queue.ErrFull}, RefuseOnTrouble: true}, notifying, quietSinks("archive", "search"))
	reply := g.post("afterSendGroupMsg", nil)
	if reply["actionCode"] != 1.0 || reply["nextCode"] != 0.0 {
		t.Errorf("reply %v, want actionCode 1, nextCode 0", reply)
	}
}

func TestACallbackThatHasPassedTooManyGatewaysGoesNowhere(t *testing.T) {
	for hops, want := range map[string]string{"": "", "0": "", "3": "", "4": "loop", "77": "loop", "-1": "", "many": ""} {
		q := &fakeQueue{}
		mod := says(openim.Allow, 0)
		g := newGateway(t, Options{Queue: q}, `rules:
  - {name: both, callbacks: [beforeSendGroupMsg], await: {sinks: [mod]}, notify: [archive]}
`, map[string]*scripted{"mod": mod, "archive": says(openim.Allow, 0)})
		c, _ := openim.Lookup("beforeSendGroupMsg")
		r := httptest.NewRequest(http.MethodPost, "/"+c.Name, strings.NewReader(string(openim.Sample(c))))
		if hops != "" {
			r.Header.Set("Callboard-Hops", hops)
		}
		g.send(r)
		if got := g.last().Trouble; got != want {
			t.Errorf("hops %q: trouble %q, want %q", hops, got, want)
		}
		if want != "" {
			if len(q.got) != 0 || len(mod.asked) != 0 {
				t.Errorf("hops %q: it went on all the same", hops)
			}
			continue
		}
		if asked := <-mod.asked; asked.Hops != q.got[0].Hops || asked.Hops < 1 || hops == "3" && asked.Hops != 4 {
			t.Errorf("hops %q: asked with %d, notified with %d", hops, asked.Hops, q.got[0].Hops)
		}
	}
}

func TestATraceParentIsPassedOnOrBegun(t *testing.T) {
	const given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for header, kept := range map[string]bool{given: true, "": false, given + "x": false, strings.ToUpper(given): false,
		"00-" + strings.Repeat("0", 32) + given[35:]:                false,
		given[:36] + strings.Repeat("0", 16) + given[len(given)-3:]: false} {
		q := &fakeQueue{}
		g := newGateway(t, Options{Queue: q}, notifying, quietSinks("archive", "search"))
		c, _ := openim.Lookup("beforeSendGroupMsg")
		r := httptest.NewRequest(http.MethodPost, "/"+c.Name, strings.NewReader(string(openim.Sample(c))))
		r.Header.Set("Traceparent", header)
		g.send(r)
		if got := q.got[0].TraceParent; !isTraceParent(got) || (got == header) != kept {
			t.Errorf("%q: went on as %q", header, got)
		}
	}
}

func TestIDsSortByTime(t *testing.T) {
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	earlier, later := newID(at), newID(at.Add(time.Millisecond))
	if len(earlier) != 26 || earlier >= later || earlier == newID(at) {
		t.Errorf("ids %s, %s", earlier, later)
	}
	if want := "01m80ccgqr"; !strings.HasPrefix(earlier, want) { // the time, computed by other means
		t.Errorf("id %s, want it to begin with %s", earlier, want)
	}
}

func TestAReplayNotifiesAgainAndAsksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{}
		mod := says(openim.Refuse, 0)
		g := newGateway(t, Options{Queue: q}, `rules:
  - {name: both, callbacks: [beforeSendGroupMsg], await: {sinks: [mod]}, notify: [archive, search]}
`, map[string]*scripted{"mod": mod, "archive": says(openim.Allow, 0), "search": says(openim.Allow, 0)})
		c, _ := openim.Lookup("beforeSendGroupMsg")
		recorded := openim.Request{Path: "/im/" + c.Name, Body: openim.Sample(c)}

		names, err := g.Replay(t.Context(), recorded, "old", nil, true)
		if err != nil || len(names) != 2 || len(q.got) != 0 {
			t.Errorf("a dry run: %v, %v, %d events", names, err, len(q.got))
		}
		names, err = g.Replay(t.Context(), recorded, "old", []string{"search"}, false)
		if err != nil || !cmp.Equal(names, []string{"search"}) || len(q.got) != 1 {
			t.Fatalf("a replay: %v, %v, %d events", names, err, len(q.got))
		}
		if e := q.got[0]; e.ReplayOf != "old" || e.ID == "old" || len(e.Targets) != 1 {
			t.Errorf("event %+v", e)
		}
		if len(mod.asked) != 0 {
			t.Error("a replay asked a sink")
		}
		if tr := g.last(); tr.ReplayOf != "old" || !tr.Queued {
			t.Errorf("trace %+v", tr)
		}
		recorded.Header = http.Header{"Callboard-Hops": {"2"}, "Operationid": {"op-of-header"}}
		if _, err = g.Replay(t.Context(), recorded, "old", nil, false); err != nil || q.got[1].Hops != 3 {
			t.Errorf("a replay of what had passed two gateways: %v, %+v", err, q.got[1])
		}
		recorded.Header.Set("Callboard-Hops", "4")
		if _, err = g.Replay(t.Context(), recorded, "old", nil, false); err == nil || len(q.got) != 2 {
			t.Errorf("a replay of what went in a loop: %v, %d events", err, len(q.got))
		}
		recorded.Header = nil
		q.err = queue.ErrFull
		if _, err = g.Replay(t.Context(), recorded, "old", nil, false); !errors.Is(err, queue.ErrFull) {
			t.Errorf("a replay into a full queue: %v", err)
		}
		if _, err = g.Replay(t.Context(), openim.Request{Path: "/x", Body: []byte("{")}, "old", nil, false); err == nil {
			t.Error("a replay of broken JSON went through")
		}
	})
}
