package when

import (
	"reflect"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// each calls f with the place of every child of n, in the order of evaluation.
func each(n ast.Node, f func(*ast.Node)) {
	list := func(nodes []ast.Node) {
		for i := range nodes {
			f(&nodes[i])
		}
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		f(&n.Node)
	case *ast.BinaryNode:
		f(&n.Left)
		f(&n.Right)
	case *ast.ChainNode:
		f(&n.Node)
	case *ast.MemberNode:
		f(&n.Node)
		f(&n.Property)
	case *ast.SliceNode:
		f(&n.Node)
		if n.From != nil {
			f(&n.From)
		}
		if n.To != nil {
			f(&n.To)
		}
	case *ast.CallNode:
		f(&n.Callee)
		list(n.Arguments)
	case *ast.BuiltinNode:
		list(n.Arguments)
	case *ast.PredicateNode:
		f(&n.Node)
	case *ast.VariableDeclaratorNode:
		f(&n.Value)
		f(&n.Expr)
	case *ast.SequenceNode:
		list(n.Nodes)
	case *ast.ConditionalNode:
		f(&n.Cond)
		f(&n.Exp1)
		f(&n.Exp2)
	case *ast.ArrayNode:
		list(n.Nodes)
	case *ast.MapNode:
		list(n.Pairs)
	case *ast.PairNode:
		f(&n.Key)
		f(&n.Value)
	}
}

// find returns the first node, parents before children, that is wanted.
func find(n ast.Node, wanted func(ast.Node) bool) ast.Node {
	if wanted(n) {
		return n
	}
	var found ast.Node
	each(n, func(child *ast.Node) {
		if found == nil {
			found = find(*child, wanted)
		}
	})
	return found
}

// locate returns the outermost node at a location of expr's, nil when there is none.
func locate(tree ast.Node, l file.Location) ast.Node {
	return find(tree, func(n ast.Node) bool { return n.Location() == l && l.To > l.From })
}

// rewrite applies f to every node, children before parents.
func rewrite(n *ast.Node, f func(*ast.Node)) {
	each(*n, func(child *ast.Node) { rewrite(child, f) })
	f(n)
}

// isLiteral reports whether n is a number, text, true, false or nil as written.
func isLiteral(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NilNode, *ast.ConstantNode:
		return true
	case *ast.UnaryNode:
		return (n.Operator == "-" || n.Operator == "+") && isLiteral(n.Node)
	}
	return false
}

// isUnknown reports whether the checker knows nothing of n's type.
func isUnknown(n ast.Node) bool {
	return n.Type().Kind() == reflect.Interface && !n.Nature().Nil
}

func identifier(n ast.Node) string {
	if id, ok := n.(*ast.IdentifierNode); ok {
		return id.Value
	}
	return ""
}

// function returns the name of the function that n calls, or "".
func function(n ast.Node) string {
	switch n := n.(type) {
	case *ast.CallNode:
		return identifier(n.Callee)
	case *ast.BuiltinNode:
		return n.Name
	}
	return ""
}

func isAnd(op string) bool { return op == "&&" || op == "and" }
func isOr(op string) bool  { return op == "||" || op == "or" }
func isNot(op string) bool { return op == "!" || op == "not" }

// isQuestion reports whether an operator's result is true or false.
func isQuestion(op string) bool {
	switch op {
	case "==", "!=", "<", ">", "<=", ">=", "in", "matches", "contains", "startsWith", "endsWith":
		return true
	}
	return isAnd(op) || isOr(op)
}
