package when

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser/lexer"

	"callboard/rules/formula"
)

// An extractor reads formulas off a tree that is checked, rewritten and optimised, but not lowered yet. What it does not
// understand is formula.Anything: a mistake here would lose rules in silence, a gap only costs time.
type extractor struct {
	*draft
	orFails bool           // formulas are for "has this outcome or fails", not only for the outcome
	lets    []binding      // declared around the current node, innermost last
	entry   *formula.Field // the list whose entry # is, within a predicate
	loops   int            // predicates around the node whose safety is looked at
	visits  int
	spent   cost
	note    func(gap) // nil: gaps are not of interest
}

// A binding is a name that let declares.
type binding struct {
	name  string
	value ast.Node
}

// A gap is a Gap while the tree is there.
type gap struct {
	node             ast.Node
	because, rewrite string
	behind           ast.Node // the right of && or || that the rewrite puts in front of node, or nil
	hides            bool
}

// maxVisits bounds the work for one formula: variables and ternaries can name the same part many times.
const maxVisits = 20_000

// candidate returns what is necessary for n to be true or to fail.
func (e *extractor) candidate(n ast.Node) formula.Formula {
	e.orFails = true
	f, _ := e.truth(n, true)
	return formula.SomeOf(append(e.spent.exceeded(), f)...)
}

// truth returns what is necessary for n to come out as want, and whether evaluating n can fail for reasons other than
// the length of fields (cost.exceeded has those).
func (e *extractor) truth(n ast.Node, want bool) (formula.Formula, bool) {
	if e.visits++; e.visits > maxVisits {
		return formula.Formula{}, true
	}
	switch n := n.(type) {
	case *ast.BoolNode:
		return settled(n.Value == want), false
	case *ast.UnaryNode:
		if isNot(n.Operator) && !e.vague(n.Node) {
			return e.truth(n.Node, !want)
		}
	case *ast.BinaryNode:
		switch {
		case isAnd(n.Operator):
			return e.both(n, want, want)
		case isOr(n.Operator):
			return e.both(n, want, !want)
		case n.Operator == "==" || n.Operator == "!=":
			if other, value, ok := e.comparedBool(n); ok {
				return e.truth(other, (value == (n.Operator == "==")) == want)
			}
		}
	case *ast.ConditionalNode:
		if !e.vague(n.Cond) && !e.vague(n.Exp1) && !e.vague(n.Exp2) {
			return e.choice(n, want)
		}
	case *ast.VariableDeclaratorNode:
		fails := e.fails(n.Value)
		e.lets = append(e.lets, binding{n.Name, n.Value})
		f, exprFails := e.truth(n.Expr, want)
		e.lets = e.lets[:len(e.lets)-1]
		if fails {
			e.hide(n.Value)
			f = e.unless(f)
		}
		return f, fails || exprFails
	case *ast.IdentifierNode:
		if value, ok := e.variable(n.Value); ok && !e.vague(value) {
			spent := e.spent.clone()
			f, _ := e.truth(value, want)
			e.spent = spent // it was evaluated, and may have failed, where it was declared
			return f, false
		}
	}
	return e.leaf(n, want)
}

// settled returns the formula of what is always so or never.
func settled(so bool) formula.Formula {
	if so {
		return formula.Always
	}
	return formula.Never
}

// unless returns f for an outcome that is only reached when something evaluated before did not fail.
func (e *extractor) unless(f formula.Formula) formula.Formula {
	if e.orFails {
		return formula.Formula{}
	}
	return f.Inexact()
}

// both is for a && b when needed is true, where both must come out as want, and for a || b when it is false: there b is
// reached when a comes out as false, and so on.
func (e *extractor) both(n *ast.BinaryNode, want, needed bool) (formula.Formula, bool) {
	l, leftFails := e.operand(n.Left, want)
	r, rightFails := e.operand(n.Right, want)
	if needed {
		if leftFails && e.orFails {
			e.hideBehind(n, r.Op != formula.Anything && !rightFails)
			return l.Inexact(), true // a failure of the left is enough
		}
		f := formula.AllOf(l, r)
		return f, leftFails || rightFails
	}
	if leftFails {
		r = r.Inexact() // it is not reached when the left fails
	}
	return formula.SomeOf(l, r), leftFails || rightFails
}

// operand is truth of what stands where true or false is needed: nothing counts as false there, and other values fail.
func (e *extractor) operand(n ast.Node, want bool) (formula.Formula, bool) {
	if !e.vague(n) {
		return e.truth(n, want)
	}
	rewrite := ""
	if e.note != nil {
		rewrite = e.compared(n) + " == true"
	}
	e.miss(n, "it fails unless it is true, false or nothing", rewrite)
	if v, ok := e.view(n); ok && want && !e.orFails && v.view == formula.Plain {
		return formula.Of(formula.Atom{Field: v.field, Kind: formula.OneOf, Bools: []bool{true}}, true), true
	}
	e.fails(n)
	return formula.Formula{}, true
}

func (e *extractor) choice(n *ast.ConditionalNode, want bool) (formula.Formula, bool) {
	orFails := e.orFails
	e.orFails = false // that the question fails is seen to below
	yes, fails := e.truth(n.Cond, true)
	spent := e.spent.clone()
	no, _ := e.truth(n.Cond, false)
	e.orFails, e.spent = orFails, spent
	then, thenFails := e.truth(n.Exp1, want)
	otherwise, otherwiseFails := e.truth(n.Exp2, want)
	f := formula.SomeOf(formula.AllOf(yes, then), formula.AllOf(no, otherwise))
	if fails {
		e.hide(n.Cond)
		f = e.unless(f)
	}
	return f, fails || thenFails || otherwiseFails
}

// comparedBool takes x == true apart.
func (e *extractor) comparedBool(n *ast.BinaryNode) (other ast.Node, value, ok bool) {
	if b, isBool := n.Right.(*ast.BoolNode); isBool && !e.vague(n.Left) && n.Left.Type() == boolType {
		return n.Left, b.Value, true
	}
	if b, isBool := n.Left.(*ast.BoolNode); isBool && !e.vague(n.Right) && n.Right.Type() == boolType {
		return n.Right, b.Value, true
	}
	return nil, false, false
}

// vague reports whether n may be other than true, false or what its type says. The optimiser leaves the questions it makes
// without a type.
func (e *extractor) vague(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryNode:
		if isQuestion(n.Operator) {
			return false
		}
	case *ast.BuiltinNode:
		if n.Name == "any" { // of count(…) > 0
			return false
		}
	case *ast.VariableDeclaratorNode:
		return e.vague(n.Expr)
	case *ast.ConditionalNode:
		return e.vague(n.Exp1) || e.vague(n.Exp2)
	}
	return isUnknown(n) || n.Nature().Nil
}

// variable returns the value of a variable that let declares.
func (e *extractor) variable(name string) (ast.Node, bool) {
	for i := len(e.lets) - 1; i >= 0; i-- {
		if e.lets[i].name == name {
			return e.lets[i].value, true
		}
	}
	return nil, false
}

// leaf returns what a comparison, a call or a field makes necessary.
func (e *extractor) leaf(n ast.Node, want bool) (formula.Formula, bool) {
	fails := e.fails(n)
	if fails && e.orFails {
		e.miss(n, "it can fail", e.asEqualities(n))
		return formula.Formula{}, true
	}
	f := e.statement(n, want)
	if fails {
		f = f.Inexact()
	}
	return f, fails
}

// miss notes that nothing is known of n.
func (e *extractor) miss(n ast.Node, because, rewrite string) formula.Formula {
	if e.note != nil {
		e.note(gap{node: n, because: because, rewrite: rewrite})
	}
	return formula.Formula{}
}

// hide notes that n can fail and so hides what stands behind it.
func (e *extractor) hide(n ast.Node) {
	if e.note != nil && e.orFails {
		e.note(gap{node: n, because: "it can fail, which hides what stands behind it", hides: true})
	}
}

// hideBehind is hide of the left of && or ||; when the right would be useful, the rewrite puts it first.
func (e *extractor) hideBehind(n *ast.BinaryNode, useful bool) {
	if e.note == nil || !useful {
		return
	}
	e.note(gap{
		node: n.Left, because: "it can fail, which hides what stands behind it", hides: true,
		rewrite: e.bracketed(n.Right) + " " + n.Operator + " " + e.bracketed(n.Left), behind: n.Right,
	})
}

// bracketed returns the source of an operand of && or ||.
func (e *extractor) bracketed(n ast.Node) string {
	text := e.src.of(n)
	if b, ok := n.(*ast.BinaryNode); ok && !isOr(b.Operator) && b.Operator != "??" {
		return text
	}
	switch n.(type) {
	case *ast.BinaryNode, *ast.ConditionalNode, *ast.VariableDeclaratorNode:
		return "(" + text + ")"
	}
	return text
}

// asEqualities writes membership of a value of unknown type in a list of texts, which fails when it is no text, as
// comparisons, which do not.
func (e *extractor) asEqualities(n ast.Node) string {
	b, ok := n.(*ast.BinaryNode)
	if e.note == nil || !ok || b.Operator != "in" || !isUnknown(b.Left) || e.isNegated(b) {
		return ""
	}
	l, ok := e.literalsOf(b.Right, true)
	if !ok || len(l.texts) != l.len() || l.len() > 3 || slices.Contains(l.texts, "") { // a list with "" has what is missing
		return ""
	}
	value := e.compared(b.Left)
	var parts []string
	for _, t := range l.texts {
		parts = append(parts, value+" == "+strconv.Quote(t))
	}
	return strings.Join(parts, " || ")
}

// compared returns the source of an operand of ==.
func (e *extractor) compared(n ast.Node) string {
	text := e.src.of(n)
	switch n.(type) {
	case *ast.BinaryNode, *ast.UnaryNode, *ast.ConditionalNode, *ast.VariableDeclaratorNode:
		return "(" + text + ")"
	}
	return text
}

// isNegated reports whether an operator is written with not, as in x not in y.
func (e *extractor) isNegated(n *ast.BinaryNode) bool {
	start, end := e.placeOf(n)
	_, rest, _ := strings.Cut(e.src.text[start:end], e.src.of(n.Left))
	return strings.HasPrefix(strings.TrimLeft(rest, ") \t\r\n"), "not")
}

// placeOf returns where a node stands in the source. What the optimiser makes of a list or a call has no place of its own.
func (e *extractor) placeOf(n ast.Node) (start, end int) {
	start, end = e.src.extent(n)
	switch n := n.(type) {
	case *ast.BinaryNode:
		if _, isSet := n.Right.(*ast.ConstantNode); isSet && n.Operator == "in" {
			for _, t := range e.src.tokens() {
				if from := e.src.offset(t.From); from >= end && t.Is(lexer.Bracket, "]") {
					end = e.src.offset(t.To)
					break
				}
			}
		}
	case *ast.BuiltinNode:
		if before := strings.TrimSuffix(e.src.text[:start], n.Name); len(before) < start {
			start = len(before)
		}
	}
	text := strings.TrimLeft(e.src.text[start:end], " \t\r\n")
	start = end - len(text)
	return start, start + len(strings.TrimRight(text, " \t\r\n"))
}
