// Package table keeps a rules folder's table current: it reads the folder, checks it, makes the
// sinks, and hands over a whole new table whenever the folder's contents have changed for the better.
//
// New makes a Keeper; Keeper.Run watches. What is wrong with the folder is in Keeper.Status.
package table

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callboard/internal/diag"
	"callboard/router"
	"callboard/rules"
)

// Options configures a Keeper. Dir and Publish are required.
type Options struct {
	// Dir is the rules folder, or a single rules file.
	Dir string
	// Rules is handed to rules.Load.
	Rules rules.Options
	// Publish receives each new table. It is called from one goroutine at a time.
	Publish func(*router.Table)
	// Poll is the time between two looks without an event. Zero means 5 seconds.
	Poll time.Duration
	// Debounce is how long it must be quiet before a look. Zero means 200 ms.
	Debounce time.Duration
	// Log receives reloads and diagnostics. Nil discards.
	Log *slog.Logger
	// Registerer receives the metrics. Nil registers nothing.
	Registerer prometheus.Registerer
}

// A Keeper keeps one folder's table current.
type Keeper struct{}

// New makes a Keeper that has read nothing.
func New(o Options) *Keeper { panic("not built yet") }

// Load reads the folder now and publishes its table. It returns the diagnostics, warnings too, and
// an error when no table could be published.
func (k *Keeper) Load() ([]diag.Diagnostic, error) { panic("not built yet") }

// Run watches the folder until ctx ends.
func (k *Keeper) Run(ctx context.Context) error { panic("not built yet") }

// Reload asks Run to look now. It does not wait.
func (k *Keeper) Reload() { panic("not built yet") }

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
func (k *Keeper) Status() Status { panic("not built yet") }

// ReadDir reads the rules files of a folder (or the one file) in the order that tables use: *.yaml and
// *.yml but not *_test.yaml, subfolders included, names beginning with a dot left out.
func ReadDir(dir string) ([]rules.File, error) { panic("not built yet") }
