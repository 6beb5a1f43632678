package when

import (
	"reflect"
	"time"

	"github.com/expr-lang/expr/ast"

	"callboard/rules/formula"
)

// sure reports whether the value of n is what its type says; first(list), for example, may be nil.
func (e *extractor) sure(n ast.Node) bool {
	if isLiteral(n) {
		return true
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if value, ok := e.variable(n.Value); ok {
			return e.sure(value)
		}
		return true
	case *ast.PointerNode:
		return n.Name == "" || n.Name == "index"
	case *ast.ChainNode:
		return e.sure(n.Node)
	case *ast.MemberNode:
		t := n.Type() // see lowerMember
		return n.Node.Type().Kind() == reflect.Map && (t == stringType || t == intType || t == boolType || t.Kind() == reflect.Slice)
	case *ast.SliceNode:
		return e.sure(n.Node)
	case *ast.UnaryNode:
		return e.sure(n.Node)
	case *ast.BinaryNode:
		switch n.Operator {
		case "+", "-", "*", "/", "%":
			return e.sure(n.Left) && e.sure(n.Right)
		}
		return isQuestion(n.Operator)
	case *ast.ConditionalNode:
		return e.sure(n.Exp1) && e.sure(n.Exp2)
	case *ast.VariableDeclaratorNode:
		return false
	case *ast.BuiltinNode:
		return n.Name != "first" && n.Name != "last" && n.Name != "find"
	case *ast.CallNode:
		return true
	}
	return false
}

func (e *extractor) isString(n ast.Node) bool { return n.Type() == stringType && e.sure(n) }
func (e *extractor) isInt(n ast.Node) bool    { return n.Type() == intType && e.sure(n) }
func (e *extractor) isNumber(n ast.Node) bool {
	return (n.Type() == intType || n.Type() == floatType) && e.sure(n)
}

func isTime(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value == "now"
	case *ast.ConstantNode:
		switch n.Value.(type) {
		case time.Time, time.Duration:
			return true
		}
	case *ast.BinaryNode:
		return n.Operator == "-" && isTime(n.Left) && isTime(n.Right)
	}
	return false
}

// longer is by how much lower and upper can lengthen a text at most: a broken character of one byte becomes one of three.
const longer = 3

// longestNumber bounds a number as text.
const longestNumber = 330

// bytes bounds what Scope.extent says of the value of n.
func (e *extractor) bytes(n ast.Node) (length, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return length{fixed: len(n.Value)}, true
	case *ast.ConditionalNode:
		return e.sumOfBytes(n.Exp1, n.Exp2)
	case *ast.BinaryNode:
		if n.Operator == "+" && n.Type() == stringType {
			return e.sumOfBytes(n.Left, n.Right)
		}
		return length{}, n.Type() == boolType || e.isNumber(n)
	case *ast.SliceNode:
		if n.Type() == stringType {
			return e.bytes(n.Node)
		}
	case *ast.BuiltinNode:
		switch n.Name {
		case "lower", "upper":
			s, ok := e.bytes(n.Arguments[0])
			return s.times(longer), ok
		case "trim", "trimPrefix", "trimSuffix":
			return e.bytes(n.Arguments[0])
		case "string":
			if e.isNumber(n.Arguments[0]) {
				return length{fixed: longestNumber}, true
			}
			return e.bytes(n.Arguments[0])
		}
	case *ast.CallNode:
		if function(n) == "weekday" {
			return length{fixed: len("Mon")}, true
		}
	case *ast.IdentifierNode:
		if value, ok := e.variable(n.Value); ok {
			return e.bytes(value)
		}
	}
	if e.isNumber(n) || n.Type() == boolType {
		return length{}, true
	}
	v, ok := e.view(n)
	if !ok || v.view != formula.Plain || v.field.Type != formula.String || v.field.Root == formula.Command ||
		v.field.Root == formula.OfField && v.field.Path != "" {
		return length{}, false // no other text is cut to maxString
	}
	return length{of: map[sizeOf]float64{{v.field, formula.Bytes}: 1}}, true
}

func (e *extractor) sumOfBytes(a, b ast.Node) (length, bool) {
	left, okLeft := e.bytes(a)
	right, okRight := e.bytes(b)
	return left.plus(right), okLeft && okRight
}

// entries bounds how many entries the list n has.
func (e *extractor) entries(n ast.Node) (length, bool) {
	switch n := n.(type) {
	case *ast.ArrayNode:
		return length{fixed: len(n.Nodes)}, true
	case *ast.ConstantNode:
		if v := reflect.ValueOf(n.Value); v.Kind() == reflect.Slice {
			return length{fixed: v.Len()}, true
		}
		return length{}, false
	case *ast.BuiltinNode:
		switch n.Name {
		case "filter":
			return e.entries(n.Arguments[0])
		case "split":
			s, ok := e.bytes(n.Arguments[0])
			return s.plus(length{fixed: 1}), ok
		}
		return length{}, false
	case *ast.IdentifierNode:
		if value, ok := e.variable(n.Value); ok {
			return e.entries(value)
		}
	case *ast.MemberNode:
		if isUnknown(n) {
			return length{fixed: maxEntries}, true // cut by Scope.member; what is no list has none
		}
	}
	v, ok := e.view(n)
	if !ok || v.view != formula.Plain || v.field.Path != "" {
		return length{}, false
	}
	switch v.field.Type {
	case formula.Strings, formula.Ints, formula.Entries:
		return length{of: map[sizeOf]float64{{v.field, formula.Length}: 1}}, true
	}
	return length{}, false
}
