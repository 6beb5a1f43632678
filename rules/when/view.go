package when

import (
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"callboard/openim"
	"callboard/rules/formula"
)

// view returns the field that n reads, and the form in which it does.
func (e *extractor) view(n ast.Node) (v viewed, ok bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if value, isVariable := e.variable(n.Value); isVariable {
			return e.view(value)
		}
		return e.named(n.Value)
	case *ast.ChainNode:
		return e.view(n.Node)
	case *ast.MemberNode:
		return e.member(n)
	case *ast.BuiltinNode:
		if len(n.Arguments) != 1 || n.Name != "len" && n.Name != "lower" {
			return v, false
		}
		v, ok = e.view(n.Arguments[0])
		if !ok || v.view != formula.Plain {
			return v, false
		}
		isText := v.field.Type == formula.String
		if n.Name == "lower" {
			v.view = formula.Lower
			return v, isText
		}
		v.view = formula.Length
		return v, isText || v.field.Type == formula.Strings || v.field.Type == formula.Ints || v.field.Type == formula.Entries
	}
	return v, false
}

// textRoots and objectRoots are the values beside fields that have a formula's Root: texts, and what has members.
var (
	textRoots   = map[string]formula.Root{"command": formula.Command, "source": formula.Source, "text": formula.Text}
	objectRoots = map[string]formula.Root{"headers": formula.Header, "query": formula.Query, "data": formula.Data, "raw": formula.Raw}
)

// named returns a field or value by its name.
func (e *extractor) named(name string) (v viewed, ok bool) {
	if f, isField := e.schema.fields[name]; isField {
		return viewed{field: formula.Field{Root: formula.OfField, Key: slotOf(f).key, Name: name, Type: typeOfKind(f.Kind)}}, true
	}
	root, ok := textRoots[name]
	return viewed{field: formula.Field{Root: root, Name: name, Type: formula.String}}, ok
}

// typeOfKind returns what is known of a field's values. A kind that is none of these is never compared with a literal.
func typeOfKind(k openim.Kind) formula.Type {
	switch k {
	case openim.String:
		return formula.String
	case openim.Int:
		return formula.Int
	case openim.Bool:
		return formula.Bool
	case openim.Strings:
		return formula.Strings
	case openim.Ints:
		return formula.Ints
	case openim.Objects:
		return formula.Entries
	default:
		return formula.Unknown
	}
}

// member returns the member of an object, down a path of names that are written out.
func (e *extractor) member(n *ast.MemberNode) (v viewed, ok bool) {
	name, isName := n.Property.(*ast.StringNode)
	if !isName || n.Method || name.Value == "" || strings.Contains(name.Value, formula.PathSeparator) {
		return v, false // a path cannot tell such names
	}
	field, isKnown := e.rootOf(n.Node)
	if !isKnown {
		v, ok = e.view(n.Node)
		if !ok || v.view != formula.Plain || v.field.Type != formula.Unknown {
			return v, false
		}
		field = v.field
	}
	if field.Path != "" {
		field.Path += formula.PathSeparator
	}
	field.Path += name.Value
	field.Name += memberName(name.Value)
	switch t := n.Type(); {
	case t == stringType:
		field.Type = formula.String
	case t == intType:
		field.Type = formula.Int
	case t == boolType:
		field.Type = formula.Bool
	case isUnknown(n):
		field.Type = formula.Unknown
	default:
		return v, false
	}
	return viewed{field: field}, true
}

// rootOf returns the field whose members n stands before.
func (e *extractor) rootOf(n ast.Node) (f formula.Field, ok bool) {
	name := identifier(n)
	if name == "" {
		return f, false
	}
	if _, isVariable := e.variable(name); isVariable {
		return f, false
	}
	root, ok := objectRoots[name]
	return formula.Field{Root: root, Name: name}, ok
}

// memberName writes a member as conditions do.
func memberName(name string) string {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return "[" + strconv.Quote(name) + "]"
		}
	}
	if name == "" {
		return `[""]`
	}
	return "." + name
}
