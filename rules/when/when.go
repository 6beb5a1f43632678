// Package when compiles the conditions of rules and evaluates them.
//
// Compile turns an expression into a Cond, or says where and why it cannot. NewEnv collects the
// conditions of one table; Env.Bind shows them one callback. Evaluation does no I/O, reads no
// clock, and is bounded in steps and memory.
package when

import (
	"time"

	"callboard/openim"
)

// A Problem is a finding at a place of an expression.
type Problem struct {
	Warning    bool
	ID         string // stable, kebab-case
	Start, End int    // byte offsets into the source; both 0: the whole expression
	Message    string
	Hint       string
}

// A Cond is a compiled condition: read-only, safe for concurrent use.
type Cond struct{}

// Compile compiles src for callbacks of the given commands (nil: for all, and unknown ones).
// The Cond is nil when any problem is not a warning.
func Compile(src string, commands []*openim.Command) (*Cond, []Problem) { panic("not built yet") }

// Source returns the text that was compiled.
func (c *Cond) Source() string { panic("not built yet") }

// An Env is what the conditions of one table read: read-only, safe for concurrent use.
type Env struct{}

// NewEnv collects what conds read; only that is filled for each callback.
func NewEnv(conds []*Cond) *Env { panic("not built yet") }

// Bind shows a callback to the conditions. now is what they read as now. Release the Scope after use.
func (e *Env) Bind(cb *openim.Callback, now time.Time) *Scope { panic("not built yet") }

// A Scope is one callback as conditions see it: pooled, for one goroutine. It has a budget of
// steps for each evaluation and for all together.
type Scope struct{}

// Eval evaluates a condition given to NewEnv. An error means that it failed or ran out of its
// budget; the result is then false.
func (s *Scope) Eval(c *Cond) (bool, error) { panic("not built yet") }

// A Part is a part of a condition with its value, for explanations.
type Part struct {
	Depth int    // of nesting, 0 for the whole
	Text  string // the part's source
	Value string // its value as text: true, false, "g-1", [], error: …
	Err   bool   // whether Value is an error
}

// Explain evaluates every part of a condition for itself: its operands of && || and not, and the
// fields they compare.
func (s *Scope) Explain(c *Cond) []Part { panic("not built yet") }

// Notes lists what was cut for this callback (long lists, long texts), for the trace.
func (s *Scope) Notes() []string { panic("not built yet") }

// Release gives the Scope back. It must not be used afterwards.
func (s *Scope) Release() { panic("not built yet") }
