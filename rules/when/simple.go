package when

import (
	"fmt"
	"slices"
	"strings"

	"callboard/openim"

	"github.com/expr-lang/expr/ast"
)

// A simple comparison is one of something with what is written out, as most are. Explanations say of it what it wanted, and
// of one with a field's value alone they know the truth without a program.
type simple struct {
	subject  ast.Node
	operator string // == < <= > >= in .. has startsWith endsWith contains matches, or "" where the subject is true or false itself
	values   []any  // what it is compared with: texts, or whole numbers; of .. both ends
	words    []string
	negated  bool
}

// simpleOf returns nil for a comparison that is not simple.
func simpleOf(n ast.Node) *simple {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if isNot(n.Operator) {
			if c := simpleOf(n.Node); c != nil {
				c.negated = !c.negated
				return c
			}
		}
	case *ast.IdentifierNode:
		return &simple{subject: n}
	case *ast.CallNode:
		return simpleCall(n)
	case *ast.BinaryNode:
		return simpleBinary(n)
	}
	return nil
}

// mirrored are the operators whose sides may change places, and what they become.
var mirrored = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func simpleBinary(n *ast.BinaryNode) *simple {
	c := &simple{subject: n.Left, operator: n.Operator}
	if r, ok := n.Right.(*ast.BinaryNode); ok && n.Operator == "in" && r.Operator == ".." {
		c.operator = ".."
		return c.against(r.Left, r.Right)
	}
	if list, ok := n.Right.(*ast.ArrayNode); ok && n.Operator == "in" {
		return c.against(list.Nodes...)
	}
	switch n.Operator {
	case "in":
		c.subject, c.operator = n.Right, "has"
		return c.against(n.Left)
	case "==", "!=", "<", "<=", ">", ">=":
		if c.against(n.Right) == nil {
			c.subject, c.operator = n.Right, mirrored[n.Operator]
			if c.against(n.Left) == nil {
				return nil
			}
		}
		if c.operator == "!=" {
			c.operator, c.negated = "==", true
		}
		return c
	case "startsWith", "endsWith", "contains", "matches":
		return c.against(n.Right)
	}
	return nil
}

func simpleCall(n *ast.CallNode) *simple {
	c := &simple{subject: n, operator: "has"}
	switch function(n) {
	case "mentions":
		return c.against(n.Arguments[0])
	case "mentionsAll":
		return c.against(literal(openim.AtAllTag))
	}
	return nil
}

// against notes what is written out; nil when something is not.
func (c *simple) against(nodes ...ast.Node) *simple {
	c.values, c.words = make([]any, 0, len(nodes)), nil
	for _, n := range nodes {
		v, ok := writtenOut(n)
		if !ok {
			return nil
		}
		c.values = append(c.values, v)
		if name := identifier(n); name != "" && len(c.words) == len(c.values)-1 {
			c.words = append(c.words, fmt.Sprintf("%s (%v)", name, v))
		} else if len(c.words) < shownNames {
			c.words = append(c.words, showWhole(v, 0))
		}
	}
	return c
}

// writtenOut returns the text or whole number that a node is.
func writtenOut(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.UnaryNode:
		if i, ok := n.Node.(*ast.IntegerNode); ok && n.Operator == "-" {
			return -i.Value, true
		}
	case *ast.IdentifierNode:
		v, ok := constants()[n.Value]
		return v, ok
	}
	return nil, false
}

// holds tells the truth of the comparison where the subject is a field, command, source or text. ok is false where it is not,
// or the comparison is one for the virtual machine.
func (c *simple) holds(s *Scope, of *schema) (truth, ok bool) {
	if isMention(c.subject) {
		for _, name := range of.mentionLists() {
			list, _ := s.variables[slotOf(of.fields[name]).key].([]any)
			truth = truth || slices.Contains(list, c.values[0])
		}
		return truth != c.negated, true
	}
	v, ok := s.simpleValue(identifier(c.subject), of)
	if !ok {
		return false, false
	}
	truth, ok = c.compare(v, identifier(c.subject) == "command")
	return truth != c.negated, ok
}

// simpleValue returns what conditions read by a name, where that takes no more than a look.
func (s *Scope) simpleValue(name string, of *schema) (any, bool) {
	switch name {
	case "":
		return nil, false
	case "command":
		return s.variables["command"], true
	case "source":
		return s.cb.Source, true
	case "text":
		return s.variables["__text"].(func() any)(), true
	}
	if f, isField := of.fields[name]; isField {
		v, filled := s.variables[slotOf(f).key]
		return v, filled
	}
	return nil, false
}

func (c *simple) compare(v any, isCommand bool) (truth, ok bool) {
	if number, isNumber := v.(int); isNumber && c.operator != "in" && c.operator != "has" {
		return c.compareNumber(number)
	}
	switch c.operator {
	case "":
		truth, ok = v.(bool)
		return truth, ok
	case "==", "in":
		for _, w := range c.values {
			truth = truth || w == v || isCommand && sameCommand(w, v)
		}
		return truth, true
	case "has":
		list, isList := v.([]any)
		return slices.Contains(list, c.values[0]), isList
	}
	text, isText := v.(string)
	if !isText || len(c.values) != 1 {
		return false, false
	}
	with, isText := c.values[0].(string)
	switch c.operator {
	case "startsWith":
		return strings.HasPrefix(text, with), isText
	case "endsWith":
		return strings.HasSuffix(text, with), isText
	case "contains":
		return strings.Contains(text, with), isText
	}
	return false, false
}

func (c *simple) compareNumber(n int) (truth, ok bool) {
	with, ok := c.values[0].(int)
	switch c.operator {
	case "==":
		return n == with, ok
	case "<":
		return n < with, ok
	case "<=":
		return n <= with, ok
	case ">":
		return n > with, ok
	case ">=":
		return n >= with, ok
	case "..":
		last, _ := c.values[1].(int)
		return with <= n && n <= last, ok
	}
	return false, false
}

// sameCommand reports whether a name in any of its forms is that of a command by its wire name of today.
func sameCommand(name, wire any) bool {
	text, _ := name.(string)
	c, ok := openim.Lookup(text)
	return ok && c.Name == wire
}

// neverFails reports whether the comparison comes out true or false whatever the callback has.
func (c *simple) neverFails(of *schema) bool {
	subject := c.subject
	if m, ok := subject.(*ast.MemberNode); ok && (identifier(m.Node) == "headers" || identifier(m.Node) == "query") {
		_, written := writtenOut(m.Property)
		return written
	}
	name := identifier(subject)
	_, isField := of.fields[name]
	return isField || name == "text" || name == "source" || name == "command" || isMention(subject)
}

func isMention(n ast.Node) bool { return function(n) == "mentions" || function(n) == "mentionsAll" }
