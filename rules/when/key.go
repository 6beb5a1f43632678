package when

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"callboard/openim"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// A Key is a compiled expression whose value is a key, by which callbacks belong together: read-only, safe for
// concurrent use.
type Key struct {
	source  string
	program *vm.Program
	slots   []slot   // the fields it reads
	reads   []string // the names it reads, sorted
}

// CompileKey compiles an expression whose value is a text, a number or a boolean, or of a type that only shows at run
// time. Otherwise it is as Compile. Expressions that read now are refused: the same key would never come again.
func CompileKey(src string, commands []*openim.Command) (*Key, []Problem) {
	d := newDraft(src, schemaFor(commands))
	d.words = keyWords
	program := d.compileKey()
	slices.SortStableFunc(d.problems, func(a, b Problem) int { return a.Start - b.Start })
	if program == nil {
		return nil, d.problems
	}
	return &Key{source: src, program: program, slots: d.slots, reads: d.reads}, d.problems
}

// Source returns the text that was compiled.
func (k *Key) Source() string { return k.source }

// Reads returns the names that the expression reads, as Cond.Reads does.
func (k *Key) Reads() []string { return k.reads }

// compileKey returns the program of a key; nil when a problem is no warning.
func (d *draft) compileKey() *vm.Program {
	return d.compileTo(func() {
		d.checkKey()
		d.checkUses()
	}, expr.AsKind(reflect.Invalid))
}

// checkKey reports expressions whose value is no key, or no good one.
func (d *draft) checkKey() {
	n := result(d.tree.Node)
	now := find(d.tree.Node, readsNow)
	switch {
	case now != nil:
		d.add(now, "key-with-time", "a key cannot depend on the time: the same one would not come again", "sendTime, for example, stays with the callback")
	case isLiteral(n) && n.Type().Kind() == reflect.Bool:
		d.add(n, "not-a-key", "the expression is the same for every callback", "groupID, for example")
	default:
		d.checkScalar("not-a-key")
	}
}

// checkScalar reports expressions whose value is no text, number or boolean.
func (d *draft) checkScalar(id string) {
	n := result(d.tree.Node)
	switch {
	case n.Nature().Nil:
		d.add(n, id, "the expression is nil, not a text, a number or a boolean", "")
	case isUnknown(n), isScalar(n.Type()):
		d.warnOfFieldName(n)
	default:
		d.add(n, id, fmt.Sprintf("the expression is %s, not a text, a number or a boolean", typeOf(n)), d.keyHint(n))
	}
}

// isScalar reports whether scalarText writes values of a type.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float64, reflect.Int, reflect.Int64:
		return t != reflect.TypeFor[time.Duration]()
	}
	return t == reflect.TypeFor[time.Time]()
}

// warnOfFieldName warns of a text that is the name of a field.
func (d *draft) warnOfFieldName(n ast.Node) {
	if isText(n) && d.isField(n.(*ast.StringNode).Value) {
		d.warn(n, "text-for-field", fmt.Sprintf("this is the text %s, the same for every callback, not the field", d.src.of(n)),
			n.(*ast.StringNode).Value+" without quotes")
	}
}

func (d *draft) isField(name string) bool {
	_, ok := d.schema.fields[name]
	return ok
}

// keyHint says how to make a key of a value that is none.
func (d *draft) keyHint(n ast.Node) string {
	text := d.src.of(n)
	switch kind := n.Type().Kind(); {
	case kind == reflect.Slice:
		return "first(" + text + "), for example"
	case kind == reflect.Map && text == "headers":
		return `headers["x-tenant"], for example`
	case kind == reflect.Map && n.Nature().TypeData != nil:
		return "a member of it: " + list(sortedKeys(n.Nature().Fields), shownNames)
	case kind == reflect.Map:
		return "a member of it: " + text + ".name"
	}
	return ""
}

// readsNow reports whether a node of the parser's tree stands for the time of the callback.
func readsNow(n ast.Node) bool {
	name := identifier(n)
	if name == "" {
		name = function(n)
	}
	return name == "now" || name == "hourIn" || name == "weekday"
}

// result returns the node that an expression's value comes from: what follows its variables.
func result(n ast.Node) ast.Node {
	for {
		let, ok := n.(*ast.VariableDeclaratorNode)
		if !ok {
			return n
		}
		n = let.Expr
	}
}

// Key evaluates a key given to NewEnv: numbers in decimal, booleans as true and false, nil as "". It is bounded as Eval
// is, and its errors, too, name no values. After an error the key is "".
func (s *Scope) Key(k *Key) (string, error) {
	v, err := s.run(k.program)
	if err != nil {
		return "", err
	}
	key, ok := scalarText(v)
	if !ok {
		return "", &conversionError{"a key", typeName(v)}
	}
	return key, nil
}
