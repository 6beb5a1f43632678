package when

import "github.com/expr-lang/expr/ast"

// A joint is a place of a condition's tree down to its comparisons: what && || not ?: and let hold together. All else is a
// comparison, whatever is inside: loops and calls of helpers too.
type joint struct {
	kind  jointKind
	node  ast.Node // as parsed; shared by the joint of a let and its first
	below []*joint
}

type jointKind uint8

const (
	comparison jointKind = iota
	constantly           // true or false as written
	allOf                // below is in the order of evaluation
	anyOf
	notOf
	choice   // condition, then, else
	variable // value, and what may use it
)

// jointOf takes a parsed tree apart. Operands of one operator stand beside each other.
func jointOf(n ast.Node) *joint {
	j := &joint{node: n}
	switch n := n.(type) {
	case *ast.BoolNode:
		j.kind = constantly
	case *ast.VariableDeclaratorNode:
		j.kind = variable
		j.below = []*joint{{node: n.Value}, jointOf(n.Expr)}
	case *ast.ConditionalNode:
		j.kind = choice
		j.below = []*joint{jointOf(n.Cond), jointOf(n.Exp1), jointOf(n.Exp2)}
	case *ast.UnaryNode:
		if isNot(n.Operator) && !standsInside(n) {
			j.kind = notOf
			j.below = []*joint{jointOf(n.Node)}
		}
	case *ast.BinaryNode:
		switch {
		case isChained(n):
		case isAnd(n.Operator):
			j.kind = allOf
		case isOr(n.Operator):
			j.kind = anyOf
		}
		if j.kind != comparison {
			j.operands(n, n.Operator)
		}
	}
	return j
}

func (j *joint) operands(n *ast.BinaryNode, operator string) {
	for _, side := range []ast.Node{n.Left, n.Right} {
		if b, ok := side.(*ast.BinaryNode); ok && b.Operator == operator && !isChained(b) {
			j.operands(b, operator)
			continue
		}
		j.below = append(j.below, jointOf(side))
	}
}

// isChained reports whether n is a < b < c, which is parsed as a < b && b < c with one b, but has no && to point at.
func isChained(n *ast.BinaryNode) bool {
	before, ok := n.Left.(*ast.BinaryNode)
	if ok && before.Operator == n.Operator {
		before, ok = before.Right.(*ast.BinaryNode)
	}
	last, ok2 := n.Right.(*ast.BinaryNode)
	return ok && ok2 && before.Right == last.Left
}

// standsInside reports whether n is the not of x not in y, which stands behind the beginning of its operand.
func standsInside(n *ast.UnaryNode) bool {
	at := n.Location().From
	return find(n.Node, func(inner ast.Node) bool { return inner.Location().From < at }) != nil
}
