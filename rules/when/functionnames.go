package when

import (
	"fmt"

	"github.com/expr-lang/expr/ast"

	"callboard/internal/diag"
)

func (c *nameCheck) checkCall(n *ast.CallNode) {
	for _, arg := range n.Arguments {
		c.check(arg)
	}
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		c.check(n.Callee) // a method; see checkMember
		return
	}
	name := id.Value
	h := helperNamed[name]
	if h == nil {
		c.checkUnknownCall(n, name)
		return
	}
	if h.check != nil && len(n.Arguments) > 0 {
		call := &call{args: n.Arguments}
		if i, problem := h.check(call); problem != "" {
			var at ast.Node = n
			if i < len(n.Arguments) {
				at = n.Arguments[i]
			}
			c.add(at, "bad-argument", fmt.Sprintf("%s: %s", name, problem), h.Usage)
		}
	}
	switch name {
	case "mentions", "mentionsAll":
		if len(c.schema.mentionLists()) == 0 {
			c.add(n, "field-not-carried", fmt.Sprintf("%s needs a list of mentions, which %s do not carry", name, c.words.callbacks),
				fmt.Sprintf("atUserList is carried by %s; %s", commandList(allCarriers()["atUserList"]), c.isFor()))
		}
	case "has":
		c.checkHas(n)
	}
}

// checkHas looks up the field that has(…) asks for.
func (c *nameCheck) checkHas(n *ast.CallNode) {
	if len(n.Arguments) != 1 {
		return // the types say so
	}
	name, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		c.add(n.Arguments[0], "bad-argument", "has: the field must be written out as text", `has("ex")`)
		return
	}
	_, usable := c.schema.fields[name.Value]
	_, disputed := c.schema.disputed[name.Value]
	switch {
	case usable || disputed:
	case allCarriers()[name.Value] != nil:
		c.addNotCarried(name, name.Value)
	default:
		c.add(name, "unknown-name", fmt.Sprintf("unknown field %s", name.Value), c.nameHint(name.Value))
	}
}

func (c *nameCheck) checkUnknownCall(n *ast.CallNode, name string) {
	_, isName := c.schema.types[name]
	switch {
	case name == "now":
		c.add(n, "now-called", "now is a value, not a function", "write now without parentheses; it is the same for all rules of a callback")
	case isName:
		c.add(n, "unknown-function", fmt.Sprintf("%s is a value, not a function", name), "write it without parentheses")
	default:
		hint := "functions: " + list(functionNames(), 100)
		if near := diag.Nearest(name, functionNames()); near != "" {
			hint = fmt.Sprintf("did you mean %q? for example %s", near, usage(near))
		}
		c.add(n, "unknown-function", fmt.Sprintf("unknown function %s", name), hint)
	}
}

// instead says what to use in place of a function that is not available.
var instead = map[string]string{
	"fromJSON": `json(ex).level, which is nil when there is no JSON`, "map": "any(list, #.member == …)", "find": "any(list, …)",
	"findIndex": "any(list, …)", "findLast": "any(list, …)", "findLastIndex": "any(list, …)", "get": "list[0] after len(list) > 0, or first(list)",
	"replace": "contains, or matches with a pattern", "timezone": "hourIn and weekday take a time zone", "sum": "count(list, …)",
	"reduce": "any, all, none, one or count",
}

func (c *nameCheck) checkBuiltin(n *ast.BuiltinNode) {
	if builtinNamed[n.Name] == nil && !(c.builds && valueFunctionNamed[n.Name] != nil) {
		hint := instead[n.Name]
		if hint == "" {
			hint = "functions: " + list(functionNames(), 100)
		} else {
			hint = "use " + hint
		}
		c.add(n, "function-not-available", fmt.Sprintf("%s have no function %s", c.words.many, n.Name), hint)
	}
	if (n.Name == "duration" || n.Name == "date") && len(n.Arguments) > 0 {
		c.checkTimeLiteral(n)
	}
	if n.Name == "trim" && len(n.Arguments) > 1 && !(isText(n.Arguments[1]) && len(n.Arguments[1].(*ast.StringNode).Value) <= maxTrimmed) {
		c.add(n.Arguments[1], "bad-argument", "trim takes a few characters, written out", usage(n.Name))
	}
	if n.Name == "join" && len(n.Arguments) > 1 && !(isText(n.Arguments[1]) && len(n.Arguments[1].(*ast.StringNode).Value) <= maxTrimmed) {
		c.add(n.Arguments[1], "bad-argument", "join takes a few characters, written out", usage(n.Name))
	}
	if n.Name == "count" && len(n.Arguments) == 1 {
		c.add(n, "bad-argument", "count needs a predicate", `count(atUserList, # startsWith "bot-"); for all entries len(atUserList)`)
	}
	for _, arg := range n.Arguments {
		if _, ok := arg.(*ast.PredicateNode); !ok {
			c.check(arg)
			continue
		}
		c.nesting++
		if c.nesting == maxNesting+1 {
			c.add(arg, "nested-too-deep", fmt.Sprintf("predicates can be nested %d deep", maxNesting), "")
		}
		c.check(arg)
		c.nesting--
	}
}

func (c *nameCheck) checkTimeLiteral(n *ast.BuiltinNode) {
	if len(n.Arguments) != 1 || !isText(n.Arguments[0]) {
		c.add(n, "bad-argument", n.Name+" takes one text, written out", usage(n.Name))
		return
	}
	if _, err := timeLiteral(n); err != nil {
		c.add(n.Arguments[0], "bad-argument", fmt.Sprintf("this is no %s", n.Name), map[string]string{
			"date": `"2026-01-31", "2026-01-31 09:00:00" (both UTC) or "2026-01-31T09:00:00+08:00"`, "duration": `"90m", "24h", "1h30m"`,
		}[n.Name])
	}
}

func isText(n ast.Node) bool {
	_, ok := n.(*ast.StringNode)
	return ok
}
