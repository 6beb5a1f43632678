package when

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// A Part is a part of a condition with its value, for explanations.
type Part struct {
	Depth      int    // of nesting, 0 for the whole
	Text       string // the part's source
	Start, End int    // where it stands: byte offsets into the source of the condition; equal for a field that a helper reads
	Value      string // its value as text: true, false, "g-1", [], error: …; long ones are cut
	Err        bool   // whether Value is an error
	Truth      Truth
}

// A Truth is what a part of a condition comes to.
type Truth uint8

// The truths. An operand of && || or not, and the whole, are True, False or Unknown.
const (
	NoTruth Truth = iota // a value that is compared, neither true nor false
	True
	False
	Unknown // it failed
)

// String returns "true", "false", "unknown", or "" for NoTruth.
func (t Truth) String() string { return [...]string{"", "true", "false", "unknown"}[t] }

// A part is a part of a condition with its own program.
type part struct {
	depth   int
	text    string
	start   int
	program *vm.Program
}

// Explain evaluates every part of a condition for itself: its operands of && || and not, and the
// fields they compare. Each part has a budget of its own, which takes nothing from the callback's.
func (s *Scope) Explain(c *Cond) []Part {
	total := s.total
	defer func() { s.total = total }()
	var parts []Part
	for _, p := range c.parts() {
		s.total = callbackSteps
		v, err := s.run(p.program)
		explained := Part{Depth: p.depth, Text: p.text, Start: p.start, End: p.start, Err: err != nil, Truth: truthOf(v, err)}
		if strings.HasPrefix(c.source[p.start:], p.text) {
			explained.End += len(p.text)
		}
		if err != nil {
			explained.Value = "error: " + err.Error()
		} else {
			explained.Value = show(v)
		}
		parts = append(parts, explained)
	}
	return parts
}

func truthOf(v any, err error) Truth {
	truth, isTruth := v.(bool)
	switch {
	case err != nil:
		return Unknown
	case isTruth && truth:
		return True
	case isTruth:
		return False
	}
	return NoTruth
}

// explained takes the source of a condition apart. The tree of its program will not do: there
// constants are numbers and helpers are gone.
func (c *Cond) explained() []part {
	d := newDraft(c.source, c.schema)
	parsed := false
	d.withConfig(func() *vm.Program { parsed = d.parse(); return nil })
	e := explainer{draft: d}
	whole := strings.TrimSpace(c.source)
	e.addPart(0, whole, strings.Index(c.source, whole))
	if parsed {
		e.explain(d.tree.Node, 1)
	}
	return e.parts
}

type explainer struct {
	*draft
	let   string // the declarations that surround the current part
	parts []part
}

// addPart compiles a part; what does not compile alone is left out.
func (e *explainer) addPart(depth int, text string, start int) {
	if program := newDraft(e.let+text, e.schema).compilePart(); program != nil {
		e.parts = append(e.parts, part{depth: depth, text: text, start: start, program: program})
	}
}

func (e *explainer) addNode(depth int, n ast.Node) {
	start, _ := e.src.extent(n)
	e.addPart(depth, e.src.of(n), start)
}

// explain adds the parts below a node.
func (e *explainer) explain(n ast.Node, depth int) {
	switch n := n.(type) {
	case *ast.VariableDeclaratorNode:
		e.addNode(depth, n.Value)
		outer := e.let
		e.let += "let " + n.Name + " = " + e.src.of(n.Value) + "; "
		e.explain(n.Expr, depth)
		e.let = outer
		return
	case *ast.BinaryNode:
		// a < b < c is parsed as a < b && b < c, but has no && to point at.
		if (isAnd(n.Operator) || isOr(n.Operator)) && e.src.token(e.src.at(n.Location())) == n.Operator {
			e.operands(n, n.Operator, depth)
			return
		}
	case *ast.UnaryNode:
		if isNot(n.Operator) && !e.negated(n) {
			e.operand(n.Node, depth)
			return
		}
	case *ast.ConditionalNode:
		e.operand(n.Cond, depth)
		e.operand(n.Exp1, depth)
		e.operand(n.Exp2, depth)
		return
	}
	e.fields(n, depth)
}

// operands adds both sides, and those of sides with the same operator at the same depth.
func (e *explainer) operands(n *ast.BinaryNode, operator string, depth int) {
	for _, side := range []ast.Node{n.Left, n.Right} {
		if b, ok := side.(*ast.BinaryNode); ok && b.Operator == operator && e.src.token(e.src.at(b.Location())) == operator {
			e.operands(b, operator, depth)
			continue
		}
		e.operand(side, depth)
	}
}

func (e *explainer) operand(n ast.Node, depth int) {
	if isLiteral(n) {
		return
	}
	e.addNode(depth, n)
	e.explain(n, depth+1)
}

// negated reports whether n is the not of x not in y, which stands inside its operand.
func (e *explainer) negated(n *ast.UnaryNode) bool {
	first, _ := e.src.spread(n.Node)
	return e.src.at(n.Location()) > first
}

// fields adds the fields and members that a comparison reads, each once.
func (e *explainer) fields(n ast.Node, depth int) {
	texts := map[string]int{} // text → where it first stands
	e.collect(n, n, texts)
	order := make([]string, 0, len(texts))
	for text := range texts {
		order = append(order, text)
	}
	sort.Slice(order, func(i, j int) bool { return texts[order[i]] < texts[order[j]] })
	for _, text := range order {
		e.addPart(depth, text, texts[text])
	}
}

func (e *explainer) collect(whole, n ast.Node, texts map[string]int) {
	note := func(text string, at int) {
		if _, ok := texts[text]; !ok {
			texts[text] = at
		}
	}
	start, _ := e.src.extent(n)
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if _, isConstant := constants()[n.Value]; !isConstant && n != whole {
			note(n.Value, start)
		}
		return
	case *ast.MemberNode:
		if !n.Method && find(n, isPointer) == nil {
			if ast.Node(n) != whole {
				note(e.src.of(n), start)
				return
			}
			e.collect(whole, n.Node, texts)
			return
		}
	case *ast.CallNode:
		switch function(n) {
		case "mentions", "mentionsAll":
			for _, name := range e.schema.mentionLists() {
				note(name, start)
			}
		case "hourIn", "weekday":
			note("now", start)
		case "has":
			return
		}
		for _, arg := range n.Arguments {
			e.collect(whole, arg, texts)
		}
		if m, ok := n.Callee.(*ast.MemberNode); ok {
			e.collect(whole, m.Node, texts)
		}
		return
	}
	each(n, func(child *ast.Node) { e.collect(whole, *child, texts) })
}

func isPointer(n ast.Node) bool {
	_, ok := n.(*ast.PointerNode)
	return ok
}

// maxShown bounds a value's text, in runes.
const maxShown = 120

// show writes a value the way a condition would, cut short.
func show(v any) string {
	text := showWhole(v, 3)
	if utf8.RuneCountInString(text) <= maxShown {
		return text
	}
	return string([]rune(text)[:maxShown-1]) + "…"
}

// showWhole writes a value; lists and objects down to some depth, and only what can be shown.
func showWhole(v any, depth int) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		if len(v) > 4*maxShown {
			v = strings.ToValidUTF8(v[:4*maxShown], "")
		}
		return strconv.Quote(v)
	case time.Time:
		return v.Format(time.RFC3339)
	case []any:
		return "[" + showEntries(len(v), depth, func(i int) string { return showWhole(v[i], depth-1) }) + "]"
	case []string: // of split
		return "[" + showEntries(len(v), depth, func(i int) string { return showWhole(v[i], depth-1) }) + "]"
	case map[string]any:
		keys := sortedKeys(v)
		return "{" + showEntries(len(v), depth, func(i int) string {
			return keys[i] + ": " + showWhole(v[keys[i]], depth-1)
		}) + "}"
	default:
		return fmt.Sprint(v)
	}
}

func showEntries(n, depth int, entry func(int) string) string {
	const shown = 10
	if depth == 0 && n > 0 {
		return "…"
	}
	var entries []string
	for i := range min(n, shown) {
		entries = append(entries, entry(i))
	}
	if n > shown {
		entries = append(entries, fmt.Sprintf("… %d in all", n))
	}
	return strings.Join(entries, ", ")
}
