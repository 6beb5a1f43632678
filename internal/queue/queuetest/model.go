package queuetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/internal/queue"
)

// equalsModel says the same to a store and to Memory and compares what they answer. What is said is what a Queue would say:
// floors only rise, and a delivery that is done gets no row.
func equalsModel(t *testing.T, p *place) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{t: t, maker: p.another(t), model: NewMemory()}
		m.store = m.maker.Open(t)
		defer func() { _ = m.store.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"":        m.compare,
			"append":  m.append,
			"settle":  m.settle,
			"pause":   m.pause,
			"trim":    m.trim,
			"trimAll": m.trimAll,
			"crash":   m.crash,
			"restart": m.restart,
		})
	})
}

type machine struct {
	t     *testing.T
	maker Maker
	store queue.Store
	model *Memory
	ids   int
}

var (
	someSinks    = rapid.SampledFrom([]string{"a", "b", "c", "sïnk"})
	someKeys     = rapid.SampledFrom([]string{"", "k", "l"})
	someTexts    = rapid.SampledFrom([]string{"", "x", "y"})
	someStates   = rapid.SampledFrom([]queue.State{queue.Retrying, queue.Blocked, queue.Stuck, queue.Dead, queue.Skipped})
	someInstants = rapid.Map(rapid.IntRange(0, 50), func(n int) time.Time { return began.Add(time.Duration(n) * time.Second) })
)

func (m *machine) commit(rt *rapid.T, b *queue.Batch) {
	must(rt, m.store.Commit(m.t.Context(), b))
	places := seqs(b.Events)
	must(rt, m.model.Commit(m.t.Context(), b))
	same(rt, "places", places, seqs(b.Events))
}

func (m *machine) append(rt *rapid.T) {
	b := m.settlements(rt)
	for range rapid.IntRange(1, 4).Draw(rt, "events") {
		b.Events = append(b.Events, m.event(rt))
	}
	m.commit(rt, b)
}

func (m *machine) settle(rt *rapid.T) { m.commit(rt, m.settlements(rt)) }

func (m *machine) event(rt *rapid.T) *queue.Event {
	m.ids++
	e := &queue.Event{
		ID:          fmt.Sprintf("01jz%022d", m.ids),
		At:          someInstants.Draw(rt, "at"),
		Command:     someTexts.Draw(rt, "command"),
		OperationID: someTexts.Draw(rt, "operation"),
		MessageID:   someTexts.Draw(rt, "message"),
		Hops:        rapid.IntRange(0, 3).Draw(rt, "hops"),
		Body:        make([]byte, rapid.SampledFrom([]int{0, 10, 2000, 20_000}).Draw(rt, "body")),
	}
	for _, sink := range rapid.SliceOfNDistinct(someSinks, 1, 4, rapid.ID).Draw(rt, "sinks") {
		e.Targets = append(e.Targets, queue.Target{
			Sink:  sink,
			Key:   someKeys.Draw(rt, "key"),
			Rules: rapid.SliceOfN(someTexts, 0, 2).Draw(rt, "rules"),
		})
	}
	return e
}

// settlements changes the state of some deliveries that are not done, and moves some floors.
func (m *machine) settlements(rt *rapid.T) *queue.Batch {
	k := m.model.kept
	open := k.searchLocked(queue.Filter{}, queue.Ref{}, 1000)
	b := &queue.Batch{}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, 20), 0, 4, rapid.ID).Draw(rt, "deliveries") {
		if i >= len(open) {
			continue
		}
		w := open[i]
		if w.State != queue.WaitingTurn && rapid.Bool().Draw(rt, "gone") {
			b.Gone = append(b.Gone, w.Ref)
			continue
		}
		key := w.Event.Targets[slices.IndexFunc(w.Event.Targets, func(t queue.Target) bool { return t.Sink == w.Sink })].Key
		b.Rows = append(b.Rows, queue.Row{
			Ref: w.Ref, State: someStates.Draw(rt, "state"), Lane: queue.LaneOf(key), Due: someInstants.Draw(rt, "due"),
			Attempts: w.Attempts + 1, Status: rapid.SampledFrom([]int{0, 404, 503}).Draw(rt, "status"), Reason: someTexts.Draw(rt, "reason"),
		})
	}
	for _, sink := range rapid.SliceOfNDistinct(someSinks, 0, 4, rapid.ID).Draw(rt, "cursors") {
		c := queue.Cursor{Sink: sink}
		if kept := k.sinks[sink]; kept != nil {
			c = *kept
		}
		c.Floor = rapid.Uint64Range(c.Floor, max(c.Floor, k.head)).Draw(rt, "floor")
		c.Accepted, c.Settled = k.head, c.Floor
		b.Sinks = append(b.Sinks, c)
	}
	return b
}

func (m *machine) pause(rt *rapid.T) {
	c := queue.Cursor{Sink: someSinks.Draw(rt, "sink")}
	if kept := m.model.kept.sinks[c.Sink]; kept != nil {
		c = *kept
	}
	if c.Paused = someTexts.Draw(rt, "why"); c.Paused != "" {
		c.PausedAt = someInstants.Draw(rt, "when")
	}
	m.commit(rt, &queue.Batch{Sinks: []queue.Cursor{c}})
}

// trim removes some, which nothing but Usage and Event of what is done can tell.
func (m *machine) trim(rt *rapid.T) {
	_, err := m.store.Trim(m.t.Context(), rapid.IntRange(1, 10).Draw(rt, "n"))
	must(rt, err)
}

func (m *machine) trimAll(rt *rapid.T) {
	for _, s := range []queue.Store{m.store, m.model} {
		for more := true; more; {
			var err error
			more, err = s.Trim(m.t.Context(), 3)
			must(rt, err)
		}
	}
	same(rt, "events left", m.store.Usage().Events, m.model.Usage().Events)
	same(rt, "oldest left", m.store.Usage().Oldest, m.model.Usage().Oldest)
}

func (m *machine) crash(rt *rapid.T) {
	m.maker.Crash(m.t, m.store)
	m.reopen(rt)
}

func (m *machine) restart(rt *rapid.T) {
	must(rt, m.store.Close())
	m.reopen(rt)
}

func (m *machine) reopen(rt *rapid.T) {
	m.store, m.model = m.maker.Open(m.t), m.model.Reopen()
	got, err := m.store.Load(m.t.Context())
	must(rt, err)
	want, err := m.model.Load(m.t.Context())
	must(rt, err)
	for _, snap := range []*queue.Snapshot{got, want} {
		slices.SortFunc(snap.Sinks, func(a, b queue.SinkSnapshot) int { return strings.Compare(a.Sink, b.Sink) })
		for _, s := range snap.Sinks {
			delete(s.Rows, queue.Skipped) // when these go is the store's business
		}
	}
	same(rt, "Load", got, want)
}

// compare asks both everything.
func (m *machine) compare(rt *rapid.T) {
	ctx := m.t.Context()
	f := queue.Filter{}
	if rapid.Bool().Draw(rt, "filter") {
		f.Sink = rapid.OneOf(rapid.Just(""), someSinks).Draw(rt, "sink")
		f.States = rapid.SliceOfN(rapid.OneOf(rapid.Just(queue.WaitingTurn), someStates), 0, 2).Draw(rt, "states")
		f.Command, f.Key = someTexts.Draw(rt, "command"), someKeys.Draw(rt, "key")
		f.Status = rapid.SampledFrom([]int{0, 0, 404}).Draw(rt, "status")
	}
	want, _ := m.model.Search(ctx, f, queue.Ref{}, 1000)
	var got []queue.Waiting
	for n, before := rapid.IntRange(1, 30).Draw(rt, "page"), (queue.Ref{}); ; {
		page, err := m.store.Search(ctx, f, before, n)
		must(rt, err)
		if len(page) == 0 {
			break
		}
		got, before = append(got, page...), page[len(page)-1].Ref
	}
	same(rt, "Search", got, want)
	count, err := m.store.Count(ctx, f)
	must(rt, err)
	same(rt, "Count", count, len(want))
	for _, w := range want {
		e, err := m.store.Event(ctx, w.Event.ID)
		must(rt, err)
		wanted, _ := m.model.Event(ctx, w.Event.ID)
		same(rt, "Event", e, wanted)
	}
	m.compareSink(rt, someSinks.Draw(rt, "sink to read"))
}

func (m *machine) compareSink(rt *rapid.T, sink string) {
	ctx, k := m.t.Context(), m.model.kept
	floor := uint64(0)
	if c := k.sinks[sink]; c != nil {
		floor = c.Floor
	}
	n, upTo := rapid.IntRange(1, 10).Draw(rt, "n"), rapid.Uint64Range(0, k.head+1).Draw(rt, "upTo")
	var want, got []*queue.Event
	for after := floor; after < k.head; {
		events, upTo, _ := m.model.Read(ctx, sink, after, n, 4000)
		want, after = append(want, events...), upTo
	}
	for after := floor; after < k.head; {
		events, upTo, err := m.store.Read(ctx, sink, after, n, 4000)
		must(rt, err)
		if upTo <= after {
			rt.Fatalf("Read after %d came up to %d", after, upTo)
		}
		got, after = append(got, events...), upTo
	}
	same(rt, "Read", got, want)

	now := someInstants.Draw(rt, "now")
	wantDue, wantNext, _ := m.model.Due(ctx, sink, now, upTo, n)
	gotDue, gotNext, err := m.store.Due(ctx, sink, now, upTo, n)
	must(rt, err)
	same(rt, "Due", gotDue, wantDue)
	same(rt, "next due", gotNext, wantNext)

	lane := queue.LaneOf(someKeys.Draw(rt, "lane"))
	wantLane, _ := m.model.Lane(ctx, sink, lane, upTo, n)
	gotLane, err := m.store.Lane(ctx, sink, lane, upTo, n)
	must(rt, err)
	same(rt, "Lane", gotLane, wantLane)
}

func must(rt *rapid.T, err error) {
	if err != nil {
		rt.Fatal(err)
	}
}

func same(rt *rapid.T, what string, got, want any) {
	if diff := cmp.Diff(want, got, alike); diff != "" {
		rt.Fatalf("%s (-model +store):\n%s", what, diff)
	}
}
