package when

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// boolHint says how to make a question of a value.
func (d *draft) boolHint(n ast.Node) string {
	text := d.src.of(n)
	switch t := n.Type(); {
	case isUnknown(n):
		return text + " == true"
	case t.Kind() == reflect.String:
		return text + ` != ""`
	case t.Kind() == reflect.Slice:
		return "len(" + text + ") > 0"
	case t.Kind() == reflect.Int || t.Kind() == reflect.Float64:
		return text + " != 0"
	}
	return "compare it with something"
}

func (d *draft) mismatchHint(n *ast.BinaryNode) string {
	left, right := d.src.of(n.Left), d.src.of(n.Right)
	l, r := n.Left.Type().Kind(), n.Right.Type().Kind()
	switch op := n.Operator; {
	case isAnd(op) || isOr(op):
		return d.joinHint(n)
	case op == "in" && r == reflect.String:
		if d.bracketed(n.Right) {
			return fmt.Sprintf("%s in [%s]", left, right)
		}
		return fmt.Sprintf("%s contains %s, or %s == %s", right, left, right, left)
	case op == "in" && l == reflect.Int:
		return fmt.Sprintf("%s is an integer: numbers stand without quotes", left)
	case op == "in" && l == reflect.String:
		return fmt.Sprintf(`%s is a string: put the list's elements in quotes`, left)
	case l == reflect.Slice && (op == "==" || op == "contains"):
		return fmt.Sprintf("%s in %s", right, left)
	case r == reflect.Slice && op == "==":
		return fmt.Sprintf("%s in %s", left, right)
	case l == reflect.Slice && op == "!=":
		return fmt.Sprintf("%s not in %s", right, left)
	case l == reflect.Slice && (op == "startsWith" || op == "endsWith" || op == "matches"):
		return fmt.Sprintf("any(%s, # %s %s)", left, op, right)
	case l == reflect.Int && isText(n.Right):
		return unquotedNumber(left, n.Right.(*ast.StringNode).Value)
	case r == reflect.Int && isText(n.Left):
		return unquotedNumber(right, n.Left.(*ast.StringNode).Value)
	case l == reflect.String && r == reflect.Int && (op == "==" || op == "!="):
		return fmt.Sprintf(`%s is a string: %s %s "%s"`, left, left, op, right)
	case l == reflect.String && r == reflect.Int:
		return fmt.Sprintf("len(%s) %s %s, or int(%s) %s %s", left, op, right, left, op, right)
	case l == reflect.Bool && isText(n.Right):
		return "true and false stand without quotes"
	}
	return ""
}

// bracketed reports whether a node stands in parentheses of its own.
func (d *draft) bracketed(n ast.Node) bool {
	start, _ := d.src.extent(n)
	return strings.HasSuffix(strings.TrimSpace(d.src.text[:start]), "(")
}

// joinHint is for && and || of something that is no question: most often the second value of
// x == "a" or "b".
func (d *draft) joinHint(n *ast.BinaryNode) string {
	if c, ok := n.Left.(*ast.BinaryNode); ok && isLiteral(n.Right) && (c.Operator == "==" || c.Operator == "!=") {
		in := map[string]string{"==": "in", "!=": "not in"}[c.Operator]
		return fmt.Sprintf("%s %s [%s, %s]", d.src.of(c.Left), in, d.src.of(c.Right), d.src.of(n.Right))
	}
	if n.Left.Type().Kind() == reflect.Bool {
		return d.boolHint(n.Right)
	}
	return d.boolHint(n.Left)
}

func unquotedNumber(field, text string) string {
	if _, err := strconv.Atoi(text); err == nil {
		return fmt.Sprintf("%s is an integer: %s without quotes", field, text)
	}
	if _, ok := constants()[text]; ok {
		return fmt.Sprintf("%s is an integer: the constant %s stands without quotes", field, text)
	}
	return field + " is an integer"
}

// typeOf names a node's type.
func typeOf(n ast.Node) string {
	t := n.Type()
	switch {
	case n.Nature().Nil:
		return "nil"
	case isUnknown(n):
		return "a value of unknown type"
	case t.Kind() == reflect.Slice && n.Nature().Ref != nil && n.Nature().Ref.Type != nil:
		return "a list of " + plural(n.Nature().Ref.Type)
	}
	return goTypeWords(t.String())
}

func plural(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "strings"
	case reflect.Int:
		return "integers"
	case reflect.Map:
		return "objects"
	}
	return "values"
}

func goTypeWords(t string) string {
	switch {
	case t == "string":
		return "a string"
	case t == "int":
		return "an integer"
	case t == "float64":
		return "a number"
	case t == "bool":
		return "a boolean"
	case t == "time.Time":
		return "a time"
	case t == "time.Duration":
		return "a duration"
	case strings.HasPrefix(t, "[]"):
		return "a list"
	case strings.HasPrefix(t, "map"):
		return "an object"
	}
	return t
}
