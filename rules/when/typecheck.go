package when

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"callboard/internal/diag"
)

// checkTypes checks the parser's tree. The checker stops at its first error, so when there is one,
// the operands of && and || are checked one by one.
func (d *draft) checkTypes() bool {
	_, err := checker.Check(d.tree, d.config)
	if err == nil {
		return true
	}
	expr.AsKind(reflect.Invalid)(d.config)
	d.checkOperands(d.tree.Node)
	if !d.failed() {
		d.addTypeError(d.tree.Node, err)
	}
	return false
}

func (d *draft) checkOperands(n ast.Node) {
	if b, ok := n.(*ast.BinaryNode); ok && (isAnd(b.Operator) || isOr(b.Operator)) {
		d.checkOperands(b.Left)
		d.checkOperands(b.Right)
		return
	}
	if _, err := checker.Check(&parser.Tree{Node: n, Source: d.tree.Source}, d.config); err != nil {
		d.addTypeError(n, err)
	}
}

// addTypeError notes what the checker says about a tree, in words that fit callbacks.
func (d *draft) addTypeError(tree ast.Node, err error) {
	var fe *file.Error
	if !errors.As(err, &fe) {
		d.addNotBool(tree)
		return
	}
	at := locate(tree, fe.Location)
	switch n := at.(type) {
	case *ast.BinaryNode:
		if strings.HasPrefix(fe.Message, "invalid operation") || strings.HasPrefix(fe.Message, "cannot use") {
			d.add(n, "type-mismatch", d.mismatch(n), d.mismatchHint(n))
			return
		}
	case *ast.UnaryNode:
		d.addUnaryError(tree, n)
		return
	case *ast.MemberNode:
		d.addMemberError(n, fe)
		return
	}
	if at == nil {
		d.addExprError(err)
		return
	}
	if m, ok := memberOf(tree, at).(*ast.MemberNode); ok {
		d.addMemberError(m, fe)
		return
	}
	d.addCallError(tree, at, fe)
}

// memberOf returns the reading of a member of which n is the name or the number.
func memberOf(tree, n ast.Node) ast.Node {
	return find(tree, func(p ast.Node) bool {
		m, ok := p.(*ast.MemberNode)
		return ok && m.Property == n
	})
}

// addNotBool notes that a condition is neither true nor false.
func (d *draft) addNotBool(tree ast.Node) {
	value := result(tree)
	d.add(tree, "not-a-bool", fmt.Sprintf("the condition is %s, not true or false", typeOf(value)), d.boolHint(value))
}

func (d *draft) mismatch(n *ast.BinaryNode) string {
	switch op := n.Operator; {
	case isAnd(op) || isOr(op):
		side := n.Left
		if n.Left.Type().Kind() == reflect.Bool {
			side = n.Right
		}
		return fmt.Sprintf("%s joins questions, but %s is %s", op, d.src.of(side), typeOf(side))
	case op == "in" && n.Right.Type().Kind() == reflect.String:
		return fmt.Sprintf("in looks into lists, but %s is a string", d.src.of(n.Right))
	case op == "in":
		return fmt.Sprintf("%s is %s, the list holds others", d.src.of(n.Left), typeOf(n.Left))
	}
	return fmt.Sprintf("%s cannot stand between %s and %s", n.Operator, typeOf(n.Left), typeOf(n.Right))
}

// addUnaryError is for ! and - of the wrong type: most often !x == y, which means (!x) == y.
func (d *draft) addUnaryError(tree ast.Node, n *ast.UnaryNode) {
	message := fmt.Sprintf("%s cannot stand before %s", n.Operator, typeOf(n.Node))
	parent := find(tree, func(p ast.Node) bool {
		b, ok := p.(*ast.BinaryNode)
		return ok && b.Left == ast.Node(n)
	})
	b, ok := parent.(*ast.BinaryNode)
	if !ok || !isNot(n.Operator) {
		d.add(n, "type-mismatch", message, d.boolHint(n.Node))
		return
	}
	operand, other := d.src.of(n.Node), d.src.of(b.Right)
	hint := fmt.Sprintf("%s takes only the next word; write %s(%s %s %s)", n.Operator, n.Operator, operand, b.Operator, other)
	switch b.Operator {
	case "==":
		hint = fmt.Sprintf("%s takes only the next word; write %s != %s", n.Operator, operand, other)
	case "in", "contains", "startsWith", "endsWith", "matches":
		hint = fmt.Sprintf("%s takes only the next word; write %s not %s %s", n.Operator, operand, b.Operator, other)
	}
	d.add(b, "type-mismatch", message, hint)
}

func (d *draft) addMemberError(n *ast.MemberNode, fe *file.Error) {
	start, end := d.src.place(n.Property.Location())
	name, isName := n.Property.(*ast.StringNode)
	switch base := n.Node.Type(); {
	case isName && base.Kind() == reflect.Map && n.Node.Nature().TypeData != nil:
		members := sortedKeys(n.Node.Nature().Fields)
		hint := "members: " + list(members, shownNames)
		if near := diag.Nearest(name.Value, members); near != "" {
			hint = fmt.Sprintf("did you mean %q? %s", near, hint)
		}
		d.addAt(start, end, "unknown-member", fmt.Sprintf("there is no member %s", name.Value), hint)
	case isName && base.Kind() == reflect.String:
		d.addAt(start, end, "unknown-member", fmt.Sprintf("%s is a string, which has no members", d.src.of(n.Node)),
			fmt.Sprintf("json(%s).%s, when it holds JSON; data.%s for content", d.src.of(n.Node), name.Value, name.Value))
	case base.Kind() == reflect.Slice && d.src.token(d.src.at(n.Location())) != "[":
		d.addAt(start, end, "unknown-member", fmt.Sprintf("%s is a list, which has no members", d.src.of(n.Node)),
			fmt.Sprintf("any(%s, .%s == …)", d.src.of(n.Node), name.Value))
	case base.Kind() == reflect.Slice:
		d.add(n.Property, "type-mismatch", fmt.Sprintf("entries of a list are numbered, from 0, but this is %s", typeOf(n.Property)),
			fmt.Sprintf("%s in %s", d.src.of(n.Property), d.src.of(n.Node)))
	case base.Kind() == reflect.String:
		d.add(n, "type-mismatch", "a string has no elements", fmt.Sprintf(`%s startsWith "x", or %[1]s[0:1] for its first byte`, d.src.of(n.Node)))
	default:
		d.add(n, "type-mismatch", plainWords(fe.Message), "")
	}
}

// What the checker says about arguments.
var (
	wrongArgument   = regexp.MustCompile(`^cannot use (.+) as argument \(type (.+)\) to call (\w+)`)
	wrongCollection = regexp.MustCompile(`^(?:builtin (\w+) takes only array \(got|cannot get (first|last) element from) ([^)]+)`)
	wrongType       = regexp.MustCompile(`^invalid argument for (\w+) \(type (.+)\)`)
)

// addCallError is for arguments of functions: at is the argument, or the call.
func (d *draft) addCallError(tree, at ast.Node, fe *file.Error) {
	call := find(tree, func(n ast.Node) bool {
		if function(n) == "" {
			return false
		}
		direct := n == at
		each(n, func(child *ast.Node) { direct = direct || *child == at })
		return direct
	})
	hint := ""
	if call != nil {
		hint = usage(function(call))
	}
	if m := wrongArgument.FindStringSubmatch(fe.Message); m != nil {
		d.add(at, "bad-argument", fmt.Sprintf("%s takes %s here, not %s", m[3], goTypeWords(m[2]), typeOf(at)), hint)
		return
	}
	if m := wrongCollection.FindStringSubmatch(fe.Message); m != nil {
		d.add(at, "bad-argument", fmt.Sprintf("%s takes a list here, not %s", m[1]+m[2], goTypeWords(m[3])), hint)
		return
	}
	if m := wrongType.FindStringSubmatch(fe.Message); m != nil {
		d.add(at, "bad-argument", fmt.Sprintf("%s does not take %s", m[1], goTypeWords(m[2])), hint)
		return
	}
	id := "bad-argument"
	if call == nil {
		id = "type-mismatch"
	}
	d.add(at, id, plainWords(fe.Message), hint)
}
