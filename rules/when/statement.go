package when

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"callboard/rules/formula"
)

// statement returns what a comparison, a call of a predicate, or a field makes necessary, without regard to failures.
func (e *extractor) statement(n ast.Node, want bool) formula.Formula {
	switch n := n.(type) {
	case *ast.BinaryNode:
		return e.comparison(n, want)
	case *ast.BuiltinNode:
		return e.builtin(n, want)
	case *ast.CallNode:
		return e.miss(n, "a call of "+function(n)+" is not indexed", "")
	}
	if v, ok := e.view(n); ok && v.view == formula.Plain && v.field.Type == formula.Bool {
		return v.is(formula.OneOf, literals{bools: []bool{want}})
	}
	return e.miss(n, "it is no comparison with a literal", "")
}

// A viewed value is a field in the form in which an operator sees it.
type viewed struct {
	field formula.Field
	view  formula.View
}

// is returns the formula of one atom about a value, which is exact.
func (v viewed) is(kind formula.Kind, l literals) formula.Formula {
	return formula.Of(formula.Atom{Field: v.field, View: v.view, Kind: kind, Texts: l.texts, Ints: l.ints, Bools: l.bools}, true)
}

func (v viewed) between(from, to int) formula.Formula {
	return formula.Of(formula.Atom{Field: v.field, View: v.view, Kind: formula.Range, From: from, To: to}, true)
}

// isText and isInt report what is known of the value.
func (v viewed) isText() bool {
	return v.field.Type == formula.String && (v.view == formula.Plain || v.view == formula.Lower)
}

func (v viewed) isInt() bool {
	return v.field.Type == formula.Int && v.view == formula.Plain || v.view == formula.Length
}

func (v viewed) isUnknown() bool { return v.field.Type == formula.Unknown && v.view == formula.Plain }

// literals are what a value is compared with.
type literals struct {
	texts []string
	ints  []int
	bools []bool
}

func (l literals) len() int { return len(l.texts) + len(l.ints) + len(l.bools) }

// literalsOf returns the literals of one node or of a list of them.
func (e *extractor) literalsOf(n ast.Node, list bool) (l literals, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if value, isVariable := e.variable(n.Value); isVariable {
			return e.literalsOf(value, list)
		}
		return l, false
	case *ast.StringNode:
		return literals{texts: []string{n.Value}}, !list
	case *ast.IntegerNode:
		return literals{ints: []int{n.Value}}, !list
	case *ast.BoolNode:
		return literals{bools: []bool{n.Value}}, !list
	case *ast.ConstantNode:
		switch v := n.Value.(type) {
		case map[string]struct{}:
			l.texts = sortedKeys(v)
		case map[int]struct{}:
			for k := range v {
				l.ints = append(l.ints, k)
			}
			slices.Sort(l.ints)
		case []string:
			l.texts = v
		case []int:
			l.ints = v
		case []any:
			for _, element := range v {
				switch element := element.(type) {
				case string:
					l.texts = append(l.texts, element)
				case int:
					l.ints = append(l.ints, element)
				case bool:
					l.bools = append(l.bools, element)
				default:
					return l, false
				}
			}
		default:
			return l, false
		}
		return l, list
	case *ast.ArrayNode:
		for _, element := range n.Nodes {
			one, known := e.literalsOf(element, false)
			if !known {
				return l, false
			}
			l.texts, l.ints, l.bools = append(l.texts, one.texts...), append(l.ints, one.ints...), append(l.bools, one.bools...)
		}
		return l, list
	}
	return l, false
}

func (e *extractor) comparison(n *ast.BinaryNode, want bool) formula.Formula {
	switch n.Operator {
	case "==", "!=":
		want = want == (n.Operator == "==")
		if l, ok := e.literalsOf(n.Right, false); ok {
			return e.equal(n, n.Left, l, want)
		}
		if l, ok := e.literalsOf(n.Left, false); ok {
			return e.equal(n, n.Right, l, want)
		}
		return e.miss(n, "it compares with no literal", "")
	case "in":
		return e.in(n, want)
	case "<", "<=", ">", ">=":
		return e.order(n, want)
	case "startsWith":
		return e.textual(n, formula.HasPrefix, want)
	case "endsWith":
		return e.textual(n, formula.HasSuffix, want)
	case "contains":
		return e.textual(n, formula.Contains, want)
	case "matches":
		return e.matches(n, want)
	}
	return e.miss(n, "it is no comparison with a literal", "")
}

// equal is for value == one of literals when want is true, for != otherwise.
func (e *extractor) equal(n, value ast.Node, l literals, want bool) formula.Formula {
	kind := formula.NoneOf
	if want {
		kind = formula.OneOf
	}
	if e.isEntry(value) {
		return e.ofEntry(n, l, want)
	}
	v, ok := e.view(value)
	switch {
	case !ok && want && e.isUpper(value):
		return e.miss(n, "upper(…) is not indexed, lower(…) is", e.lowered(n))
	case !ok:
		return e.miss(n, "it is about no field by itself", "")
	case v.isText() && len(l.texts) == l.len():
		if v.view == formula.Lower {
			lower := slices.DeleteFunc(slices.Clone(l.texts), func(t string) bool { return strings.ToLower(t) != t })
			if len(lower) < len(l.texts) && want {
				e.miss(n, "lower(…) has no upper-case letters", e.lowered(n))
			}
			l.texts = lower
		}
	case v.isInt() && len(l.ints) == l.len():
		if v.view == formula.Length {
			return lengthIs(v, l.ints, want)
		}
	case v.field.Type == formula.Bool && len(l.bools) == l.len():
		if len(l.bools) == 1 {
			return v.is(formula.OneOf, literals{bools: []bool{l.bools[0] == want}})
		}
	case v.isUnknown():
		if slices.ContainsFunc(l.ints, func(i int) bool { return i > maxExactFloat || i < -maxExactFloat }) {
			return e.miss(n, "whole numbers of this size are compared inexactly", "")
		}
	default:
		return e.miss(n, "it is no comparison with a literal of the value's type", "")
	}
	if !want {
		e.missNegated(n)
	}
	return v.is(kind, l)
}

// maxExactFloat is the largest integer up to which every one is a different float64.
const maxExactFloat = 1 << 53

// lengthIs is for len(x) == one of ints.
func lengthIs(v viewed, ints []int, want bool) formula.Formula {
	var fs []formula.Formula
	for _, n := range ints {
		if want {
			fs = append(fs, v.between(n, n))
			continue
		}
		below, above := formula.Never, formula.Never
		if n > formula.Lowest {
			below = v.between(formula.Lowest, n-1)
		}
		if n < formula.Highest {
			above = v.between(n+1, formula.Highest)
		}
		fs = append(fs, formula.SomeOf(below, above))
	}
	if want {
		return formula.SomeOf(fs...)
	}
	return formula.AllOf(fs...)
}

func (e *extractor) in(n *ast.BinaryNode, want bool) formula.Formula {
	if l, ok := e.literalsOf(n.Right, true); ok {
		if l.len() == 0 {
			return settled(!want)
		}
		if _, isSet := n.Right.(*ast.ConstantNode); isSet && isUnknown(n.Left) && len(l.texts) == l.len() {
			return e.miss(n, "its type only shows at run time", "") // what is missing is in a set with ""
		}
		return e.equal(n, n.Left, l, want)
	}
	if r, ok := n.Right.(*ast.BinaryNode); ok && r.Operator == ".." {
		from, okFrom := r.Left.(*ast.IntegerNode)
		to, okTo := r.Right.(*ast.IntegerNode)
		if v, ok := e.view(n.Left); ok && v.isInt() && okFrom && okTo && want {
			return v.between(from.Value, to.Value)
		}
		return e.miss(n, "it is no range of a field", "")
	}
	l, ok := e.literalsOf(n.Left, false)
	list, isView := e.view(n.Right)
	if !ok || !isView || list.view != formula.Plain ||
		!(list.field.Type == formula.Strings && len(l.texts) == 1 || list.field.Type == formula.Ints && len(l.ints) == 1) {
		return e.miss(n, "it looks for no literal in a list of the callback", "")
	}
	if want {
		return list.is(formula.Has, l)
	}
	e.missNegated(n)
	return list.is(formula.HasNone, l)
}

func (e *extractor) missNegated(n ast.Node) {
	if e.orFails {
		e.miss(n, "it only excludes values", "")
	}
}

// order is for < and the like.
func (e *extractor) order(n *ast.BinaryNode, want bool) formula.Formula {
	operator := n.Operator
	v, ok := e.view(n.Left)
	l, isLiteral := e.literalsOf(n.Right, false)
	if !ok || !isLiteral {
		v, ok = e.view(n.Right)
		l, isLiteral = e.literalsOf(n.Left, false)
		operator = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[operator]
	}
	if !ok || !isLiteral || !v.isInt() || len(l.ints) != 1 {
		return e.miss(n, "it compares no number of the callback with a whole number", "")
	}
	if !want {
		operator = map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[operator]
	}
	limit := l.ints[0]
	switch {
	case operator == ">=":
		return v.between(limit, formula.Highest)
	case operator == "<=":
		return v.between(formula.Lowest, limit)
	case operator == ">" && limit < math.MaxInt:
		return v.between(limit+1, formula.Highest)
	case operator == "<" && limit > math.MinInt:
		return v.between(formula.Lowest, limit-1)
	}
	return formula.Never
}

// textual is for startsWith, endsWith and contains.
func (e *extractor) textual(n *ast.BinaryNode, kind formula.Kind, want bool) formula.Formula {
	v, ok := e.view(n.Left)
	l, isLiteral := e.literalsOf(n.Right, false)
	switch {
	case !ok && isLiteral && want && e.isUpper(n.Left):
		return e.miss(n, "upper(…) is not indexed, lower(…) is", e.lowered(n))
	case e.isEntry(n.Left):
		return e.miss(n, "of the entries of a list only what they equal is indexed", "")
	case !ok || !v.isText() || !isLiteral || len(l.texts) != 1:
		return e.miss(n, "it compares no text of the callback with a literal", "")
	case !want && l.texts[0] == "":
		return formula.Never
	case !want:
		return e.miss(n, "it only excludes values", "")
	case v.view == formula.Lower && strings.ToLower(l.texts[0]) != l.texts[0]:
		e.miss(n, "lower(…) has no upper-case letters", e.lowered(n))
		return formula.Never
	}
	return v.is(kind, l)
}

// builtin is for predicates over lists.
func (e *extractor) builtin(n *ast.BuiltinNode, want bool) formula.Formula {
	switch n.Name {
	case "hasPrefix", "hasSuffix":
		operator, kind := "startsWith", formula.HasPrefix
		if n.Name == "hasSuffix" {
			operator, kind = "endsWith", formula.HasSuffix
		}
		same := &ast.BinaryNode{Operator: operator, Left: n.Arguments[0], Right: n.Arguments[1]}
		same.SetLocation(n.Location())
		return e.textual(same, kind, want)
	case "any":
		if want {
			return e.someEntry(n, true)
		}
		return e.noEntry(n)
	case "none":
		if want {
			return e.noEntry(n)
		}
		return e.someEntry(n, true)
	case "all":
		if !want {
			return e.someEntry(n, false)
		}
		return e.miss(n, "it is true of an empty list", "")
	case "one":
		if want {
			return e.someEntry(n, true).Inexact()
		}
	}
	return e.miss(n, "a call of "+n.Name+" is not indexed", "")
}

// someEntry returns what is necessary for the predicate to come out as want for one entry at least.
func (e *extractor) someEntry(n *ast.BuiltinNode, want bool) formula.Formula {
	v, ok := e.view(n.Arguments[0])
	predicate, isPredicate := n.Arguments[1].(*ast.PredicateNode)
	if !isPredicate || e.entry != nil || e.vague(predicate.Node) {
		return e.miss(n, "it is a predicate within a predicate, or over what is no list of the callback", "")
	}
	if !ok || v.view != formula.Plain {
		v.field = formula.Field{} // of what it says about # nothing is known, but it may say more
	}
	orFails, spent := e.orFails, e.spent.clone()
	e.entry, e.orFails = &v.field, false // whether it can fail, and what it costs, has been seen to
	f, _ := e.truth(predicate.Node, want)
	e.entry, e.orFails, e.spent = nil, orFails, spent
	if f.Op == formula.Leaf && f.Exact && f.Atom.Kind == formula.Has && f.Atom.Field == v.field {
		return f
	}
	if f.Op == formula.Nothing {
		return f
	}
	if f.Op == formula.Anything {
		return e.miss(n, "it compares entries with no literal", "")
	}
	return f.Inexact()
}

// noEntry returns what is necessary for the predicate to be true of no entry.
func (e *extractor) noEntry(n *ast.BuiltinNode) formula.Formula {
	note := e.note
	e.note = nil
	f := e.someEntry(n, true)
	e.note = note
	e.miss(n, "it only excludes values", "")
	if f.Op != formula.Leaf || !f.Exact || f.Atom.Kind != formula.Has {
		return formula.Formula{}
	}
	none := *f.Atom
	none.Kind = formula.HasNone
	return formula.Of(none, true)
}

// isEntry reports whether n is the # of a predicate over a list of the callback.
func (e *extractor) isEntry(n ast.Node) bool {
	p, ok := n.(*ast.PointerNode)
	return ok && e.entry != nil && p.Name == ""
}

// ofEntry is for # == literal within a predicate.
func (e *extractor) ofEntry(n ast.Node, l literals, want bool) formula.Formula {
	typed := e.entry.Type == formula.Strings && len(l.texts) == l.len() || e.entry.Type == formula.Ints && len(l.ints) == l.len()
	if !typed || !want {
		return e.miss(n, "it only excludes values, or values of another type", "")
	}
	return viewed{field: *e.entry}.is(formula.Has, l)
}

func (e *extractor) isUpper(n ast.Node) bool {
	b, ok := n.(*ast.BuiltinNode)
	if !ok || b.Name != "upper" {
		return false
	}
	v, ok := e.view(b.Arguments[0])
	return ok && v.isText()
}

// lowered writes a comparison with upper(…) or with upper-case letters so that it compares lower-case ones.
func (e *extractor) lowered(n ast.Node) string {
	b, ok := n.(*ast.BinaryNode)
	if e.note == nil || !ok || e.isNegated(b) {
		return ""
	}
	call, ok := b.Left.(*ast.BuiltinNode)
	l, isLiteral := e.literalsOf(b.Right, b.Operator == "in")
	if !ok || !isLiteral || len(l.texts) != l.len() || l.len() > 3 {
		return ""
	}
	var lower []string
	for _, t := range l.texts {
		lower = append(lower, strconv.Quote(strings.ToLower(t)))
	}
	literals := strings.Join(lower, ", ")
	if b.Operator == "in" {
		literals = "[" + literals + "]"
	}
	return "lower(" + e.src.of(call.Arguments[0]) + ") " + b.Operator + " " + literals
}
