// Package queuetest says what a queue.Store must do, as tests that any store can run (Run), and has the simplest
// store that does it (Memory), for tests of what is built on one.
package queuetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"callboard/internal/queue"
)

// A Maker opens stores over one and the same place. Opening again while another is open must work only after Close or
// after Crash.
type Maker struct {
	Open func(t testing.TB) queue.Store
	// Crash leaves the store behind as a killed process would, without closing it.
	Crash func(t testing.TB, s queue.Store)
}

// Run runs the whole suite; each test gets a Maker over a place of its own.
func Run(t *testing.T, make func(t testing.TB) Maker) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *place)
	}{
		{"a new store is empty", newStoreIsEmpty},
		{"an event comes back as it was given", eventComesBack},
		{"places ascend from 1, over restarts and also when everything was removed", placesAscend},
		{"what a commit returned for survives a crash", commitSurvivesCrash},
		{"a batch without events survives closing and whatever a later one with events does", settlementsSurvive},
		{"a commit whose context has ended keeps nothing", endedCommitKeepsNothing},
		{"reading passes over rows and over the events of other sinks", readPassesOver},
		{"reading in pieces finds each event once, in order", readInPieces},
		{"reading tells how far it came, also where nothing was found", readTellsHowFar},
		{"a row replaces the one before", rowReplaces},
		{"what is due comes earliest first, and what comes next is told", dueComesEarliestFirst},
		{"a lane comes in order", laneComesInOrder},
		{"searching goes newest first, a page at a time", searchPages},
		{"searching chooses by each field of a filter", searchFilters},
		{"what is done or skipped is not found", searchLeavesOut},
		{"an event is found by its id until it is removed", eventByID},
		{"a pause lasts over restarts", pauseLasts},
		{"loading counts rows, lanes and what is due", loadCounts},
		{"trimming removes what is done for all its sinks and nothing else", trimRemovesDone},
		{"trimming goes on above the floor of a sink that stands still", trimPassesDeadSink},
		{"trimming removes about as many as it is told", trimIsBounded},
		{"usage grows with events and falls when they go", usageFollows},
		{"everybody may call at the same time", concurrent},
		{"a closed store says so", closedSaysSo},
		{"a store equals the model after any sequence of calls, crashes and restarts", equalsModel},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &place{TB: t, Maker: make(t), another: make}
			p.open()
			defer func() { _ = p.store.Close() }()
			test.run(t, p)
		})
	}
}

// A place is where a test has its store, opened, with what is said to it in short.
type place struct {
	testing.TB
	Maker
	another func(t testing.TB) Maker // of another place
	store   queue.Store
	ids     int
}

func (p *place) open() *queue.Snapshot {
	p.Helper()
	p.store = p.Open(p.TB)
	snap, err := p.store.Load(p.Context())
	if err != nil {
		p.Fatalf("Load: %v", err)
	}
	return snap
}

func (p *place) restart() *queue.Snapshot {
	p.Helper()
	if err := p.store.Close(); err != nil {
		p.Fatalf("Close: %v", err)
	}
	return p.open()
}

func (p *place) crash() *queue.Snapshot {
	p.Helper()
	p.Crash(p.TB, p.store)
	return p.open()
}

func (p *place) commit(b queue.Batch) {
	p.Helper()
	if err := p.store.Commit(p.Context(), &b); err != nil {
		p.Fatalf("Commit: %v", err)
	}
}

// append appends an event for each list of targets, which are written "sink" or "sink/key", with spaces between.
func (p *place) append(targets ...string) []*queue.Event {
	p.Helper()
	var events []*queue.Event
	for _, list := range targets {
		events = append(events, p.event(list))
	}
	p.commit(queue.Batch{Events: events})
	return events
}

// began is when the first event of a place was accepted; each further one comes a second later.
var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func (p *place) event(list string) *queue.Event {
	p.ids++
	e := &queue.Event{
		ID:      fmt.Sprintf("01jz%022d", p.ids),
		At:      began.Add(time.Duration(p.ids) * time.Second),
		Command: "callbackAfterSendGroupMsgCommand",
		Body:    fmt.Appendf(nil, `{"n":%d}`, p.ids),
	}
	for _, target := range strings.Fields(list) {
		sink, key, _ := strings.Cut(target, "/")
		e.Targets = append(e.Targets, queue.Target{Sink: sink, Key: key, Rules: []string{"rule-of-" + sink}})
	}
	return e
}

// floor moves a sink's floor.
func (p *place) floor(sink string, seq uint64) {
	p.Helper()
	p.commit(queue.Batch{Sinks: []queue.Cursor{{Sink: sink, Floor: seq}}})
}

// row is a row in a state, of no lane, due a number of seconds after began.
func row(sink string, seq uint64, state queue.State, due int) queue.Row {
	return queue.Row{Ref: queue.Ref{Sink: sink, Seq: seq}, State: state, Due: began.Add(time.Duration(due) * time.Second), Attempts: 1}
}

// inLane puts a row into the lane of a key.
func inLane(key string, r queue.Row) queue.Row {
	r.Lane = queue.LaneOf(key)
	return r
}

func (p *place) rows(rows ...queue.Row) {
	p.Helper()
	p.commit(queue.Batch{Rows: rows})
}

func (p *place) search(f queue.Filter) []queue.Waiting {
	p.Helper()
	found, err := p.store.Search(p.Context(), f, queue.Ref{}, 1000)
	if err != nil {
		p.Fatalf("Search(%+v): %v", f, err)
	}
	return found
}

// refs writes deliveries as "sink:seq state", with commas between.
func refs(ws []queue.Waiting) string {
	names := [...]string{"none", "waiting", "retrying", "blocked", "stuck", "dead", "skipped"}
	var out []string
	for _, w := range ws {
		out = append(out, fmt.Sprintf("%s:%d %s", w.Sink, w.Seq, names[w.State]))
	}
	return strings.Join(out, ", ")
}

// trimAll trims until there is no more.
func (p *place) trimAll() {
	p.Helper()
	for range 1000 {
		more, err := p.store.Trim(p.Context(), 100)
		if err != nil {
			p.Fatalf("Trim: %v", err)
		}
		if !more {
			return
		}
	}
	p.Fatal("Trim never comes to an end")
}

// left tells which of events are still there.
func (p *place) left(events []*queue.Event) (seqs []uint64) {
	p.Helper()
	for _, e := range events {
		if _, err := p.store.Event(p.Context(), e.ID); err == nil {
			seqs = append(seqs, e.Seq)
		}
	}
	return seqs
}

// read reads all that a sink has to read after a place, n at a time.
func (p *place) read(sink string, after uint64, n, maxBytes int) (events []*queue.Event) {
	p.Helper()
	head := p.head()
	for after < head {
		es, upTo, err := p.store.Read(p.Context(), sink, after, n, maxBytes)
		if err != nil {
			p.Fatalf("Read(%s, %d): %v", sink, after, err)
		}
		if upTo <= after || len(es) > 0 && es[len(es)-1].Seq > upTo {
			p.Fatalf("Read(%s, %d) came up to %d with %d events", sink, after, upTo, len(es))
		}
		events, after = append(events, es...), upTo
	}
	return events
}

// head appends nothing and asks nothing that a store keeps secret: reading for a sink that does not exist comes to the head.
func (p *place) head() uint64 {
	p.Helper()
	_, upTo, err := p.store.Read(context.Background(), "nobody", 0, 1, 1)
	if err != nil {
		p.Fatalf("Read: %v", err)
	}
	return upTo
}

// alike takes nil and empty for the same, and bodies as a whole: byte by byte, go-cmp takes milliseconds for each.
var alike = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterValues(func(a, b []byte) bool { return len(a)+len(b) > 0 }, cmp.Comparer(bytes.Equal)),
}

// equal fails the test unless two values are alike.
func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, alike); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}
