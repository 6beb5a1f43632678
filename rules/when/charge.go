package when

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// What is charged, in steps (see limits.go): every round of a predicate, by the size of its body;
// regular expressions, by length of text and size of pattern; functions that copy or cut texts,
// by length; membership in a list, by its length; and inside predicates, where a cost is
// multiplied, every comparison whose cost depends on lengths.

// lowerLoop charges for every round: step(weight) ? body : false. The body is weighed before it
// is rewritten.
func (l *lowering) lowerLoop(n *ast.BuiltinNode, predicate *ast.PredicateNode, inside bool) {
	weight := 1 + bodyWeight(predicate.Node)/8
	if n.Map != nil { // of map(filter(…), …), which the optimiser makes one loop of
		weight += bodyWeight(n.Map) / 8
		l.lower(&n.Map, true)
	}
	l.lower(&n.Arguments[0], inside)
	if isUnknown(n.Arguments[0]) {
		wrap(&n.Arguments[0], entries, anyType)
	}
	l.lower(&predicate.Node, true)
	guard := &ast.ConditionalNode{
		Ternary: true,
		Cond:    goCall(inScope{"__step", new(func(any) bool)}, boolType, literal(weight)),
		Exp2:    &ast.BoolNode{},
	}
	if n.Name != "map" {
		asTruth(&predicate.Node)
	}
	guard.Exp1 = predicate.Node
	guard.Exp2.SetType(boolType)
	guard.SetNature(*predicate.Node.Nature())
	put(&predicate.Node, guard)
}

// bodyWeight measures the work of one round beside loops within: nodes, and long texts by length.
func bodyWeight(n ast.Node) int {
	weight := 1
	switch n := n.(type) {
	case *ast.PredicateNode:
		return 0
	case *ast.StringNode:
		weight += len(n.Value) / 64
	case *ast.BinaryNode:
		if n.Operator == "matches" {
			weight += 8
		}
	}
	each(n, func(child *ast.Node) { weight += bodyWeight(*child) })
	return weight
}

// What passing over bytesPerStep bytes costs: to look for something, to make another text, to make
// a list.
const (
	scanWeight  = 1
	copyWeight  = 4
	splitWeight = 16
)

func lowerBuiltin(p *ast.Node, n *ast.BuiltinNode, inside bool) {
	if len(n.Arguments) == 0 {
		return
	}
	if o, ok := own[n.Name]; ok {
		lowered := goCall(o.fn, o.typ, n.Arguments...)
		put(p, lowered)
		return
	}
	switch n.Name {
	case "lower", "upper", "trim", "trimPrefix", "trimSuffix", "hasPrefix", "hasSuffix", "indexOf", "lastIndexOf":
		charge(&n.Arguments[0], copyWeight)
	case "join":
		charge(&n.Arguments[0], copyWeight)
	case "split":
		charge(&n.Arguments[0], splitWeight)
	case "len":
		if inside && n.Arguments[0].Type().Kind() != reflect.Slice {
			charge(&n.Arguments[0], scanWeight)
		}
	}
}

// charge makes the value of a node cost steps by its length.
func charge(p *ast.Node, weight int) {
	if isLiteral(*p) {
		return
	}
	charged := goCall(inScope{"__charge", new(func(any, any) any)}, nil, *p, literal(weight))
	charged.SetNature(*(*p).Nature())
	put(p, charged)
}
