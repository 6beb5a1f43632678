package queue

import (
	"context"
	"time"
)

// A Store keeps the log of events and what became of their deliveries.
//
// The model, the same for every store: events stand in a log in the order of acceptance. For each sink there is a
// cursor, its floor: a delivery at or below the floor that has no row is done. A delivery above the floor that has no row
// is waiting. A row exists only for an exception, above or below the floor, and says which (State). So a delivery that
// works the first time costs no row.
//
// One Queue owns one Store: calls of Commit never overlap, all others may run beside it and beside each other. A store of
// several owners gives each its own Store over a partition of the keys, held by a lease whose epoch every Commit
// checks: it fails with ErrLost once another has taken over.
//
// After a crash at any moment the store holds exactly the batches whose Commit returned nil, and possibly the one that was
// under way, whole.
type Store interface {
	// Load tells how things stand. It is called once, before anything else, and must take seconds and little memory
	// with a million events waiting.
	Load(ctx context.Context) (*Snapshot, error)

	// Commit makes a batch durable, all of it or nothing, and sets Seq of its events. Where it fails because there is no
	// room, errors.Is(err, ErrFull) holds. After an error nothing of the batch is in the store, and it may be
	// given again. A batch without events need not be synced when Commit returns: losing it only repeats deliveries, as long
	// as no later batch survives without it.
	Commit(ctx context.Context, b *Batch) error

	// Read returns events after a place in the log that have sink as a target and no row for it, in order, at most n of them
	// and about maxBytes of bodies (at least one event). upTo is how far the log has been read: the place to read on from. Where
	// upTo reaches the head of the log, there are no more for now.
	Read(ctx context.Context, sink string, after uint64, n, maxBytes int) (events []*Event, upTo uint64, err error)

	// Due returns rows of a sink in state Retrying whose Due is not after now and whose Seq is at most upTo, earliest
	// first, with their events. next is the Due of the first one that it did not return, the zero time for none.
	Due(ctx context.Context, sink string, now time.Time, upTo uint64, n int) (due []Waiting, next time.Time, err error)

	// Lane returns rows of a sink's lane in states Retrying, Blocked and Stuck whose Seq is at most upTo, by Seq, with their
	// events.
	Lane(ctx context.Context, sink string, lane uint64, upTo uint64, n int) ([]Waiting, error)

	// Search returns deliveries that are not done, newest first, at most n, that come before a place: the Seq and Sink of the
	// last one of the page before, a zero Ref for the first page. Bodies are left out. Deliveries without a row have
	// State WaitingTurn. It may take long and must not hold up Commit.
	Search(ctx context.Context, f Filter, before Ref, n int) ([]Waiting, error)

	// Count counts what Search would return.
	Count(ctx context.Context, f Filter) (int, error)

	// Event returns one event with its body, by callback id. It returns ErrNotFound when there is none, or no longer.
	Event(ctx context.Context, id string) (*Event, error)

	// Trim removes events that are done for all their sinks, at most about n of them, oldest first, in a transaction of its
	// own, and gives back space. It reports whether there may be more. Calls do not overlap; Commit goes on beside it.
	Trim(ctx context.Context, n int) (more bool, err error)

	// Usage tells how much there is. It is cheap, and as of the last Commit or Trim.
	Usage() Usage

	// Close ends it. All that Commit returned nil for is durable then, batches without events too.
	Close() error
}

// A Batch is what one Commit writes.
type Batch struct {
	Events []*Event // to append, in this order
	Rows   []Row    // to insert, or to replace
	Gone   []Ref    // whose rows are to be removed
	Sinks  []Cursor // to insert, or to replace
}

// A Ref names a delivery.
type Ref struct {
	Sink string
	Seq  uint64
}

// A Cursor is what is kept of a sink.
type Cursor struct {
	Sink  string
	Floor uint64 // see Store
	// Accepted counts the sink's deliveries that were ever in the log, Settled those of them that are at or below the floor, or
	// above it and have had a row: the difference waits for its turn. Counting them anew would mean reading the log.
	Accepted, Settled uint64
	Paused            string    // why nothing is sent, "" when something is
	PausedAt          time.Time // zero when it is not
}

// A Row is an exception: a delivery that is neither done nor simply waiting for its turn.
type Row struct {
	Ref
	State    State
	Lane     uint64    // LaneOf the target's key, 0 for none
	Due      time.Time // of the next attempt, where State is Retrying; else when it got into this state
	Attempts int       // made so far
	Status   int       // of the last attempt
	Reason   string    // of the last attempt
}

// A State is what a delivery waits for.
type State uint8

// The states. The numbers are stored.
const (
	WaitingTurn State = iota + 1 // in the log; has no row
	Retrying                     // for Due
	Blocked                      // for the one before it with the same key
	Stuck                        // for a person, and so does its key
	Dead                         // for a person: a dead letter
	Skipped                      // for nothing: it is over. The store may remove the row once the floor has passed it
)

// A Waiting is a row with its event.
type Waiting struct {
	Row
	Event *Event
}

// A Snapshot is what Load finds.
type Snapshot struct {
	Head  uint64 // Seq of the last event ever appended, also when it has been trimmed
	Sinks []SinkSnapshot
}

// A SinkSnapshot is what Load finds of one sink.
type SinkSnapshot struct {
	Cursor
	Rows    map[State]int  // state → number of rows
	Lanes   map[uint64]int // lane → number of its rows in states Retrying, Blocked and Stuck
	NextDue time.Time      // the earliest Due of rows in state Retrying, zero for none
}

// A Filter chooses deliveries that are not done. The zero value chooses all; fields are joined by and.
type Filter struct {
	IDs          []string // delivery ids
	Sink         string
	States       []State
	Command      string // wire name
	Rule         string
	Key          string
	OperationID  string
	MessageID    string
	CallbackID   string
	Status       int
	Since, Until time.Time // of acceptance: Since ≤ At < Until; zero means open
}

// Usage is how much a store holds.
type Usage struct {
	Bytes  int64 // that are in use, without space that will be used again
	Events int64 // in the log
	Oldest time.Time
	// Of Commit, since the start: for metrics.
	Commits int64
	Written int64         // bytes, as far as known
	Sync    time.Duration // how long the last Commit with events took
}

// LaneOf hashes a key; 0 stands for no key only. Two keys that share a lane by chance only wait for each other.
func LaneOf(key string) uint64 {
	if key == "" {
		return 0
	}
	h := fnv64a(key)
	if h == 0 {
		return 1
	}
	return h
}

// fnv64a is the FNV-1a hash (Fowler, Noll, Vo), without the allocation of hash/fnv.
func fnv64a(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
