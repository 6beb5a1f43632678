package when

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// checkUses looks for what is well typed but would be costly, wrong or fragile.
func (d *draft) checkUses() {
	joins := 0
	d.checkUse(d.tree.Node, false, &joins)
}

func (d *draft) checkUse(n ast.Node, inPredicate bool, joins *int) {
	switch n := n.(type) {
	case *ast.PredicateNode:
		inPredicate = true
	case *ast.BinaryNode:
		if n.Operator == "+" && !d.builds && (n.Type() == stringType || isUnknown(n)) {
			*joins++
			if inPredicate {
				d.add(n, "text-joined", "texts cannot be joined inside a predicate", "")
			} else if *joins == maxJoins+1 {
				d.add(n, "text-joined", fmt.Sprintf("%s may join texts %d times", d.words.one, maxJoins), "")
			}
		}
		if r, ok := n.Right.(*ast.BinaryNode); ok && n.Operator == "in" && r.Operator == ".." && n.Left.Type() != intType {
			d.add(n.Left, "range-of-unknown", "the left side of a range must be an integer", "int("+d.src.of(n.Left)+")")
		}
		if list, ok := n.Right.(*ast.ArrayNode); ok && n.Operator == "in" {
			d.checkElements(n.Left, list)
		}
		d.checkNil(n)
	case *ast.MemberNode:
		d.checkMember(n)
	}
	each(n, func(child *ast.Node) { d.checkUse(*child, inPredicate, joins) })
}

// checkElements reports elements of a mixed list that a value of a known type never equals; expr itself finds lists
// of which no element fits.
func (d *draft) checkElements(value ast.Node, list *ast.ArrayNode) {
	want := value.Type()
	if want != intType && want != stringType {
		return
	}
	for _, element := range list.Nodes {
		if got := element.Type(); got != want && !isUnknown(element) {
			d.add(element, "type-mismatch", fmt.Sprintf("%s is %s, this element is %s", d.src.of(value), typeOf(value), typeOf(element)), "")
		}
	}
}

// timeMethods are the methods of times and spans that conditions may call.
var timeMethods = map[string]bool{
	"Year": true, "Month": true, "Day": true, "YearDay": true, "Hour": true, "Minute": true, "Second": true, "Weekday": true,
	"Unix": true, "UnixMilli": true, "Before": true, "After": true, "Equal": true, "Sub": true, "Add": true, "AddDate": true,
	"Hours": true, "Minutes": true, "Seconds": true, "Milliseconds": true,
}

func (d *draft) checkMember(n *ast.MemberNode) {
	base := n.Node.Type()
	name, isName := n.Property.(*ast.StringNode)
	switch {
	case base.PkgPath() == "time" && (!isName || !n.Method || !timeMethods[name.Value]):
		d.add(n, "unknown-method", "times have no such method for "+d.words.many, "for hours and days of a place use hourIn and weekday; of UTC now.Hour(), now.Day(), …")
	case n.Method && base.PkgPath() != "time":
		d.add(n, "unknown-method", "values have no methods", "see the functions: "+list(functionNames(), shownNames))
	case isIndex(n) && base.Kind() == reflect.Slice && !d.guarded(n.Node) && !isFirstOfSplit(n):
		d.warn(n, "index-unguarded", fmt.Sprintf("%s fails when the list is shorter", d.src.of(n)),
			fmt.Sprintf("len(%[1]s) > 0 && …, or %[2]q in %[1]s, or first(%[1]s)", d.src.of(n.Node), "x"))
	}
}

func isIndex(n *ast.MemberNode) bool {
	_, isName := n.Property.(*ast.StringNode)
	return !isName
}

// isFirstOfSplit reports whether a node is split(…, "-")[0], which is always there.
func isFirstOfSplit(n *ast.MemberNode) bool {
	call, ok := n.Node.(*ast.BuiltinNode)
	first, isNumber := n.Property.(*ast.IntegerNode)
	if !ok || call.Name != "split" || len(call.Arguments) < 2 || !isNumber || first.Value != 0 {
		return false
	}
	separator, ok := call.Arguments[1].(*ast.StringNode)
	return ok && separator.Value != ""
}

// guarded reports whether the condition asks for the length of a list anywhere.
func (d *draft) guarded(list ast.Node) bool {
	text := d.src.of(list)
	return find(d.tree.Node, func(n ast.Node) bool {
		b, ok := n.(*ast.BuiltinNode)
		return ok && b.Name == "len" && len(b.Arguments) == 1 && d.src.of(b.Arguments[0]) == text
	}) != nil
}

// checkNil reports comparisons of typed values with nil, which are always the same.
func (d *draft) checkNil(n *ast.BinaryNode) {
	if n.Operator != "==" && n.Operator != "!=" {
		return
	}
	value := n.Left
	if _, ok := value.(*ast.NilNode); ok {
		value = n.Right
	} else if _, ok := n.Right.(*ast.NilNode); !ok {
		return
	}
	if isUnknown(value) || value.Nature().Nil {
		return
	}
	text := d.src.of(value)
	hint := strings.Replace(d.boolHint(value), "!=", "==", 1)
	if _, ok := d.schema.fields[text]; ok {
		hint = fmt.Sprintf("has(%q) asks whether it was sent; %s whether it is empty", text, strings.Replace(hint, "> 0", "== 0", 1))
	}
	d.add(n, "never-nil", fmt.Sprintf("%s is %s and never nil", text, typeOf(value)), hint)
}
