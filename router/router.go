// Package router answers IMServer: it matches a callback against the current table, asks the
// sinks under one deadline, and writes the verdict.
//
// New makes a Gateway, an http.Handler; Decide is the verdict as a pure function of the votes in
// hand. Reading rules and making sinks are the business of packages rules and sinks.
package router

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// An Asker asks one sink. *sinks.Sink is one.
type Asker interface {
	// Ask returns soon after ctx ends. It may be called concurrently.
	Ask(ctx context.Context, r sinks.Request) sinks.Result
}

// A Table is what one request works with from its first step to its last: read-only.
type Table struct {
	Rules *rules.Set
	Sinks map[string]Asker // sink name → sink, for every sink of Rules
}

// Options configures a Gateway. The zero value is ready to use.
type Options struct {
	// Version is the IMServer line that replies are written for.
	Version openim.Version
	// AnswerWithin is the budget of a callback, from its last byte read to the answer. Zero means 4 seconds.
	AnswerWithin time.Duration
	// RefuseOnTrouble refuses what cannot be handled (broken JSON, no rules yet …) instead of allowing it.
	RefuseOnTrouble bool
	// MaxBody bounds a callback's body in bytes. Zero means 8 MiB.
	MaxBody int64
	// MaxInFlight bounds the callbacks handled at one time; more are answered at once as trouble. Zero means 4096.
	MaxInFlight int
	// Log receives one line a callback (at info level) and what went wrong. Nil discards.
	Log *slog.Logger
	// Registerer receives the metrics. Nil registers nothing.
	Registerer prometheus.Registerer
	// OnTrace is called after each answer with why it is what it is. It must return at once and may be
	// called concurrently. Nil means nobody looks.
	OnTrace func(*Trace)
}

// A Gateway answers callbacks. It is an http.Handler.
type Gateway struct{}

// New makes a Gateway that has no table yet: until Swap, callbacks are trouble.
func New(o Options) *Gateway { panic("not built yet") }

// Swap makes t the table of the requests that begin from now on. It may be called at any time.
func (g *Gateway) Swap(t *Table) { panic("not built yet") }

// Table returns the current table, nil before the first Swap.
func (g *Gateway) Table() *Table { panic("not built yet") }

// ServeHTTP answers one callback: always status 200 and one JSON object, inside the budget.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { panic("not built yet") }

// Drain makes the gateway wait until the callbacks in flight and lingering requests are done, or ctx ends.
func (g *Gateway) Drain(ctx context.Context) error { panic("not built yet") }

// A Trace tells why a callback ended as it did.
type Trace struct {
	ID          string // of this callback, given by Callboard
	Command     string // wire name, "" when it did not decode
	Source      string
	OperationID string
	MessageID   string
	Received    time.Time
	Duration    time.Duration // to the answer
	Revision    string        // of the table
	Rules       []RuleTrace   // that matched, or failed
	Asked       []SinkTrace   // in the order of rules and their sinks
	Verdict     openim.Verdict
	DecidedBy   string   // name of the rule, "" when none did
	Why         string   // one sentence for people
	Notes       []string // fields left out, lists cut, and the like
	Trouble     string   // kind of trouble, "" when there was none: broken_json, no_rules, too_large …
	Reply       []byte   // as sent
}

// A RuleTrace is what one rule came to.
type RuleTrace struct {
	Rule     string
	Err      string // of its condition
	Decision string // "allow", "refuse", "undecided", "" when it decides nothing
	Why      string
	Ignored  bool // the condition failed and on_error is skip
}

// A SinkTrace is what one sink came to.
type SinkTrace struct {
	sinks.Result
	Done bool // whether its result was in when the answer left
}
