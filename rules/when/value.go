package when

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"callboard/openim"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser/lexer"
	"github.com/expr-lang/expr/vm"
)

// A Value is a compiled expression that builds something out of a callback: read-only, safe for concurrent use.
type Value struct {
	source  string
	program *vm.Program
	slots   []slot   // the fields it reads
	reads   []string // the names it reads, sorted
	object  bool     // whether its value may be an object
}

// CompileValue compiles an expression whose value can be written as JSON. It may call the functions of ValueFunctions and
// join texts as it likes. Otherwise it is as Compile.
func CompileValue(src string, commands []*openim.Command) (*Value, []Problem) {
	return compileValue(src, commands, (*draft).checkValue)
}

// CompileText compiles an expression for Scope.Text: its value is a text, a number, a boolean, or of a type that only shows
// at run time. Otherwise it is as CompileValue.
func CompileText(src string, commands []*openim.Command) (*Value, []Problem) {
	return compileValue(src, commands, func(d *draft) { d.checkScalar("not-a-text") })
}

func compileValue(src string, commands []*openim.Command, check func(*draft)) (*Value, []Problem) {
	d := newDraft(src, schemaFor(commands))
	d.words, d.builds = keyWords, true
	v := &Value{source: src}
	v.program = d.compileTo(func() {
		check(d)
		d.checkObjects()
		d.checkUses()
		kind := result(d.tree.Node).Type().Kind()
		v.object = kind == reflect.Map || kind == reflect.Interface
	}, expr.AsKind(reflect.Invalid))
	slices.SortStableFunc(d.problems, func(a, b Problem) int { return a.Start - b.Start })
	if v.program == nil {
		return nil, d.problems
	}
	v.slots, v.reads = d.slots, d.reads
	return v, d.problems
}

// Source returns the text that was compiled.
func (v *Value) Source() string { return v.source }

// Reads returns the names that the expression reads, as Cond.Reads does.
func (v *Value) Reads() []string { return v.reads }

// MayBeObject reports whether the value is an object, or of a type that only shows at run time.
func (v *Value) MayBeObject() bool { return v.object }

// PlaceOf returns where a name first stands in an expression, as byte offsets; 0, 0 when it does not.
func PlaceOf(src, name string) (start, end int) {
	s := source{text: src}
	for i, t := range s.tokens() {
		if t.Is(lexer.Identifier, name) && s.token(i-1) != "." && s.token(i-1) != "?." {
			return s.place(t.Location)
		}
	}
	return 0, 0
}

// checkValue reports expressions whose value has no JSON.
func (d *draft) checkValue() {
	n := result(d.tree.Node)
	if n.Nature().Nil {
		d.add(n, "not-a-value", "the expression is nil, the same for every callback", "")
		return
	}
	if d.checkJSON(n) {
		d.warnOfFieldName(n)
	}
}

// checkJSON reports durations that would be written, alone or within what an object or a list is built of, and whether there is none.
func (d *draft) checkJSON(n ast.Node) bool {
	before := len(d.problems)
	switch n := n.(type) {
	case *ast.MapNode:
		for _, p := range n.Pairs {
			d.checkJSON(p.(*ast.PairNode).Value)
		}
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			d.checkJSON(item)
		}
	default:
		if n.Type() == reflect.TypeFor[time.Duration]() {
			d.add(n, "not-a-value", "a duration cannot be written as JSON", "("+d.src.of(n)+").Seconds(), for example")
		}
	}
	return len(d.problems) == before
}

// checkObjects reports what is wrong with the names of objects that are written out.
func (d *draft) checkObjects() {
	find(d.tree.Node, func(n ast.Node) bool {
		object, ok := n.(*ast.MapNode)
		if !ok {
			return false
		}
		seen := map[string]bool{}
		for _, p := range object.Pairs {
			key := p.(*ast.PairNode).Key
			name, constant := key.(*ast.StringNode)
			switch {
			case constant && seen[name.Value]:
				d.add(key, "duplicate-member", fmt.Sprintf("the object has %q twice", name.Value), "")
			case constant:
				seen[name.Value] = true
			case key.Type() != stringType && !isUnknown(key):
				d.add(key, "type-mismatch", fmt.Sprintf("the name of a member is a text, this is %s", typeOf(key)), "string("+d.src.of(key)+")")
			}
		}
		return false
	})
}

// Value evaluates an expression given to NewValueEnv. What it returns is made of nil, texts, numbers, booleans, times, lists
// and objects, and may share parts with the callback: nobody may change it. It is bounded as Eval is, and its errors, too,
// name no values.
func (s *Scope) Value(v *Value) (any, error) { return s.run(v.program) }

// Text evaluates an expression of CompileText: numbers in decimal, booleans as true and false, times by RFC 3339, nil as "".
func (s *Scope) Text(v *Value) (string, error) {
	value, err := s.run(v.program)
	if err != nil {
		return "", err
	}
	text, ok := scalarText(value)
	if !ok {
		return "", &conversionError{"text", typeName(value)}
	}
	return text, nil
}

// scalarText writes a value that is no list or object as text.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	case time.Time:
		return v.Format(time.RFC3339Nano), true
	}
	if r := reflect.ValueOf(v); r.CanInt() && r.Type() != reflect.TypeFor[time.Duration]() { // of methods of times
		return strconv.FormatInt(r.Int(), 10), true
	}
	return "", false
}
