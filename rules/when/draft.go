package when

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/checker/nature"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// A draft is an expression on its way to a program, with what was found wrong with it.
//
// It takes the steps of expr.Compile one by one, for three reasons: to find every problem instead
// of the first, to rewrite the tree after the optimiser, which would fold the step counting away,
// and to share a conf.Config, which takes expr.Compile longer to make than all the rest.
type draft struct {
	src      source
	schema   *schema
	words    words
	builds   bool // whether it builds a value, and so may call valueFunctions and join texts
	config   *conf.Config
	tree     *parser.Tree
	problems []Problem
	slots    []slot
	reads    []string

	beforeLowering func(ast.Node) // is shown the optimised tree; nil: nobody asks
}

// words are how problems call an expression and what it is for.
type words struct {
	one, many, subject, callbacks, shorter string
}

var (
	condWords = words{"the condition", "conditions", "this rule", "this rule's callbacks", "use several rules"}
	keyWords  = words{"the expression", "expressions", "the expression", "the callbacks that the expression is for", "use a shorter one"}
)

func newDraft(src string, s *schema) *draft {
	return &draft{src: source{text: src}, schema: s, words: condWords}
}

// compile returns the program of a condition; nil when a problem is no warning.
func (d *draft) compile() *vm.Program {
	return d.compileTo(d.checkUses, expr.AsBool(), expr.WarnOnAny())
}

// compileTo returns the program of an expression that is sound, that has the wanted result, and of which check, called
// once types are known, finds nothing wrong.
func (d *draft) compileTo(check func(), result ...expr.Option) *vm.Program {
	if !d.checkSize() {
		return nil
	}
	return d.withConfig(func() *vm.Program {
		if !d.parse() {
			return nil
		}
		d.checkNames()
		if d.failed() || !d.checkTypes() {
			return nil
		}
		check()
		if d.failed() {
			return nil
		}
		return d.finish()
	}, result...)
}

// compilePart returns the program of a part of a sound condition, of any type.
func (d *draft) compilePart() *vm.Program {
	return d.withConfig(func() *vm.Program {
		if !d.parse() {
			return nil
		}
		if _, err := checker.Check(d.tree, d.config); err != nil {
			return nil
		}
		return d.finish()
	}, expr.AsKind(reflect.Invalid))
}

// withConfig borrows a config. A panic within expr becomes a problem: a rules file must not be
// able to stop the program.
func (d *draft) withConfig(compile func() *vm.Program, result ...expr.Option) (program *vm.Program) {
	d.config = d.schema.configs.Get().(*conf.Config)
	defer func() {
		if r := recover(); r != nil {
			program = nil
			d.addAt(0, 0, "not-understood", fmt.Sprintf("the expression cannot be compiled: %v", r), "write it differently")
			return // the config may be broken
		}
		d.schema.configs.Put(d.config)
	}()
	for _, option := range result {
		option(d.config)
	}
	return compile()
}

func (d *draft) parse() bool {
	tree, err := parser.ParseWithConfig(d.src.text, d.config)
	if err != nil {
		d.addSyntaxError(err)
		return false
	}
	d.tree = tree
	return true
}

// finish turns a checked tree into a program.
func (d *draft) finish() *vm.Program {
	if d.desugar() {
		if _, err := checker.Check(d.tree, d.config); err != nil {
			d.addExprError(err)
			return nil
		}
	}
	if err := d.optimise(); err != nil {
		d.addExprError(err)
		return nil
	}
	if d.beforeLowering != nil {
		d.beforeLowering(d.tree.Node)
	}
	d.lower()
	program, err := compiler.Compile(d.tree, d.config)
	if err != nil {
		d.addExprError(err)
		return nil
	}
	return program
}

// optimise makes a checked tree simpler. What the optimiser leaves of x && true is x under the type and at the place of the
// whole, neither of which is x's own: it gets them back.
func (d *draft) optimise() error {
	type own struct {
		nature nature.Nature
		at     file.Location
	}
	before := map[ast.Node]own{}
	var note func(n ast.Node)
	note = func(n ast.Node) {
		before[n] = own{*n.Nature(), n.Location()}
		each(n, func(child *ast.Node) { note(*child) })
	}
	note(d.tree.Node)
	if err := optimizer.Optimize(&d.tree.Node, d.config); err != nil {
		return err
	}
	var restore func(n ast.Node)
	restore = func(n ast.Node) {
		if was, ok := before[n]; ok {
			n.SetNature(was.nature)
			n.SetLocation(was.at)
		}
		each(n, func(child *ast.Node) { restore(*child) })
	}
	restore(d.tree.Node)
	return nil
}

func (d *draft) failed() bool {
	for _, p := range d.problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

// add notes an error at a node of the parser's tree.
func (d *draft) add(n ast.Node, id, message, hint string) {
	start, end := d.src.extent(n)
	d.addAt(start, end, id, message, hint)
}

// warn notes a warning at a node of the parser's tree.
func (d *draft) warn(n ast.Node, id, message, hint string) {
	start, end := d.src.extent(n)
	d.problems = append(d.problems, Problem{Warning: true, ID: id, Start: start, End: end, Message: message, Hint: hint})
}

func (d *draft) addAt(start, end int, id, message, hint string) {
	d.problems = append(d.problems, Problem{ID: id, Start: start, End: end, Message: message, Hint: hint})
}

// addExprError notes an error of expr that no check here has foreseen.
func (d *draft) addExprError(err error) {
	var fe *file.Error
	if !errors.As(err, &fe) {
		d.addAt(0, 0, "not-understood", plainWords(err.Error()), "")
		return
	}
	start, end := d.src.place(fe.Location)
	d.addAt(start, end, "not-understood", plainWords(fe.Message), "")
}
