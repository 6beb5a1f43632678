package when

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
)

// A lowering rewrites the optimised tree into what runs: calls of Go functions for helpers and
// for values made on demand, reads of missing members that give nil, and charges for what a
// sender can make expensive.
//
// It comes after the optimiser, which could otherwise fold charges away, and sets the types of
// its nodes itself, since nothing checks the tree again.
type lowering struct {
	*draft
	slots map[string]bool // keys noted
}

func (d *draft) lower() {
	l := lowering{draft: d, slots: map[string]bool{}}
	l.lower(&d.tree.Node, false)
}

// lower rewrites a tree bottom up. inside tells whether it runs once per entry of a list.
func (l *lowering) lower(p *ast.Node, inside bool) {
	if n, ok := (*p).(*ast.BuiltinNode); ok && len(n.Arguments) == 2 {
		if body, ok := n.Arguments[1].(*ast.PredicateNode); ok {
			l.lowerLoop(n, body, inside)
			return
		}
	}
	if n, ok := (*p).(*ast.CallNode); ok {
		for i := range n.Arguments {
			l.lower(&n.Arguments[i], inside)
		}
		if m, ok := n.Callee.(*ast.MemberNode); ok {
			l.lower(&m.Node, inside)
		}
		l.lowerCall(p, n)
		return
	}
	each(*p, func(child *ast.Node) { l.lower(child, inside) })
	switch n := (*p).(type) {
	case *ast.IdentifierNode:
		l.lowerName(p, n)
	case *ast.MemberNode:
		lowerMember(p, n)
	case *ast.UnaryNode:
		if isNot(n.Operator) {
			asTruth(&n.Node)
		}
	case *ast.ConditionalNode:
		asTruth(&n.Cond)
	case *ast.BinaryNode:
		lowerBinary(p, n, inside)
		if n.Operator == "+" && l.builds && (n.Type() == stringType || isUnknown(n)) {
			charge(p, copyWeight) // conditions may join a few times only
		}
	case *ast.BuiltinNode:
		lowerBuiltin(p, n, inside)
	}
}

func (l *lowering) lowerName(p *ast.Node, n *ast.IdentifierNode) {
	if f, ok := l.schema.fields[n.Value]; ok {
		s := slotOf(f)
		if !l.slots[s.key] {
			l.slots[s.key] = true
			l.draft.slots = append(l.draft.slots, s)
		}
		n.Value = s.key
		return
	}
	if _, ok := values[n.Value]; ok && n.Value != "command" {
		load := goCall(inScope{"__" + n.Value, new(func() any)}, nil)
		load.SetNature(*n.Nature())
		put(p, load)
	}
}

func (l *lowering) lowerCall(p *ast.Node, n *ast.CallNode) {
	name := function(n)
	h := helperNamed[name]
	if h == nil || h.make == nil {
		return
	}
	for i := range n.Arguments {
		charge(&n.Arguments[i], copyWeight)
	}
	fn, args := h.make(&call{args: n.Arguments})
	lowered := goCall(fn, nil, args...)
	lowered.SetNature(*n.Nature())
	put(p, lowered)
}

// lowerMember makes reading a member of nothing nil instead of an error, or the zero value where
// the type is known, and skips reflection.
func lowerMember(p *ast.Node, n *ast.MemberNode) {
	if n.Method || n.Node.Type().Kind() != reflect.Map && !isUnknown(n.Node) {
		return
	}
	var get any = inScope{"__member", new(func(any, any) any)}
	switch t := n.Type(); {
	case t == stringType:
		get = memberAs[string]("")
	case t == intType:
		get = memberAs[int](0)
	case t == boolType:
		get = memberAs[bool](false)
	case t.Kind() == reflect.Slice:
		get = memberAs[[]any](noEntries)
	}
	lowered := goCall(get, nil, n.Node, n.Property)
	lowered.SetNature(*n.Nature())
	put(p, lowered)
}

// memberAs returns a function that reads a member of an object: zero when it is not a T.
func memberAs[T any](zero any) func(of, name any) any {
	return func(of, name any) any {
		object, _ := of.(map[string]any)
		key, _ := name.(string)
		v := object[key]
		if _, ok := v.(T); ok {
			return v
		}
		return zero
	}
}

func lowerBinary(p *ast.Node, n *ast.BinaryNode, inside bool) {
	if isUnknown(n) && isQuestion(n.Operator) {
		n.SetType(boolType) // the optimiser leaves the nodes it makes without one
	}
	switch op := n.Operator; {
	case isAnd(op) || isOr(op):
		asTruth(&n.Left)
		asTruth(&n.Right)
	case op == "matches":
		charge(&n.Left, max(4, patternSize(n.Right.(*ast.StringNode).Value)))
	case op == "in" && (isListOf(n.Right, stringType) || isListOf(n.Right, intType)) && !isLiteral(n.Right):
		lowered := goCall(inScope{"__in", new(func(any, any) bool)}, boolType, n.Left, n.Right)
		put(p, lowered)
	case op == "in":
		if !isLiteral(n.Right) {
			charge(&n.Right, scanWeight)
		}
	case op == "contains":
		if inside {
			charge(&n.Left, scanWeight)
		}
	case n.Type() == boolType && !isLiteral(n.Left) && !isLiteral(n.Right):
		// Two values of the sender's are compared: texts, or lists and objects, deeply.
		for _, side := range []*ast.Node{&n.Left, &n.Right} {
			if k := (*side).Type().Kind(); k == reflect.Interface || k == reflect.Slice || k == reflect.Map || inside && k == reflect.String {
				charge(side, scanWeight)
			}
		}
	}
}

// isListOf reports whether n is a list with elements of one known type.
func isListOf(n ast.Node, element reflect.Type) bool {
	return n.Type().Kind() == reflect.Slice && n.Nature().Ref != nil && n.Nature().Ref.Type == element
}

// own replaces functions of expr whose errors would show the sender's text.
var own = map[string]struct {
	fn  func(any) any
	typ reflect.Type
}{
	"int": {toInt, intType}, "float": {toFloat, floatType}, "string": {toString, stringType},
}
