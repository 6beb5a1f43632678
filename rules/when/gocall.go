package when

import (
	"reflect"
	"time"

	"github.com/expr-lang/expr/ast"
)

// loadNow is the value now for helpers that read it.
func loadNow() ast.Node {
	return goCall(inScope{"__now", new(func() any)}, reflect.TypeFor[time.Time]())
}

// asTruth lets a value of unknown type stand for true or false.
func asTruth(p *ast.Node) {
	if isUnknown(*p) {
		wrap(p, truth, boolType)
	}
}

// wrap replaces a node by a call of fn with it.
func wrap(p *ast.Node, fn any, result reflect.Type) {
	put(p, goCall(fn, result, *p))
}

// inScope names a function that belongs to a Scope, so that programs can be shared between them.
type inScope struct {
	name string
	typ  any // pointer to a nil function of the type, one of those that expr calls without reflection
}

// goCall returns a typed call of a Go function: one of a Scope's, or one that belongs to the
// place of the call.
func goCall(fn any, result reflect.Type, args ...ast.Node) *ast.CallNode {
	var callee ast.Node
	if s, ok := fn.(inScope); ok {
		callee = &ast.IdentifierNode{Value: s.name}
		callee.SetType(reflect.TypeOf(s.typ).Elem())
	} else {
		callee = &ast.ConstantNode{Value: fn}
		callee.SetType(reflect.TypeOf(fn))
	}
	n := &ast.CallNode{Callee: callee, Arguments: args}
	if result != nil {
		n.SetType(result)
	}
	return n
}
