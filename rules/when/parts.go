package when

import (
	"sort"
	"strings"
	"weak"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// explained returns the condition taken apart. That takes as much memory as a hundred conditions and little time, so that it is kept
// only until the next garbage collection.
func (c *Cond) explained() *explainable {
	c.mu.Lock()
	defer c.mu.Unlock()
	apart := c.apart.Value()
	if apart == nil {
		made := c.explain()
		apart = &made
		c.apart = weak.Make(apart)
	}
	return apart
}

// explain takes the source of a condition apart. The tree of its program will not do: there
// constants are numbers and helpers are gone.
func (c *Cond) explain() explainable {
	e := explainer{draft: newDraft(c.source, c.schema), of: explainable{placed: map[*joint]placed{}}}
	whole := strings.TrimSpace(c.source)
	start := strings.Index(c.source, whole)
	e.of.parts = []part{{Part: Part{Text: whole, Start: start, End: start + len(whole)}, program: c.program, reads: c.reads}}
	if j := e.joints(); j != nil {
		e.of.joints = j
		e.of.parts[0].simple = e.simple(j)
		e.below(j, 0, 1)
	}
	return e.of
}

// joints parses the source; nil when that fails, which it cannot for what has compiled.
func (d *draft) joints() (j *joint) {
	d.withConfig(func() *vm.Program {
		if d.parse() {
			j = jointOf(d.tree.Node)
		}
		return nil
	})
	return j
}

type explainer struct {
	*draft
	of  explainable
	let string // the declarations that surround the current part
}

func (e *explainer) simple(j *joint) *simple {
	if j.kind != comparison {
		return nil
	}
	return simpleOf(j.node)
}

// add adds a part, with its program where nothing below it says what it comes to. It returns its place.
func (e *explainer) add(p Part, j *joint) int {
	p.End = p.Start
	if strings.HasPrefix(e.src.text[p.Start:], p.Text) {
		p.End += len(p.Text)
	}
	added := part{Part: p}
	if j == nil || j.kind == comparison {
		d := newDraft(e.let+p.Text, e.schema)
		added.program = d.compilePart()
		added.reads, added.slots = d.reads, d.slots
	}
	if j != nil {
		added.simple = e.simple(j)
	} else if added.program == nil {
		return -1 // a field that makes no sense alone is left out
	}
	e.of.parts = append(e.of.parts, added)
	return len(e.of.parts) - 1
}

func (e *explainer) addJoint(j *joint, depth int) int {
	start, _ := e.src.extent(j.node)
	return e.add(Part{Depth: depth, Text: e.src.of(j.node), Start: start}, j)
}

// below adds the parts below a joint whose own is at self.
func (e *explainer) below(j *joint, self, depth int) {
	switch j.kind {
	case constantly:
	case comparison:
		e.fields(j.node, depth)
	case variable:
		value, body := j.below[0], j.below[1]
		at := e.addJoint(value, depth)
		e.of.placed[value] = placed{at, len(e.of.parts)}
		n := j.node.(*ast.VariableDeclaratorNode)
		outer := e.let
		e.let += "let " + n.Name + " = " + e.src.of(n.Value) + "; "
		if body.kind == comparison {
			at := e.addJoint(body, depth)
			e.below(body, at, depth+1)
		} else {
			e.below(body, self, depth)
		}
		e.let = outer
	default:
		for _, b := range j.below {
			if isLiteral(b.node) {
				continue
			}
			e.below(b, e.addJoint(b, depth), depth+1)
		}
	}
	e.of.placed[j] = placed{self, len(e.of.parts)}
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
		e.add(Part{Depth: depth, Text: text, Start: texts[text], IsField: true}, nil)
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
