package when

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

// An explanation is a condition's parts on their way to what one callback makes of them.
type explanation struct {
	*explainable
	scope   *Scope
	of      *Cond
	parts   []Part
	came    map[*joint]outcomes
	unknown []string
}

// isUnknown reports whether nothing is known of one of the names.
func (e *explanation) isUnknown(reads []string) bool {
	return len(e.unknown) > 0 && slices.ContainsFunc(reads, func(name string) bool { return slices.Contains(e.unknown, name) })
}

// comeTo evaluates a joint and all below it.
func (e *explanation) comeTo(j *joint, skipped bool) outcomes {
	at := e.placed[j]
	var o outcomes
	switch j.kind {
	case constantly:
		return outcomeOf(j.written(), nil)
	case comparison:
		o = e.evaluate(at.self)
		e.conclude(at.self, o)
		for i := at.self + 1; i < at.end; i++ { // its fields
			e.conclude(i, e.evaluate(i))
		}
	default:
		o = j.comeTo(func(b *joint, passed bool) outcomes { return e.comeTo(b, skipped || passed) })
		e.conclude(at.self, o)
		if o == fails {
			e.blame(at)
		}
	}
	for i := at.self; skipped && i < at.end; i++ {
		e.parts[i].Skipped = true
	}
	e.came[j] = o
	return o
}

// evaluate returns what a part with a program may come to.
func (e *explanation) evaluate(i int) outcomes {
	p := &e.explainable.parts[i]
	switch {
	case e.isUnknown(p.reads) && p.simple != nil && p.simple.neverFails(e.of.schema):
		return comesTrue | comesFalse
	case e.isUnknown(p.reads), p.program == nil:
		return anything
	}
	return e.run(i, p.program)
}

// run evaluates a program for a part and notes its value.
func (e *explanation) run(i int, program *vm.Program) outcomes {
	total := e.scope.total
	defer func() { e.scope.total = total }()
	e.scope.total = callbackSteps
	v, err := e.scope.run(program)
	e.parts[i].Err = err != nil
	if err != nil {
		e.parts[i].Value = "error: " + err.Error()
	} else {
		e.parts[i].Value = show(v)
	}
	return outcomeOf(v, err)
}

// conclude notes what a part comes to, with the words for it where no program had some.
func (e *explanation) conclude(i int, o outcomes) {
	p := &e.parts[i]
	p.Truth = o.truth()
	if p.Value == "" || e.explainable.parts[i].program == nil {
		p.Value = p.Truth.String()
	}
}

// blame gives a joint that fails the error of the first part that did.
func (e *explanation) blame(at placed) {
	for _, p := range e.parts[at.self+1 : at.end] {
		if p.Err && !p.IsField && !p.Skipped {
			e.parts[at.self].Value, e.parts[at.self].Err = p.Value, true
			return
		}
	}
}

// mark marks the comparisons that would have to come out otherwise, and says what they wanted.
func (e *explanation) mark() {
	becomeTrue, _ := e.joints.ways(func(j *joint) (way, way) {
		if j.kind == constantly {
			return waysToBe(j.written())
		}
		return waysTo(e.came[j], j)
	})
	if becomeTrue.Missing >= unreachable {
		return
	}
	if len(becomeTrue.flips) == 0 {
		becomeTrue.flips = e.failed(e.joints)
	}
	for _, j := range becomeTrue.flips {
		at := e.placed[j].self
		e.parts[at].Missing = true
		if s := e.explainable.parts[at].simple; s != nil && !e.parts[at].Err {
			e.parts[at].Wanted = s.wanted(e.parts[at].Truth != True)
		}
	}
}

// failed returns the comparison that ended the evaluation, where what comes behind it would have made the condition true.
func (e *explanation) failed(j *joint) []*joint {
	if j.kind == comparison && e.came[j].asked() == fails && !e.parts[e.placed[j].self].Skipped {
		return []*joint{j}
	}
	for _, b := range j.below {
		if found := e.failed(b); found != nil {
			return found
		}
	}
	return nil
}

func (j *joint) written() bool { return j.node.(*ast.BoolNode).Value }
