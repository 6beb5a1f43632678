package when

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/vm"

	"callboard/rules/formula"
)

// Candidate returns what is necessary for the condition to be true or to fail: for every callback that the formula
// excludes, Eval is false without an error. Only an evaluation that ends because the conditions of a callback took too
// many steps together may do so for a callback that the formula excludes.
func (c *Cond) Candidate() formula.Formula { return c.candidate }

// WhenTrue returns what is necessary for the condition to be true. It is worked out anew each time.
func (c *Cond) WhenTrue() formula.Formula {
	var f formula.Formula
	c.extract(func(e *extractor, n ast.Node) { f, _ = e.truth(n, true) })
	return f
}

// WhenFalse returns what is necessary for the condition to be false. It is worked out anew each time.
func (c *Cond) WhenFalse() formula.Formula {
	var f formula.Formula
	c.extract(func(e *extractor, n ast.Node) { f, _ = e.truth(n, false) })
	return f
}

// A Gap is a part of a condition that makes nothing necessary that an index could use, or hides what another part
// does.
type Gap struct {
	Start, End int    // of the part in the source, as byte offsets
	Text       string // the part's source
	Because    string // "it negates a comparison", …
	Rewrite    string // how the condition could say the same so that it can be used, "" when there is no way
	Hides      bool   // the part can fail, and what stands behind it with && is not used because of that

	end int // of what the rewrite replaces
}

// Gaps returns what Candidate could not use, in the order of the source. It is worked out anew each time.
func (c *Cond) Gaps() []Gap {
	var gaps []Gap
	c.extract(func(e *extractor, n ast.Node) {
		e.orFails = true
		e.note = func(g gap) {
			start, end := e.placeOf(g.node)
			told := Gap{Start: start, End: end, Text: e.src.text[start:end], Because: g.because, Rewrite: g.rewrite, Hides: g.hides}
			told.end = end
			if g.behind != nil {
				_, told.end = e.placeOf(g.behind)
			}
			i := slices.IndexFunc(gaps, func(other Gap) bool { return other.Text == told.Text })
			switch {
			case told.Text == "":
			case i < 0:
				gaps = append(gaps, told)
			case told.Hides:
				gaps[i] = told
			}
		}
		e.candidate(n)
	})
	return gaps
}

// Rewritten returns the Candidate of the condition with the rewrite of one of its Gaps in place, which must have one. It is worked
// out anew each time.
func (c *Cond) Rewritten(g Gap) formula.Formula {
	var f formula.Formula
	rewritten := Cond{source: c.source[:g.Start] + "(" + g.Rewrite + ")" + c.source[g.end:], schema: c.schema}
	rewritten.extract(func(e *extractor, n ast.Node) { f = e.candidate(n) })
	return f
}

// extract calls f with the condition's tree as it was before lowering. A tree takes more memory than a program, so
// Cond does not keep it.
func (c *Cond) extract(f func(*extractor, ast.Node)) {
	d := newDraft(c.source, c.schema)
	d.withConfig(func() *vm.Program {
		if !d.parse() {
			return nil
		}
		if _, err := checker.Check(d.tree, d.config); err != nil {
			return nil
		}
		if d.desugar() {
			if _, err := checker.Check(d.tree, d.config); err != nil {
				return nil
			}
		}
		if d.optimise() == nil {
			f(&extractor{draft: d}, d.tree.Node)
		}
		return nil
	})
}
