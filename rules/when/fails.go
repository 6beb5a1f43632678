package when

import (
	"maps"
	"math"
	"reflect"
	"slices"

	"github.com/expr-lang/expr/ast"

	"callboard/rules/formula"
)

// A cost is the most that the evaluation of a tree may spend: see limits.go and charge.go, which it follows.
type cost struct {
	steps   int                // whatever the callback holds
	sized   map[sizeOf]float64 // size of a field → steps for each byte or entry of it
	entries int                // of lists that are made
}

// A sizeOf is the length of a field in bytes or entries.
type sizeOf struct {
	field formula.Field
	view  formula.View
}

func (s sizeOf) most() int {
	if s.view == formula.Bytes {
		return maxString
	}
	return maxEntries
}

func (c cost) clone() cost {
	c.sized = maps.Clone(c.sized)
	return c
}

// fixedShare is how many steps may be spent on what has no field to blame.
const fixedShare = evaluationSteps / 2

// exceeded returns what is necessary for an evaluation to run out of steps: that one of the fields is long. Whatever
// spends more than fixedShare otherwise counts as what can fail.
func (c cost) exceeded() []formula.Formula {
	total := 0.0
	for size, steps := range c.sized {
		total += steps * float64(size.most())
	}
	allowed := float64(evaluationSteps - min(c.steps, fixedShare))
	if total <= allowed {
		return nil
	}
	var fs []formula.Formula
	for size := range c.sized {
		from := int(float64(size.most()) * allowed / total)
		fs = append(fs, viewed(size).between(from, formula.Highest).Inexact())
	}
	slices.SortFunc(fs, func(a, b formula.Formula) int {
		if a.Atom.Field.Name < b.Atom.Field.Name {
			return -1
		}
		return 1
	})
	return fs
}

// A length is a sum of fields' sizes, each some times, and a number.
type length struct {
	of    map[sizeOf]float64
	fixed int
}

func (s length) times(factor float64) length {
	t := length{of: map[sizeOf]float64{}, fixed: int(math.Ceil(float64(s.fixed) * factor))}
	for k, n := range s.of {
		t.of[k] = n * factor
	}
	return t
}

func (s length) plus(other length) length {
	sum := length{of: maps.Clone(s.of), fixed: s.fixed + other.fixed}
	if sum.of == nil {
		sum.of = map[sizeOf]float64{}
	}
	for k, n := range other.of {
		sum.of[k] += n
	}
	return sum
}

// most is the largest that it can be.
func (s length) most() int {
	most := float64(s.fixed)
	for k, n := range s.of {
		most += n * float64(k.most())
	}
	return int(most)
}

// spend adds to what an evaluation may cost. It reports false when that may be too much and no field is to blame.
func (e *extractor) spend(s length) bool {
	e.spent.steps += s.fixed
	if e.spent.sized == nil && len(s.of) > 0 {
		e.spent.sized = map[sizeOf]float64{}
	}
	for k, n := range s.of {
		e.spent.sized[k] += n
	}
	return e.spent.steps <= fixedShare
}

// charge is charge of charge.go: it reports whether the value has a bound. Within predicates, where costs multiply,
// nothing has.
func (e *extractor) charge(n ast.Node, weight int) bool {
	if isLiteral(n) {
		return true
	}
	s, ok := e.bytes(n)
	ok = ok && e.loops == 0
	return ok && e.spend(s.times(float64(weight)/bytesPerStep))
}

// fails reports whether evaluating n may fail, but for running out of steps over fields of some length, which
// cost.exceeded tells. What is not known to be safe may fail.
func (e *extractor) fails(n ast.Node) bool { return !e.safe(n) }

func (e *extractor) safe(n ast.Node) bool {
	if e.visits++; e.visits > maxVisits {
		return false
	}
	if isLiteral(n) {
		return true
	}
	switch n := n.(type) {
	case *ast.IdentifierNode, *ast.PointerNode:
		return true
	case *ast.ChainNode:
		return e.safe(n.Node)
	case *ast.MemberNode:
		// lowerMember makes the reading of members safe, but not that of entries by number.
		return !n.Method && (n.Node.Type().Kind() == reflect.Map || isUnknown(n.Node)) && e.safe(n.Node) && e.safe(n.Property)
	case *ast.ArrayNode:
		e.spent.entries += len(n.Nodes)
		return e.spent.entries <= memoryBudget && e.allSafe(n.Nodes)
	case *ast.UnaryNode:
		if isNot(n.Operator) {
			return !e.vague(n.Node) && e.safe(n.Node)
		}
		return e.isNumber(n.Node) && e.safe(n.Node)
	case *ast.ConditionalNode:
		return !e.vague(n.Cond) && e.safe(n.Cond) && e.safe(n.Exp1) && e.safe(n.Exp2)
	case *ast.VariableDeclaratorNode:
		if !e.safe(n.Value) {
			return false
		}
		e.lets = append(e.lets, binding{n.Name, n.Value})
		ok := e.safe(n.Expr)
		e.lets = e.lets[:len(e.lets)-1]
		return ok
	case *ast.BinaryNode:
		return e.safeBinary(n)
	case *ast.BuiltinNode:
		return e.safeBuiltin(n)
	case *ast.CallNode:
		return e.safeCall(n)
	}
	return false
}

func (e *extractor) allSafe(nodes []ast.Node) bool {
	for _, n := range nodes {
		if !e.safe(n) {
			return false
		}
	}
	return true
}

func (e *extractor) safeBinary(n *ast.BinaryNode) bool {
	if n.Operator == ".." || !e.safe(n.Left) {
		return false
	}
	if n.Operator == "in" {
		return e.safeIn(n)
	}
	if !e.safe(n.Right) {
		return false
	}
	texts := e.isString(n.Left) && e.isString(n.Right)
	numbers := e.isNumber(n.Left) && e.isNumber(n.Right)
	switch op := n.Operator; {
	case isAnd(op) || isOr(op):
		return !e.vague(n.Left) && !e.vague(n.Right)
	case op == "==" || op == "!=":
		return e.safeEqual(n)
	case op == "<" || op == "<=" || op == ">" || op == ">=":
		return (numbers || texts && !e.inPredicate() || isTime(n.Left) && isTime(n.Right)) && e.chargeBoth(n)
	case op == "startsWith" || op == "endsWith":
		return texts
	case op == "contains":
		return texts && (!e.inPredicate() || e.charge(n.Left, scanWeight))
	case op == "matches":
		return texts && e.charge(n.Left, max(4, patternSize(n.Right.(*ast.StringNode).Value)))
	case op == "+":
		return numbers || texts
	case op == "-" && isTime(n.Left) && isTime(n.Right):
		return true
	case op == "-" || op == "*" || op == "/":
		return numbers
	case op == "%":
		divisor, ok := n.Right.(*ast.IntegerNode)
		return ok && divisor.Value != 0 && e.isInt(n.Left)
	case op == "??":
		return true
	}
	return false
}

// safeEqual is for ==, which does not fail unless a type is promised that a value may not have: see sure.
func (e *extractor) safeEqual(n *ast.BinaryNode) bool {
	left, right := n.Left.Type(), n.Right.Type()
	if left == right && (left == stringType || left == intType) && !(e.sure(n.Left) && e.sure(n.Right)) {
		return false
	}
	return e.chargeBoth(n)
}

// chargeBoth is what lowerBinary charges for comparing two values of the sender's.
func (e *extractor) chargeBoth(n *ast.BinaryNode) bool {
	if isLiteral(n.Left) || isLiteral(n.Right) {
		return true
	}
	for _, side := range []ast.Node{n.Left, n.Right} {
		k := side.Type().Kind()
		if k == reflect.Interface || k == reflect.Slice || k == reflect.Map || e.inPredicate() && k == reflect.String {
			if !e.charge(side, scanWeight) {
				return false
			}
		}
	}
	return true
}

func (e *extractor) safeIn(n *ast.BinaryNode) bool {
	if r, ok := n.Right.(*ast.BinaryNode); ok && r.Operator == ".." {
		return false // the optimiser has made two comparisons of those that are safe
	}
	if c, ok := n.Right.(*ast.ConstantNode); ok {
		switch c.Value.(type) {
		case map[string]struct{}:
			return e.isString(n.Left)
		case map[int]struct{}:
			return e.isInt(n.Left)
		}
		return true
	}
	if isListOf(n.Right, stringType) || isListOf(n.Right, intType) {
		s, ok := e.entries(n.Right)
		return e.safe(n.Right) && ok && e.loops == 0 && (e.isString(n.Left) || e.isInt(n.Left)) && e.spend(s.times(1.0/entriesPerStep))
	}
	if _, ok := n.Right.(*ast.ArrayNode); ok {
		return e.safe(n.Right) && e.charge(n.Right, scanWeight)
	}
	return false
}

// copying are the functions that charge for a copy of their first argument.
var copying = []string{"lower", "upper", "trim", "trimPrefix", "trimSuffix", "hasPrefix", "hasSuffix", "indexOf", "lastIndexOf"}

func (e *extractor) safeBuiltin(n *ast.BuiltinNode) bool {
	if len(n.Arguments) == 0 {
		return false
	}
	first := n.Arguments[0]
	if !e.safe(first) {
		return false
	}
	if len(n.Arguments) == 2 {
		if predicate, ok := n.Arguments[1].(*ast.PredicateNode); ok {
			return e.safeLoop(n, predicate)
		}
	}
	switch {
	case slices.Contains(copying, n.Name), n.Name == "split":
		weight := copyWeight
		if n.Name == "split" {
			weight = splitWeight
		}
		for _, a := range n.Arguments {
			if !e.isString(a) || !e.safe(a) {
				return false
			}
		}
		return e.charge(first, weight)
	case n.Name == "len":
		isList := first.Type().Kind() == reflect.Slice && e.sure(first)
		return isList || e.isString(first) && (!e.inPredicate() || e.charge(first, scanWeight))
	case n.Name == "string":
		return e.isString(first) || e.isNumber(first) || first.Type() == boolType && e.sure(first)
	case n.Name == "int", n.Name == "float", n.Name == "abs", n.Name == "ceil", n.Name == "floor", n.Name == "round":
		return e.isNumber(first)
	case n.Name == "type":
		return true
	}
	return false
}

// safeLoop is for any, all, none, one, count and filter.
func (e *extractor) safeLoop(n *ast.BuiltinNode, predicate *ast.PredicateNode) bool {
	if !slices.Contains([]string{"any", "all", "none", "one", "count", "filter"}, n.Name) || n.Map != nil || e.loops > 0 || e.vague(predicate.Node) {
		return false
	}
	rounds, ok := e.entries(n.Arguments[0])
	if !ok || !e.spend(rounds.times(float64(1+bodyWeight(predicate.Node)/8))) {
		return false
	}
	if n.Name == "filter" {
		e.spent.entries += rounds.most()
	}
	e.loops++
	ok = e.safe(predicate.Node)
	e.loops--
	return ok && e.spent.entries <= memoryBudget
}

func (e *extractor) inPredicate() bool { return e.loops > 0 || e.entry != nil }

func (e *extractor) safeCall(n *ast.CallNode) bool {
	if m, ok := n.Callee.(*ast.MemberNode); ok {
		return m.Method && len(n.Arguments) == 0 && isTime(m.Node) && e.safe(m.Node)
	}
	h := helperNamed[function(n)]
	if h == nil || h.make == nil || !e.allSafe(n.Arguments) {
		return false
	}
	for _, a := range n.Arguments {
		if !e.charge(a, copyWeight) {
			return false
		}
	}
	switch h.Name {
	case "has":
		return e.loops == 0 && e.spend(length{fixed: mostHasSteps})
	case "json":
		s, ok := e.bytes(n.Arguments[0])
		return ok && e.loops == 0 && e.spend(s.times(1.0/jsonPerStep))
	}
	return true
}
