package when

import (
	"fmt"
	"slices"
	"strings"

	"callboard/openim"

	"github.com/expr-lang/expr/ast"
)

// checkLiterals warns of texts that command and weekday never are.
func (c *nameCheck) checkLiterals(n *ast.BinaryNode) {
	for _, side := range [][2]ast.Node{{n.Left, n.Right}, {n.Right, n.Left}} {
		switch {
		case identifier(side[0]) == "command" && (n.Operator == "startsWith" || n.Operator == "matches"):
			if s, ok := side[1].(*ast.StringNode); ok && !strings.HasPrefix(s.Value, "callback") && n.Operator == "startsWith" {
				c.warn(n, "unknown-command", "command is the wire name, which begins with callback, so this is never true",
					`compare short names with == or in: command in ["beforeSendSingleMsg", "beforeSendGroupMsg"]`)
			}
		case identifier(side[0]) == "command":
			for _, s := range comparedTexts(n.Operator, side[1]) {
				c.checkCommandName(s)
			}
		case function(side[0]) == "weekday":
			for _, s := range comparedTexts(n.Operator, side[1]) {
				if !slices.Contains(weekdays[:], any(s.Value)) {
					c.warn(s, "never-true", fmt.Sprintf("weekday is never %q", s.Value), "it is Mon, Tue, Wed, Thu, Fri, Sat or Sun")
				}
			}
		}
	}
}

func (c *nameCheck) checkCommandName(s *ast.StringNode) {
	command, ok := openim.Lookup(s.Value)
	switch {
	case !ok:
		hint := ""
		if near := openim.Suggest(s.Value); len(near) > 0 {
			hint = fmt.Sprintf("did you mean %q?", near[0])
		}
		c.warn(s, "unknown-command", fmt.Sprintf("no known callback is called %q", s.Value), hint)
	case c.schema.commands != nil && !slices.Contains(c.schema.commands, command):
		c.warn(s, "never-true", fmt.Sprintf("%s is not for %s", c.words.subject, command.Short), c.isFor())
	}
}

// comparedTexts returns the text literals that == , != or in compares with.
func comparedTexts(operator string, other ast.Node) []*ast.StringNode {
	if operator != "==" && operator != "!=" && operator != "in" {
		return nil
	}
	nodes := []ast.Node{other}
	if l, ok := other.(*ast.ArrayNode); ok {
		nodes = l.Nodes
	}
	var texts []*ast.StringNode
	for _, n := range nodes {
		if s, ok := n.(*ast.StringNode); ok {
			texts = append(texts, s)
		}
	}
	return texts
}
