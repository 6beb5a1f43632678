package sqlite

import (
	"time"

	"callboard/internal/queue"
)

// A scanner makes events and rows from what statements return. It serves one call.
type scanner struct {
	s     *store
	dir   *directory
	texts texts

	row   scannedRow
	event scannedEvent
}

type scannedRow struct {
	sink  int
	seq   int64
	state uint8
	lane  int64
	due   int64
	queue.Row
}

type scannedEvent struct {
	at      int64
	targets []byte
	queue.Event
}

func (s *store) scanner() *scanner { return &scanner{s: s, dir: s.dir.Load(), texts: texts{}} }

// scans is what *sql.Row and *sql.Rows do.
type scans interface{ Scan(to ...any) error }

// rowTo and eventTo are where rowColumns and eventColumns go.
func (sc *scanner) rowTo(to []any) []any {
	r := &sc.row
	return append(to, &r.sink, &r.seq, &r.state, &r.lane, &r.due, &r.Attempts, &r.Status, &r.Reason)
}

func (sc *scanner) eventTo(to []any) []any {
	e := &sc.event
	return append(to, &e.Seq, &e.ID, &e.at, &e.Command, &e.Source, &e.OperationID, &e.MessageID, &e.TraceParent, &e.Hops,
		&e.ReplayOf, &e.targets)
}

// whole reads an event with its body, summary one without.
func (sc *scanner) whole(from scans) (*queue.Event, error) {
	var to [12]any
	if err := from.Scan(append(sc.eventTo(to[:0]), &sc.event.Body)...); err != nil {
		return nil, err
	}
	return sc.scannedEvent()
}

func (sc *scanner) summary(from scans) (*queue.Event, error) {
	var to [11]any
	if err := from.Scan(sc.eventTo(to[:0])...); err != nil {
		return nil, err
	}
	return sc.scannedEvent()
}

// waiting reads a row with its event and the event's body.
func (sc *scanner) waiting(from scans) (queue.Waiting, error) {
	var to [20]any
	if err := from.Scan(append(sc.eventTo(sc.rowTo(to[:0])), &sc.event.Body)...); err != nil {
		return queue.Waiting{}, err
	}
	e, err := sc.scannedEvent()
	return queue.Waiting{Row: sc.scannedRow(), Event: e}, err
}

// onlyRow reads a row.
func (sc *scanner) onlyRow(from scans) (queue.Row, error) {
	var to [8]any
	if err := from.Scan(sc.rowTo(to[:0])...); err != nil {
		return queue.Row{}, err
	}
	return sc.scannedRow(), nil
}

func (sc *scanner) scannedEvent() (*queue.Event, error) {
	e := sc.event.Event
	e.At = time.UnixMilli(sc.event.at).UTC()
	var err error
	if e.Targets, err = unpackTargets(sc.event.targets, sc.dir, sc.texts); err != nil {
		// It may name a sink that is new since the call began; a commit tells of those while it holds the lock.
		sc.s.mu.Lock()
		sc.dir = sc.s.dir.Load()
		sc.s.mu.Unlock()
		e.Targets, err = unpackTargets(sc.event.targets, sc.dir, sc.texts)
	}
	sc.event.Body = nil // the caller's now
	return &e, err
}

func (sc *scanner) scannedRow() queue.Row {
	r := sc.row.Row
	r.Seq, r.State, r.Lane, r.Due = uint64(sc.row.seq), queue.State(sc.row.state), uint64(sc.row.lane), instant(sc.row.due)
	if sc.row.sink < len(sc.dir.names) {
		r.Sink = sc.dir.names[sc.row.sink]
	}
	return r
}
