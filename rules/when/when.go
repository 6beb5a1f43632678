// Package when compiles the conditions of rules, and the keys of deliveries, and evaluates them.
//
// Compile turns an expression into a Cond, CompileKey into a Key, or they say where and why they cannot. NewEnv collects
// those of one table; Env.Bind shows them one callback. Evaluation does no I/O, reads no
// clock, and is bounded in steps and memory.
//
// The language is expr's, cut down to what cannot run away (limits.go) and made to fit callbacks:
// fields are typed by the catalogue (schema.go), constants and helpers are rewritten into plain
// comparisons (desugar.go), and what a sender could make expensive is charged for (charge.go).
package when

import (
	"slices"
	"sync"
	"weak"

	"callboard/openim"
	"callboard/rules/formula"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// A Problem is a finding at a place of an expression.
type Problem struct {
	Warning    bool
	ID         string // stable, kebab-case
	Start, End int    // byte offsets into the source; both 0: the whole expression
	Message    string // what is wrong, lower case, no full stop
	Hint       string // what would be right, or ""
}

// A Cond is a compiled condition: read-only, safe for concurrent use.
type Cond struct {
	source    string
	schema    *schema
	program   *vm.Program
	slots     []slot   // the fields it reads
	reads     []string // the names it reads, sorted
	candidate formula.Formula

	mu    sync.Mutex // guards what follows
	apart weak.Pointer[explainable]
}

// Compile compiles src for callbacks of the given commands (none: for all, and unknown ones; a
// rule that names an unknown command beside known ones is compiled for all, too). The Cond is nil
// when any problem is not a warning. Problems are in the order of their places. Compile is safe
// for concurrent use.
func Compile(src string, commands []*openim.Command) (*Cond, []Problem) {
	return compileFor(src, schemaFor(commands))
}

func compileFor(src string, s *schema) (*Cond, []Problem) {
	d := newDraft(src, s)
	var candidate formula.Formula
	d.beforeLowering = func(n ast.Node) { candidate = (&extractor{draft: d}).candidate(n) }
	program := d.compile()
	slices.SortStableFunc(d.problems, func(a, b Problem) int { return a.Start - b.Start })
	if program == nil {
		return nil, d.problems
	}
	return &Cond{source: src, schema: d.schema, program: program, slots: d.slots, reads: d.reads, candidate: candidate}, d.problems
}

// Source returns the text that was compiled.
func (c *Cond) Source() string { return c.source }

// Reads returns the names of the fields and other values that the condition reads (command,
// text, headers, …), sorted. The slice must not be changed.
func (c *Cond) Reads() []string { return c.reads }
