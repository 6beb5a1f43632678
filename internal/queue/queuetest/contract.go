package queuetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"callboard/internal/queue"
)

func newStoreIsEmpty(t *testing.T, p *place) {
	snap := p.restart()
	if snap.Head != 0 || len(snap.Sinks) != 0 {
		t.Errorf("Load() = %+v, want nothing", snap)
	}
	if found := p.search(queue.Filter{}); len(found) != 0 {
		t.Errorf("Search found %s", refs(found))
	}
	if events, upTo, err := p.store.Read(t.Context(), "a", 0, 10, 100); len(events) != 0 || upTo != 0 || err != nil {
		t.Errorf("Read() = %d events, up to %d, %v", len(events), upTo, err)
	}
	if more, err := p.store.Trim(t.Context(), 10); more || err != nil {
		t.Errorf("Trim() = %v, %v", more, err)
	}
	if u := p.store.Usage(); u.Events != 0 || !u.Oldest.IsZero() {
		t.Errorf("Usage() = %+v", u)
	}
}

func eventComesBack(t *testing.T, p *place) {
	whole := &queue.Event{
		ID: "01jz0000000000000000000001", At: began.Add(123 * time.Millisecond), Command: "callbackBeforeSendSingleMsgCommand",
		Source: "/prod", OperationID: "op \x00'\"; DROP", MessageID: "消息", TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		Hops: 3, ReplayOf: "01jz0000000000000000000000",
		Targets: []queue.Target{
			{Sink: "archive", Key: "群 1", Rules: []string{"one", "two"}},
			{Sink: "senké", Key: "", Rules: nil},
			{Sink: "third", Key: strings.Repeat("k", 300), Rules: []string{""}},
		},
		Body: append([]byte{0, 0xff, 0xfe}, bytes.Repeat([]byte("body"), 100_000)...),
	}
	bare := &queue.Event{ID: "01jz0000000000000000000002", At: time.UnixMilli(0), Targets: []queue.Target{{Sink: "archive"}}}
	p.commit(queue.Batch{Events: []*queue.Event{whole, bare}})
	p.crash()
	for _, want := range []*queue.Event{whole, bare} {
		got, err := p.store.Event(t.Context(), want.ID)
		if err != nil {
			t.Fatalf("Event(%s): %v", want.ID, err)
		}
		equal(t, "Event", got, want)
	}
	equal(t, "Read", p.read("archive", 0, 10, 1<<20), []*queue.Event{whole, bare})

	r := queue.Row{
		Ref: queue.Ref{Sink: "senké", Seq: whole.Seq}, State: queue.Retrying, Lane: 1<<64 - 1, Due: began.Add(time.Nanosecond),
		Attempts: 7, Status: 503, Reason: "answered 503: \x00 überlastet",
	}
	p.rows(r)
	p.crash()
	due, _, err := p.store.Due(t.Context(), "senké", began.Add(time.Second), 10, 10)
	if err != nil {
		t.Fatalf("Due: %v", err)
	}
	equal(t, "Due", due, []queue.Waiting{{Row: r, Event: whole}})
	lane, err := p.store.Lane(t.Context(), "senké", r.Lane, 10, 10)
	if err != nil {
		t.Fatalf("Lane: %v", err)
	}
	equal(t, "Lane", lane, []queue.Waiting{{Row: r, Event: whole}})
}

func placesAscend(t *testing.T, p *place) {
	events := p.append("a", "a", "a")
	for i, e := range events {
		if e.Seq != uint64(i+1) {
			t.Errorf("event %d has Seq %d", i+1, e.Seq)
		}
	}
	p.floor("a", 3)
	p.trimAll()
	if left := p.left(events); len(left) != 0 {
		t.Fatalf("events %v are left", left)
	}
	if snap := p.crash(); snap.Head != 3 {
		t.Errorf("Head is %d after a crash, want 3", snap.Head)
	}
	if head := p.head(); head != 3 {
		t.Errorf("Read comes up to %d, want 3", head)
	}
	if e := p.append("a")[0]; e.Seq != 4 {
		t.Errorf("the next event has Seq %d, want 4", e.Seq)
	}
	if snap := p.restart(); snap.Head != 4 {
		t.Errorf("Head is %d after a restart, want 4", snap.Head)
	}
}

func commitSurvivesCrash(t *testing.T, p *place) {
	for i := range 5 {
		events := p.append("a b", "b")
		p.commit(queue.Batch{
			Events: []*queue.Event{p.event("c")},
			Rows:   []queue.Row{row("b", events[0].Seq, queue.Dead, i)},
			Sinks:  []queue.Cursor{{Sink: "b", Floor: events[1].Seq, Accepted: events[1].Seq, Settled: uint64(i)}},
		})
		before := refs(p.search(queue.Filter{}))
		snap := p.crash()
		if after := refs(p.search(queue.Filter{})); after != before {
			t.Errorf("before the crash: %s\nafter: %s", before, after)
		}
		for _, s := range snap.Sinks {
			if s.Sink == "b" && (s.Floor != events[1].Seq || s.Settled != uint64(i)) {
				t.Errorf("the cursor is %+v", s.Cursor)
			}
		}
	}
}

func settlementsSurvive(t *testing.T, p *place) {
	p.append("a", "a")
	p.floor("a", 1)
	p.append("a")
	p.crash()
	if got := refs(p.search(queue.Filter{})); got != "a:3 waiting, a:2 waiting" {
		t.Errorf("after a crash: %s", got)
	}
	p.floor("a", 2)
	p.restart()
	if got := refs(p.search(queue.Filter{})); got != "a:3 waiting" {
		t.Errorf("after a restart: %s", got)
	}
}

func endedCommitKeepsNothing(t *testing.T, p *place) {
	ctx, end := context.WithCancel(t.Context())
	end()
	if err := p.store.Commit(ctx, &queue.Batch{Events: []*queue.Event{p.event("a")}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit = %v, want %v", err, context.Canceled)
	}
	if found := p.search(queue.Filter{}); len(found) != 0 {
		t.Errorf("Search found %s", refs(found))
	}
}

func seqs(events []*queue.Event) (s []uint64) {
	for _, e := range events {
		s = append(s, e.Seq)
	}
	return s
}

func readPassesOver(t *testing.T, p *place) {
	p.append("a", "b", "a b", "a", "a", "a")
	p.rows(row("a", 3, queue.Retrying, 1), row("a", 4, queue.Skipped, 1), row("b", 5, queue.Dead, 1))
	equal(t, "Read for a", seqs(p.read("a", 0, 10, 1000)), []uint64{1, 5, 6})
	equal(t, "Read for a after 1", seqs(p.read("a", 1, 10, 1000)), []uint64{5, 6})
	equal(t, "Read for b", seqs(p.read("b", 0, 10, 1000)), []uint64{2, 3})
}

func readInPieces(t *testing.T, p *place) {
	var lists []string
	for i := range 60 {
		lists = append(lists, []string{"a", "b", "a b"}[i%3])
	}
	events := p.append(lists...)
	var want []uint64
	for i, e := range events {
		if i%3 != 1 {
			want = append(want, e.Seq)
		}
	}
	for _, n := range []int{1, 2, 7, 100} {
		for _, maxBytes := range []int{0, 9, 50, 1000} {
			equal(t, fmt.Sprintf("Read %d and %d bytes at a time", n, maxBytes), seqs(p.read("a", 0, n, maxBytes)), want)
		}
	}
	some, _, err := p.store.Read(t.Context(), "a", 0, 7, 1000)
	if len(some) != 7 || err != nil {
		t.Errorf("Read returned %d events, %v; want 7", len(some), err)
	}
	some, _, err = p.store.Read(t.Context(), "a", 0, 7, 20)
	if len(some) < 1 || len(some) > 3 || err != nil {
		t.Errorf("Read of 20 bytes returned %d events of about 8, %v", len(some), err)
	}
}

func readTellsHowFar(t *testing.T, p *place) {
	p.append("a", "b", "b")
	for _, after := range []uint64{0, 1, 3} {
		events, upTo, err := p.store.Read(t.Context(), "a", after, 10, 1000)
		if upTo != 3 || err != nil {
			t.Errorf("Read after %d = %v, up to %d, %v; want up to 3", after, seqs(events), upTo, err)
		}
	}
	p.append("a")
	equal(t, "Read goes on", seqs(p.read("a", 3, 10, 1000)), []uint64{4})
}

func rowReplaces(t *testing.T, p *place) {
	p.append("a/k", "a/k")
	p.rows(inLane("k", row("a", 1, queue.Retrying, 1)))
	p.rows(inLane("k", row("a", 1, queue.Dead, 2)))
	if got := refs(p.search(queue.Filter{})); got != "a:2 waiting, a:1 dead" {
		t.Errorf("Search found %s", got)
	}
	if due, next, err := p.store.Due(t.Context(), "a", began.Add(time.Hour), 10, 10); len(due) != 0 || !next.IsZero() || err != nil {
		t.Errorf("Due = %s, %v, %v; want nothing", refs(due), next, err)
	}
	p.commit(queue.Batch{Gone: []queue.Ref{{Sink: "a", Seq: 1}, {Sink: "a", Seq: 2}, {Sink: "nobody", Seq: 1}}})
	if got := refs(p.search(queue.Filter{})); got != "a:2 waiting, a:1 waiting" {
		t.Errorf("without rows Search found %s", got)
	}
}

func dueComesEarliestFirst(t *testing.T, p *place) {
	p.append("a", "a", "a", "a b", "a", "a")
	p.rows(row("a", 1, queue.Retrying, 30), row("a", 2, queue.Retrying, 10), row("a", 3, queue.Retrying, 20),
		row("a", 4, queue.Blocked, 1), row("b", 4, queue.Retrying, 1), row("a", 5, queue.Stuck, 1), row("a", 6, queue.Retrying, 5))
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	for _, c := range []struct {
		now  int
		upTo uint64
		n    int
		want string
		next int
	}{
		{0, 9, 9, "", 5},
		{5, 9, 9, "a:6 retrying", 10},
		{20, 9, 9, "a:6 retrying, a:2 retrying, a:3 retrying", 30},
		{20, 9, 2, "a:6 retrying, a:2 retrying", 20},
		{20, 5, 1, "a:2 retrying", 20},
		{20, 1, 1, "", 30},
		{99, 1<<64 - 1, 9, "a:6 retrying, a:2 retrying, a:3 retrying, a:1 retrying", 0},
	} {
		due, next, err := p.store.Due(t.Context(), "a", at(c.now), c.upTo, c.n)
		want := time.Time{}
		if c.next != 0 {
			want = at(c.next)
		}
		if got := refs(due); got != c.want || !next.Equal(want) || err != nil {
			t.Errorf("Due(now %d, up to %d, %d) = %s, %v, %v; want %s, %v", c.now, c.upTo, c.n, got, next, err, c.want, want)
		}
		for _, w := range due {
			if len(w.Event.Body) == 0 {
				t.Errorf("Due returned %d without a body", w.Seq)
			}
		}
	}
	if due, next, err := p.store.Due(t.Context(), "nobody", at(99), 9, 9); len(due) != 0 || !next.IsZero() || err != nil {
		t.Errorf("Due of nobody = %s, %v, %v", refs(due), next, err)
	}
}

func laneComesInOrder(t *testing.T, p *place) {
	p.append("a/k", "a/k", "a/other", "a/k", "a/k b/k", "a/k", "a/k")
	p.rows(inLane("k", row("a", 4, queue.Blocked, 1)), inLane("k", row("a", 1, queue.Retrying, 9)), inLane("k", row("a", 2, queue.Stuck, 5)),
		inLane("other", row("a", 3, queue.Stuck, 1)), inLane("k", row("b", 5, queue.Blocked, 1)), inLane("k", row("a", 6, queue.Dead, 1)),
		inLane("k", row("a", 7, queue.Skipped, 1)))
	for _, c := range []struct {
		sink string
		key  string
		upTo uint64
		n    int
		want string
	}{
		{"a", "k", 9, 9, "a:1 retrying, a:2 stuck, a:4 blocked"},
		{"a", "k", 9, 2, "a:1 retrying, a:2 stuck"},
		{"a", "k", 3, 9, "a:1 retrying, a:2 stuck"},
		{"a", "other", 9, 9, "a:3 stuck"},
		{"b", "k", 9, 9, "b:5 blocked"},
		{"a", "third", 9, 9, ""},
		{"nobody", "k", 9, 9, ""},
	} {
		lane, err := p.store.Lane(t.Context(), c.sink, queue.LaneOf(c.key), c.upTo, c.n)
		if got := refs(lane); got != c.want || err != nil {
			t.Errorf("Lane(%s, %s, up to %d, %d) = %s, %v; want %s", c.sink, c.key, c.upTo, c.n, got, err, c.want)
		}
		for _, w := range lane {
			if len(w.Event.Body) == 0 {
				t.Errorf("Lane returned %d without a body", w.Seq)
			}
		}
	}
}

func searchPages(t *testing.T, p *place) {
	p.append("a", "b a", "c b a", "a")
	p.rows(row("b", 3, queue.Dead, 1))
	p.floor("a", 1)
	const want = "a:4 waiting, c:3 waiting, b:3 dead, a:3 waiting, b:2 waiting, a:2 waiting"
	for n := 1; n < 8; n++ {
		var pages []queue.Waiting
		before := queue.Ref{}
		for {
			page, err := p.store.Search(t.Context(), queue.Filter{}, before, n)
			if err != nil || len(page) > n {
				t.Fatalf("Search of %d returned %d, %v", n, len(page), err)
			}
			if len(page) == 0 {
				break
			}
			before = page[len(page)-1].Ref
			pages = append(pages, page...)
		}
		if got := refs(pages); got != want {
			t.Errorf("%d at a time: %s\nwant %s", n, got, want)
		}
	}
	for _, w := range p.search(queue.Filter{}) {
		if w.Event.Body != nil || w.Event.ID == "" || len(w.Event.Targets) == 0 {
			t.Errorf("%d comes with the event %+v", w.Seq, w.Event)
		}
	}
}

func searchFilters(t *testing.T, p *place) {
	one, two := p.event("a/k b"), p.event("a.dotted/k")
	one.Command, one.OperationID, one.MessageID = "callbackAfterGroupMsgRevokeCommand", "op-1", "m-1"
	two.Targets[0].Rules = []string{"x", "special"}
	p.commit(queue.Batch{Events: []*queue.Event{one, two}})
	p.append("a", "b")
	dead := row("a", 3, queue.Dead, 9)
	dead.Status = 422
	p.rows(dead, inLane("k", row("a", 1, queue.Retrying, 9)))
	sec := func(n int) time.Time { return began.Add(time.Duration(n) * time.Second) }
	for name, c := range map[string]struct {
		f    queue.Filter
		want string
	}{
		"all":                {queue.Filter{}, "b:4 waiting, a:3 dead, a.dotted:2 waiting, b:1 waiting, a:1 retrying"},
		"sink":               {queue.Filter{Sink: "a"}, "a:3 dead, a:1 retrying"},
		"unknown sink":       {queue.Filter{Sink: "nobody"}, ""},
		"dead":               {queue.Filter{States: []queue.State{queue.Dead}}, "a:3 dead"},
		"two states":         {queue.Filter{States: []queue.State{queue.WaitingTurn, queue.Retrying}}, "b:4 waiting, a.dotted:2 waiting, b:1 waiting, a:1 retrying"},
		"waiting":            {queue.Filter{States: []queue.State{queue.WaitingTurn}}, "b:4 waiting, a.dotted:2 waiting, b:1 waiting"},
		"skipped":            {queue.Filter{States: []queue.State{queue.Skipped}}, ""},
		"sink and state":     {queue.Filter{Sink: "a", States: []queue.State{queue.Retrying}}, "a:1 retrying"},
		"command":            {queue.Filter{Command: one.Command}, "b:1 waiting, a:1 retrying"},
		"rule":               {queue.Filter{Rule: "special"}, "a.dotted:2 waiting"},
		"key":                {queue.Filter{Key: "k"}, "a.dotted:2 waiting, a:1 retrying"},
		"operation":          {queue.Filter{OperationID: "op-1"}, "b:1 waiting, a:1 retrying"},
		"message":            {queue.Filter{MessageID: "m-1"}, "b:1 waiting, a:1 retrying"},
		"callback":           {queue.Filter{CallbackID: one.ID}, "b:1 waiting, a:1 retrying"},
		"unknown callback":   {queue.Filter{CallbackID: "x"}, ""},
		"callback and sink":  {queue.Filter{CallbackID: one.ID, Sink: "b"}, "b:1 waiting"},
		"delivery":           {queue.Filter{IDs: []string{queue.DeliveryID(one.ID, "b")}}, "b:1 waiting"},
		"deliveries":         {queue.Filter{IDs: []string{queue.DeliveryID(one.ID, "a"), queue.DeliveryID(two.ID, "a.dotted"), "junk", ""}}, "a.dotted:2 waiting, a:1 retrying"},
		"no such delivery":   {queue.Filter{IDs: []string{queue.DeliveryID(one.ID, "nobody")}}, ""},
		"status":             {queue.Filter{Status: 422}, "a:3 dead"},
		"since":              {queue.Filter{Since: sec(3)}, "b:4 waiting, a:3 dead"},
		"until":              {queue.Filter{Until: sec(3)}, "a.dotted:2 waiting, b:1 waiting, a:1 retrying"},
		"a moment":           {queue.Filter{Since: sec(2), Until: sec(2).Add(1)}, "a.dotted:2 waiting"},
		"an empty stretch":   {queue.Filter{Since: sec(2).Add(1), Until: sec(3)}, ""},
		"everything at once": {queue.Filter{Sink: "a", States: []queue.State{queue.Retrying}, Command: one.Command, Rule: "rule-of-a", Key: "k", OperationID: "op-1", MessageID: "m-1", CallbackID: one.ID, Since: sec(1), Until: sec(2)}, "a:1 retrying"},
		"but one":            {queue.Filter{Sink: "a", OperationID: "op-1", MessageID: "other"}, ""},
	} {
		if got := refs(p.search(c.f)); got != c.want {
			t.Errorf("%s: found %s\nwant %s", name, got, c.want)
		}
		n, err := p.store.Count(t.Context(), c.f)
		if want := len(p.search(c.f)); n != want || err != nil {
			t.Errorf("%s: Count = %d, %v; want %d", name, n, err, want)
		}
	}
}

func searchLeavesOut(t *testing.T, p *place) {
	p.append("a", "a", "a b", "a", "a")
	p.floor("a", 3)
	p.rows(row("a", 1, queue.Dead, 1), row("a", 2, queue.Skipped, 1), row("a", 4, queue.Skipped, 1))
	if got, want := refs(p.search(queue.Filter{})), "a:5 waiting, b:3 waiting, a:1 dead"; got != want {
		t.Errorf("Search found %s, want %s", got, want)
	}
	if n, err := p.store.Count(t.Context(), queue.Filter{Sink: "a"}); n != 2 || err != nil {
		t.Errorf("Count = %d, %v; want 2", n, err)
	}
}

func eventByID(t *testing.T, p *place) {
	e := p.append("a")[0]
	got, err := p.store.Event(t.Context(), e.ID)
	if err != nil {
		t.Fatalf("Event: %v", err)
	}
	equal(t, "Event", got, e)
	if _, err := p.store.Event(t.Context(), "01jz9"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Event of nothing = %v, want %v", err, queue.ErrNotFound)
	}
	p.floor("a", 1)
	p.trimAll()
	if _, err := p.store.Event(t.Context(), e.ID); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("Event after trimming = %v, want %v", err, queue.ErrNotFound)
	}
}

func pauseLasts(t *testing.T, p *place) {
	p.append("a b")
	want := queue.Cursor{Sink: "a", Floor: 1, Accepted: 2, Settled: 1, Paused: "410: it wants no more", PausedAt: began.Add(5)}
	p.commit(queue.Batch{Sinks: []queue.Cursor{want}})
	snap := p.restart()
	equal(t, "Load", []queue.Cursor{snap.Sinks[0].Cursor, snap.Sinks[1].Cursor}, []queue.Cursor{want, {Sink: "b"}})
	want.Paused, want.PausedAt = "", time.Time{}
	p.commit(queue.Batch{Sinks: []queue.Cursor{want}})
	equal(t, "Load", p.restart().Sinks[0].Cursor, want)
}

func loadCounts(t *testing.T, p *place) {
	p.append("a/k b", "a/k", "a/k", "a/l", "a", "a", "a")
	p.rows(inLane("k", row("a", 1, queue.Retrying, 20)), inLane("k", row("a", 2, queue.Blocked, 1)), inLane("k", row("a", 3, queue.Dead, 1)),
		inLane("l", row("a", 4, queue.Stuck, 1)), row("a", 5, queue.Retrying, 10), row("b", 1, queue.Dead, 1))
	snap := p.crash()
	equal(t, "Load", snap, &queue.Snapshot{Head: 7, Sinks: []queue.SinkSnapshot{
		{
			Cursor:  queue.Cursor{Sink: "a"},
			Rows:    map[queue.State]int{queue.Retrying: 2, queue.Blocked: 1, queue.Stuck: 1, queue.Dead: 1},
			Lanes:   map[uint64]int{queue.LaneOf("k"): 2, queue.LaneOf("l"): 1},
			NextDue: began.Add(10 * time.Second),
		},
		{Cursor: queue.Cursor{Sink: "b"}, Rows: map[queue.State]int{queue.Dead: 1}},
	}})
}

func trimRemovesDone(t *testing.T, p *place) {
	events := p.append("a", "a b", "a", "a", "a", "a b", "a")
	p.rows(row("a", 3, queue.Dead, 1), row("a", 4, queue.Skipped, 1), row("a", 7, queue.Skipped, 1), row("b", 6, queue.Retrying, 1))
	p.commit(queue.Batch{Sinks: []queue.Cursor{{Sink: "a", Floor: 6}, {Sink: "b", Floor: 6}}})
	before := refs(p.search(queue.Filter{}))
	p.trimAll()
	// 3 is dead for a, 6 waits for another attempt at b, 7 is above the floor.
	equal(t, "left", p.left(events), []uint64{3, 6, 7})
	if after := refs(p.search(queue.Filter{})); after != before {
		t.Errorf("before: %s\nafter: %s", before, after)
	}
	p.commit(queue.Batch{Gone: []queue.Ref{{Sink: "a", Seq: 3}}, Rows: []queue.Row{row("b", 6, queue.Skipped, 1)}})
	p.floor("a", 7)
	p.trimAll()
	equal(t, "left", p.left(events), []uint64(nil))
	for _, s := range p.crash().Sinks {
		for state, n := range s.Rows {
			t.Errorf("%d rows in state %d are left", n, state)
		}
	}
}

func trimPassesDeadSink(t *testing.T, p *place) {
	var lists []string
	for i := range 700 {
		lists = append(lists, []string{"a", "a dead", "a", "b"}[i%4])
	}
	events := p.append(lists...)
	var want []uint64
	for i, e := range events {
		if i%4 == 1 {
			want = append(want, e.Seq)
		}
	}
	p.commit(queue.Batch{Sinks: []queue.Cursor{{Sink: "a", Floor: 700}, {Sink: "b", Floor: 700}, {Sink: "dead", Floor: 0}}})
	p.trimAll()
	equal(t, "left", p.left(events), want)
	equal(t, "read", seqs(p.read("dead", 0, 10, 100)), want)
	p.crash()
	p.floor("dead", 350)
	p.trimAll()
	equal(t, "left", p.left(events), want[88:])
}

func trimIsBounded(t *testing.T, p *place) {
	lists := make([]string, 3000)
	for i := range lists {
		lists[i] = "a"
	}
	events := p.append(lists...)
	p.floor("a", 2990)
	more, err := p.store.Trim(t.Context(), 500)
	if !more || err != nil {
		t.Fatalf("Trim = %v, %v; want more", more, err)
	}
	left := p.left(events)
	if len(left) < 2000 || len(left) == 3000 {
		t.Errorf("%d of 3000 are left after trimming about 500", len(left))
	}
	if left[0] != uint64(3000-len(left)+1) {
		t.Errorf("%d are left and the oldest is %d", len(left), left[0])
	}
	p.trimAll()
	equal(t, "left", p.left(events), seqs(events[2990:]))
}

func usageFollows(t *testing.T, p *place) {
	start := p.store.Usage()
	var events []*queue.Event
	for range 200 {
		e := p.event("a")
		e.Body = bytes.Repeat([]byte("x"), 10_000)
		events = append(events, e)
	}
	p.commit(queue.Batch{Events: events})
	full := p.store.Usage()
	if full.Events != 200 || full.Bytes-start.Bytes < 2_000_000 || full.Bytes-start.Bytes > 4_000_000 {
		t.Errorf("with 2 MB: %+v; before: %+v", full, start)
	}
	if full.Commits != start.Commits+1 || !full.Oldest.Equal(events[0].At) {
		t.Errorf("Usage = %+v", full)
	}
	p.floor("a", 150)
	p.trimAll()
	some := p.store.Usage()
	if some.Events != 50 || !some.Oldest.Equal(events[150].At) || some.Bytes > full.Bytes-1_000_000 {
		t.Errorf("with a quarter: %+v; before: %+v", some, full)
	}
	p.restart()
	again := p.store.Usage()
	if again.Events != 50 || !again.Oldest.Equal(events[150].At) || again.Bytes > full.Bytes-1_000_000 || again.Commits != 0 {
		t.Errorf("after a restart: %+v", again)
	}
}

// concurrent is for the race detector, and for deadlocks.
func concurrent(t *testing.T, p *place) {
	const rounds = 30
	var wg sync.WaitGroup
	done := make(chan struct{})
	for _, f := range []func() error{
		func() error { _, _, err := p.store.Read(t.Context(), "b", 0, 10, 1000); return err },
		func() error { _, _, err := p.store.Due(t.Context(), "a", began, 1000, 10); return err },
		func() error { _, err := p.store.Lane(t.Context(), "a", queue.LaneOf("k"), 1000, 10); return err },
		func() error { _, err := p.store.Search(t.Context(), queue.Filter{}, queue.Ref{}, 10); return err },
		func() error { _, err := p.store.Count(t.Context(), queue.Filter{Sink: "a"}); return err },
		func() error { _, err := p.store.Trim(t.Context(), 10); return err },
		func() error { p.store.Usage(); return nil },
	} {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := f(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := 1; i <= rounds; i++ {
		e := p.event(fmt.Sprintf("a/k b sink-%d", i)) // a sink that is new each time
		err := p.store.Commit(t.Context(), &queue.Batch{
			Events: []*queue.Event{e},
			Rows:   []queue.Row{inLane("k", row("a", uint64(i), queue.Retrying, 1))},
			Sinks:  []queue.Cursor{{Sink: "a", Floor: uint64(i)}},
		})
		if err != nil {
			t.Error(err)
		}
	}
	close(done)
	wg.Wait()
	equal(t, "Read", len(p.read("b", 0, 100, 1<<20)), rounds)
}

func closedSaysSo(t *testing.T, p *place) {
	p.append("a")
	for range 2 {
		if err := p.store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	ctx, s := t.Context(), p.store
	for name, f := range map[string]func() error{
		"Commit": func() error { return s.Commit(ctx, &queue.Batch{Events: []*queue.Event{p.event("a")}}) },
		"Read":   func() error { _, _, err := s.Read(ctx, "a", 0, 1, 1); return err },
		"Due":    func() error { _, _, err := s.Due(ctx, "a", began, 1, 1); return err },
		"Lane":   func() error { _, err := s.Lane(ctx, "a", 1, 1, 1); return err },
		"Search": func() error { _, err := s.Search(ctx, queue.Filter{}, queue.Ref{}, 1); return err },
		"Count":  func() error { _, err := s.Count(ctx, queue.Filter{}); return err },
		"Event":  func() error { _, err := s.Event(ctx, "x"); return err },
		"Trim":   func() error { _, err := s.Trim(ctx, 1); return err },
	} {
		if err := f(); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("%s = %v, want %v", name, err, queue.ErrClosed)
		}
	}
	s.Usage()
}
