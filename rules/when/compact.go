package when

import (
	"encoding/binary"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// A shape is what the programs of many conditions have in common: of a hundred thousand conditions, most differ in their
// constants only.
type shape struct {
	bytecode  []vm.Opcode
	arguments []int
	locations []file.Location
	slots     []slot
	reads     []string
}

// compact replaces a condition's program by a smaller one that runs the same: without the tree that it was made from, and
// with what it has in common with others shared. c.mu must be held.
func (c *Compiler) compact(cond *Cond) {
	p := cond.program
	variables, ok := variablesOf(p)
	if !ok {
		return
	}
	shared := c.shapeOf(cond)
	constants := make([]any, len(p.Constants))
	copy(constants, p.Constants)
	cond.program = vm.NewProgram(p.Source(), nil, shared.locations, variables, constants, shared.bytecode, shared.arguments, nil, nil, nil)
	cond.slots, cond.reads = shared.slots, shared.reads
}

// variablesOf returns how many variables a program has. It reports false for programs that call a function of expr's own
// (split and few others), which cannot be taken out of them.
func variablesOf(p *vm.Program) (n int, ok bool) {
	for i, op := range p.Bytecode {
		switch op {
		case vm.OpStore:
			n = max(n, p.Arguments[i]+1)
		case vm.OpLoadFunc, vm.OpCall0, vm.OpCall1, vm.OpCall2, vm.OpCall3:
			return 0, false
		}
	}
	return n, true
}

// shapeOf returns the shape of a condition, the one that another has already if there is one.
func (c *Compiler) shapeOf(cond *Cond) shape {
	p := cond.program
	name := make([]byte, 0, 512)
	for i, op := range p.Bytecode {
		name = append(name, byte(op))
		name = binary.AppendVarint(name, int64(p.Arguments[i]))
	}
	for _, l := range p.Locations() {
		name = binary.AppendUvarint(name, uint64(l.From))
		name = binary.AppendUvarint(name, uint64(l.To))
	}
	for _, s := range cond.slots {
		name = append(append(name, s.key...), 0)
	}
	name = append(name, 0)
	for _, r := range cond.reads {
		name = append(append(name, r...), 0)
	}
	key := compiled{string(name), cond.schema} // which decides what an absent field shows
	if s, found := c.shapes[key]; found {
		return s
	}
	if c.shapes == nil {
		c.shapes = map[compiled]shape{}
	}
	s := shape{
		bytecode:  append([]vm.Opcode(nil), p.Bytecode...),
		arguments: append([]int(nil), p.Arguments...),
		locations: append([]file.Location(nil), p.Locations()...),
		slots:     append([]slot(nil), cond.slots...),
		reads:     append([]string(nil), cond.reads...),
	}
	c.shapes[key] = s
	return s
}
