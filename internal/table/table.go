// Package table keeps a rules folder's table current: it reads the folder, checks it, makes the
// sinks, and hands over a whole new table whenever the folder's contents have changed for the better.
//
// New makes a Keeper; Keeper.Run watches. What is wrong with the folder is in Keeper.Status.
package table

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callboard/internal/diag"
	"callboard/internal/queue"
	"callboard/router"
	"callboard/rules"
)

// Options configures a Keeper. Dir and Publish are required.
type Options struct {
	// Dir is the rules folder, or a single rules file.
	Dir string
	// Rules is handed to rules.Load.
	Rules rules.Options
	// Dial makes the sinks' connections. Nil means net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Publish receives each new table. It is called from one goroutine at a time.
	Publish func(*router.Table)
	// Deliver receives how deliveries to the sinks of each new table are made, before Publish gets the table. Nil means that
	// nobody wants to know.
	Deliver func([]queue.Sink)
	// WithoutQueue rejects rules that notify: there is nothing to keep deliveries in.
	WithoutQueue bool
	// Aside means that another folder's table serves: loading lets callbacks go first, also for the first time.
	Aside bool
	// Beside is called with each load that goes on beside callbacks, and calls it. Nil: it is just called.
	Beside func(load func())
	// Poll is the time between two looks without an event. Zero means 5 seconds.
	Poll time.Duration
	// Debounce is how long it must be quiet before a look. Zero means 200 ms.
	Debounce time.Duration
	// Log receives reloads and diagnostics. Nil discards.
	Log *slog.Logger
	// Registerer receives the metrics. Nil registers nothing.
	Registerer prometheus.Registerer
}

func (o Options) withDefaults() Options {
	o.Poll = cmp.Or(o.Poll, 5*time.Second)
	o.Debounce = cmp.Or(o.Debounce, 200*time.Millisecond)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Rules.ReadFile == nil {
		o.Rules.ReadFile = readReferenced
	}
	return o
}

// maxBurst bounds how long a stream of changes without a quiet moment can put off a look.
const maxBurst = 2 * time.Second

// A Keeper keeps one folder's table current. Its methods may be called at any time, by any goroutine,
// save that calls of Run must not overlap.
type Keeper struct {
	o       Options
	metrics *metrics
	demand  chan struct{} // a Reload that Run has not seen yet

	load func([]rules.File, rules.Options) (*rules.Set, []diag.Diagnostic) // of loads, but for tests

	looking  sync.Mutex // held for a whole look, so that tables are published in order; guards what follows
	seen     tree       // what the last read folder looked like before it was read
	waited   bool       // whether files that went missing or empty were given a second look
	contents contents   // read last
	judged   judgement  // of them
	loads    loads
	sinks    pool // of the serving table

	mu     sync.Mutex // guards status
	status Status
}

// New makes a Keeper that has read nothing.
func New(o Options) *Keeper {
	k := &Keeper{
		o:       o.withDefaults(),
		metrics: newMetrics(o.Registerer),
		demand:  make(chan struct{}, 1),
	}
	k.load = k.loads.load
	return k
}

// Load reads the folder now and publishes its table, unless it is the one that serves. It returns the
// diagnostics, warnings too, and an error when the folder's contents are not what serves.
func (k *Keeper) Load() ([]diag.Diagnostic, error) {
	k.looking.Lock()
	defer k.looking.Unlock()
	t, err := scan(k.o.Dir, k.judged.paths())
	_, _, err = k.take(t, err, nil)
	return slices.Clone(k.judged.diagnostics), err
}

// Reload asks Run to look now, whether or not it noticed a change. It does not wait.
func (k *Keeper) Reload() {
	select {
	case k.demand <- struct{}{}:
	default: // one is pending, and will see everything up to now
	}
}

// A Status is how the folder and the serving table stand.
type Status struct {
	Revision    string    // of the serving table, "" when there is none
	LoadedAt    time.Time // when it was published
	Rules       int
	Sinks       int
	Current     bool              // whether the folder's contents are what serves
	CheckedAt   time.Time         // of the last look that read the files
	Diagnostics []diag.Diagnostic // of the folder's contents at the last look
	Err         string            // what kept the folder from being read, or ""
}

// Status may be called at any time.
func (k *Keeper) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.status
	s.Diagnostics = slices.Clone(s.Diagnostics)
	return s
}

// setStatus changes the status in one step.
func (k *Keeper) setStatus(change func(*Status)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(&k.status)
}

// Run watches the folder until ctx ends. Where events are not to be had, it polls only.
func (k *Keeper) Run(ctx context.Context) error {
	warnOfFileMount(k.o.Dir, k.o.Log)
	w := newWatcher(k.o.Log)
	defer w.close()
	k.watch(ctx, w)
	return nil
}
