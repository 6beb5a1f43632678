package when

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// A Mutation is a condition with one small change that compiles all the same.
type Mutation struct {
	What       string // in words: && becomes ||
	Start, End int    // what was changed: byte offsets into the source of the condition
	Source     string // of the changed condition
	Cond       *Cond
}

// flipped says which operators an operator is mistaken for.
var flipped = map[string][]string{
	"==": {"!="}, "!=": {"=="},
	"<": {"<=", ">="}, "<=": {"<", ">"}, ">": {">=", "<="}, ">=": {">", "<"},
	"startsWith": {"contains"}, "endsWith": {"contains"}, "contains": {"startsWith"},
	"&&": {"||"}, "||": {"&&"}, "and": {"or"}, "or": {"and"},
}

// Mutations returns the changes of a condition that a test should notice: another operator, an operand left out or
// negated, another literal.
func (c *Cond) Mutations() []Mutation {
	d := newDraft(c.source, c.schema)
	parsed := false
	d.withConfig(func() *vm.Program { parsed = d.parse(); return nil })
	if !parsed {
		return nil
	}
	m := mutator{draft: d, tried: map[string]bool{strings.TrimSpace(c.source): true}}
	m.visit(d.tree.Node, true)
	slices.SortStableFunc(m.found, func(a, b Mutation) int { return a.Start - b.Start })
	return m.found
}

type mutator struct {
	*draft
	tried map[string]bool // source → whether it was compiled already
	found []Mutation
}

// try keeps the condition with a stretch replaced, if that compiles.
func (m *mutator) try(start, end int, with, what string) {
	source := m.src.text[:start] + with + m.src.text[end:]
	if m.tried[strings.TrimSpace(source)] {
		return
	}
	m.tried[strings.TrimSpace(source)] = true
	if cond, _ := compileFor(source, m.schema); cond != nil {
		m.found = append(m.found, Mutation{What: what, Start: start, End: end, Source: source, Cond: cond})
	}
}

func (m *mutator) tryNode(n ast.Node, with, what string) {
	start, end := m.src.extent(n)
	m.try(start, end, with, what)
}

// visit tries the changes of a node and of all below it. operand is whether the node is the whole or an operand of && || or not.
func (m *mutator) visit(n ast.Node, operand bool) {
	children := false // whether the children are operands
	switch n := n.(type) {
	case *ast.BinaryNode:
		m.operator(n)
		children = isAnd(n.Operator) || isOr(n.Operator)
		if operand && !children && n.Operator != "==" && n.Operator != "!=" {
			m.negate(n)
		}
	case *ast.UnaryNode:
		if isNot(n.Operator) {
			children = true
			if first, _ := m.src.spread(n.Node); m.src.at(n.Location()) < first {
				m.tryNode(n, "("+m.src.of(n.Node)+")", "not is left out")
			}
		}
	case *ast.CallNode, *ast.BuiltinNode, *ast.IdentifierNode, *ast.MemberNode:
		if operand {
			m.negate(n)
		}
	case *ast.ArrayNode:
		if len(n.Nodes) > 1 {
			m.elements(n)
			return // a test that misses an element would notice another one in its place
		}
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		m.literal(n)
	}
	each(n, func(child *ast.Node) { m.visit(*child, children) })
}

// operator tries other operators, and for && and || each side alone.
func (m *mutator) operator(n *ast.BinaryNode) {
	i := m.src.at(n.Location())
	if i < 0 || m.src.token(i) != n.Operator { // not in, and a < b < c
		return
	}
	token := m.src.tokens()[i]
	start, end := m.src.offset(token.From), m.src.offset(token.To)
	for _, other := range flipped[n.Operator] {
		m.try(start, end, other, n.Operator+" becomes "+other)
	}
	if isAnd(n.Operator) || isOr(n.Operator) {
		m.tryNode(n, m.src.of(n.Left), "without "+shorten(m.src.of(n.Right)))
		m.tryNode(n, m.src.of(n.Right), "without "+shorten(m.src.of(n.Left)))
	}
}

func (m *mutator) negate(n ast.Node) {
	m.tryNode(n, "not ("+m.src.of(n)+")", shorten(m.src.of(n))+" is negated")
}

// elements tries a list without each of its elements.
func (m *mutator) elements(n *ast.ArrayNode) {
	for i := range n.Nodes {
		var kept []string
		for j, e := range n.Nodes {
			if j != i {
				kept = append(kept, m.src.of(e))
			}
		}
		m.tryNode(n, "["+strings.Join(kept, ", ")+"]", "without "+shorten(m.src.of(n.Nodes[i]))+" in the list")
	}
}

// literal tries another value.
func (m *mutator) literal(n ast.Node) {
	with := ""
	switch n := n.(type) {
	case *ast.StringNode:
		with = strconv.Quote(n.Value + "~")
	case *ast.IntegerNode:
		with = strconv.Itoa(n.Value + 1)
	case *ast.FloatNode:
		with = strconv.FormatFloat(n.Value/2, 'g', -1, 64)
	case *ast.BoolNode:
		with = strconv.FormatBool(!n.Value)
	}
	m.tryNode(n, with, shorten(m.src.of(n))+" becomes "+shorten(with))
}

// shorten cuts text for a sentence.
func shorten(s string) string {
	const most = 60
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
