package router

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"callboard/internal/queue"
	"callboard/openim"
)

const deduped = `dedup: 10m
rules:
  - {name: both, callbacks: [beforeSendGroupMsg], await: {sinks: [mod]}, notify: [archive]}
`

func TestARepeatIsAnsweredAsBeforeAndDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{}
		mod := refuses(20403, "no", 100*time.Millisecond)
		g := newGateway(t, Options{Queue: q}, deduped, map[string]*scripted{"mod": mod, "archive": says(openim.Allow, 0)})
		send := func(id string) int { return code(g.post("beforeSendGroupMsg", map[string]any{"serverMsgID": id})) }
		if got := send("m1"); got != 20403 {
			t.Fatalf("code %d", got)
		}
		original := g.last().ID
		if got := send("m1"); got != 20403 {
			t.Errorf("the repeat: code %d, want 20403 again", got)
		}
		if tr := g.last(); tr.RepeatOf != original || tr.Queued || tr.ID == original {
			t.Errorf("trace of the repeat %+v", tr)
		}
		send("m2")
		if len(mod.asked) != 2 || len(q.got) != 2 {
			t.Errorf("asked %d times, notified %d times; want 2: m1 once, m2 once", len(mod.asked), len(q.got))
		}
		time.Sleep(10*time.Minute + time.Second)
		send("m1")
		if len(q.got) != 3 {
			t.Error("beyond the window it is no repeat")
		}
	})
}

func TestARepeatWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &fakeQueue{}
		mod := refuses(20403, "no", time.Second)
		g := newGateway(t, Options{Queue: q}, deduped, map[string]*scripted{"mod": mod, "archive": says(openim.Allow, 0)})
		c, _ := openim.Lookup("beforeSendGroupMsg")
		body := strings.Replace(string(openim.Sample(c)), `"serverMsgID":"`, `"serverMsgID":"m1","unused":"`, 1)
		request := func() *http.Request {
			return httptest.NewRequest(http.MethodPost, "/im/"+c.Name, strings.NewReader(body))
		}
		go g.ServeHTTP(httptest.NewRecorder(), request())
		time.Sleep(300 * time.Millisecond)
		if got := code(g.send(request())); got != 20403 {
			t.Errorf("code %d, want the first one's", got)
		}
		if d := g.last().Duration; d != 700*time.Millisecond {
			t.Errorf("it took %v, want the 700ms that the first one still needed", d)
		}
		synctest.Wait()
		if len(mod.asked) != 1 {
			t.Errorf("asked %d times", len(mod.asked))
		}
	})
}

// It would wait for itself until the budget is over.
func TestWhatComesRoundALoopIsNoRepeat(t *testing.T) {
	q := &fakeQueue{}
	g := newGateway(t, Options{Queue: q}, deduped, quietSinks("mod", "archive"))
	c, _ := openim.Lookup("beforeSendGroupMsg")
	for _, passed := range []string{"", "1", "2", "2"} {
		r := httptest.NewRequest(http.MethodPost, "/im/"+c.Name, strings.NewReader(string(openim.Sample(c))))
		r.Header.Set("Callboard-Hops", passed)
		g.send(r)
	}
	if len(q.got) != 3 || g.last().RepeatOf != q.got[2].ID {
		t.Errorf("%d events, the last repeats %q; want 3, and that it repeats the third", len(q.got), g.last().RepeatOf)
	}
}

func TestWhatEndedInTroubleIsNoRepeat(t *testing.T) {
	q := &fakeQueue{err: queue.ErrFull}
	g := newGateway(t, Options{Queue: q, RefuseOnTrouble: true}, deduped, quietSinks("mod", "archive"))
	send := func() int { return code(g.post("beforeSendGroupMsg", map[string]any{"serverMsgID": "m1"})) }
	if got := send(); got != CodeTrouble {
		t.Fatalf("code %d", got)
	}
	q.err = nil
	if got := send(); got != 0 || len(q.got) != 2 {
		t.Errorf("the next try: code %d, %d events; want a new one", got, len(q.got))
	}
}

func TestWhatPanickedIsNoRepeat(t *testing.T) {
	g := newGateway(t, Options{Queue: nil}, deduped, quietSinks("mod", "archive"))
	g.o.Queue = panicking{}
	send := func() { g.post("beforeSendGroupMsg", map[string]any{"serverMsgID": "m1"}) }
	send()
	g.o.Queue = &fakeQueue{}
	send()
	if tr := g.last(); tr.RepeatOf != "" || !tr.Queued {
		t.Errorf("after a panic: %+v", tr)
	}
}

type panicking struct{ Queue }

func TestRepeatsAreForgottenInTime(t *testing.T) {
	var d dedup
	now := time.Now()
	for i := range 3 * maxRepeats {
		var key repeatKey // all of one shard
		key[1], key[2], key[3] = byte(i), byte(i>>8), byte(i>>16)
		r, first := d.begin(key, "x", now, time.Hour)
		if !first {
			t.Fatal("a new one is a repeat")
		}
		d.end(r, &Trace{})
	}
	if s := &d.shards[0]; len(s.seen) > maxRepeats || len(s.order) > maxRepeats {
		t.Errorf("%d remembered, want at most %d", len(s.seen), maxRepeats)
	}
	d.begin(repeatKey{0, 255, 255, 255}, "x", now.Add(2*time.Hour), time.Hour)
	if s := &d.shards[0]; len(s.seen) != 1 {
		t.Errorf("%d remembered after the window, want the new one", len(s.seen))
	}
}
