package when

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"callboard/internal/diag"
)

// shownNames is how many names a hint lists.
const shownNames = 8

// A nameCheck walks the parser's tree, finds every name that means nothing, and what is outside
// the part of the language that conditions have.
type nameCheck struct {
	*draft
	variables []string // let, innermost last
	nesting   int      // of predicates
}

func (d *draft) checkNames() {
	if n := size(d.tree.Node); n > maxNodes {
		d.addAt(0, 0, "too-long", fmt.Sprintf("%s has %d parts, %d are allowed", d.words.one, n, maxNodes),
			d.words.shorter+", or in [...] instead of many comparisons")
		return
	}
	(&nameCheck{draft: d}).check(d.tree.Node)
}

func (c *nameCheck) check(n ast.Node) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		c.checkName(n)
		return
	case *ast.CallNode:
		c.checkCall(n)
		return
	case *ast.BuiltinNode:
		c.checkBuiltin(n)
		return
	case *ast.VariableDeclaratorNode:
		c.checkVariable(n)
		return
	case *ast.BinaryNode:
		c.checkBinary(n)
		return
	case *ast.SequenceNode:
		c.add(n, "sequence", "only the last of several expressions would count", "join them with && or ||")
	case *ast.BytesNode:
		c.add(n, "bytes", `there are no byte texts`, "leave out the b before the quotes")
	case *ast.ArrayNode:
		if len(n.Nodes) > maxElements {
			c.add(n, "too-long", fmt.Sprintf("the list has %d elements, %d are allowed", len(n.Nodes), maxElements), "")
		}
	}
	each(n, func(child *ast.Node) { c.check(*child) })
}

func (c *nameCheck) checkBinary(n *ast.BinaryNode) {
	c.check(n.Left)
	if r, ok := n.Right.(*ast.BinaryNode); ok && n.Operator == "in" && r.Operator == ".." {
		c.checkRange(r, true)
		return
	}
	switch n.Operator {
	case "..":
		c.checkRange(n, false)
		return
	case "matches":
		c.checkPattern(n)
		return
	}
	c.check(n.Right)
	c.checkLiterals(n)
}

func (c *nameCheck) checkVariable(n *ast.VariableDeclaratorNode) {
	if c.knows(n.Name) || strings.HasPrefix(n.Name, "$") || strings.HasPrefix(n.Name, "__") {
		c.add(n, "variable-name", fmt.Sprintf("%s is taken: a variable needs a name of its own", n.Name), "")
	}
	c.check(n.Value)
	c.variables = append(c.variables, n.Name)
	c.check(n.Expr)
	c.variables = c.variables[:len(c.variables)-1]
}

// knows reports whether a name is taken by anything but a variable.
func (c *nameCheck) knows(name string) bool {
	_, known := c.schema.types[name]
	_, disputed := c.schema.disputed[name]
	return known || disputed || helperNamed[name] != nil || builtinNamed[name] != nil || slices.Contains(c.variables, name)
}

func (c *nameCheck) checkName(n *ast.IdentifierNode) {
	name := n.Value
	if slices.Contains(c.variables, name) {
		return
	}
	if camps, ok := c.schema.disputed[name]; ok {
		c.add(n, "field-types-differ", fmt.Sprintf("%s is %s", name, camps),
			c.disputeHint(name))
		return
	}
	if _, ok := c.schema.types[name]; ok {
		return
	}
	if allCarriers()[name] != nil {
		c.addNotCarried(n, name)
		return
	}
	if helperNamed[name] != nil || builtinNamed[name] != nil {
		c.add(n, "function-not-called", fmt.Sprintf("%s is a function", name), "call it: "+usage(name))
		return
	}
	c.add(n, "unknown-name", fmt.Sprintf("unknown name %s", name), c.nameHint(name))
}

// isFor says which callbacks an expression is for.
func (d *draft) isFor() string { return d.words.subject + " is for " + d.schema.subject() }

// disputeHint says how to read a field that commands type differently.
func (d *draft) disputeHint(name string) string {
	if d.words == condWords {
		return "make a rule for each of them; a rule for all can read raw." + name
	}
	return "raw." + name + " reads it whatever it is"
}

// addNotCarried notes a field that only other callbacks have.
func (c *nameCheck) addNotCarried(n ast.Node, name string) {
	hint := fmt.Sprintf("%s is carried by %s; %s", name, commandList(allCarriers()[name]), c.isFor())
	if near := diag.Nearest(name, c.schema.fieldNames()); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	c.add(n, "field-not-carried", fmt.Sprintf("%s is no field of %s", name, c.words.callbacks), hint)
}

// nameHint says which name was probably meant, and which there are.
func (c *nameCheck) nameHint(name string) string {
	known := slices.Concat(c.schema.fieldNames(), sortedKeys(values), c.variables, sortedKeys(constants()), functionNames())
	hint := fmt.Sprintf("fields of %s: %s", c.schema.subject(), list(c.schema.fieldNames(), shownNames))
	if name == "callbackCommand" {
		return `use command, which also knows short names: command == "beforeSendGroupMsg"`
	}
	if near := diag.Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	if near := diag.Nearest(name, sortedKeys(allCarriers())); near != "" {
		return fmt.Sprintf("did you mean %q? it is carried by %s; %s", near, commandList(allCarriers()[near]), c.isFor())
	}
	if strings.EqualFold(name, "null") || strings.EqualFold(name, "none") {
		return "the empty value is nil; a field that was not sent reads as \"\", 0, false or an empty list, and has(\"field\") tells"
	}
	return hint + `; texts need quotes; a field that is not in the catalogue is raw.` + name
}
