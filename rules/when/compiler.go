package when

import (
	"sync"

	"callboard/openim"
)

// A Compiler compiles as the functions of its methods' names do, and keeps what it made: the same expression for the same commands is
// compiled once. The zero value is ready to use. It is safe for concurrent use.
type Compiler struct {
	mu       sync.Mutex
	conds    map[compiled]made[*Cond]
	keys     map[compiled]made[*Key]
	values   map[compiled]made[*Value]
	texts    map[compiled]made[*Value]
	shapes   map[compiled]shape
	compiled int
}

// compiled is what decides what an expression compiles to.
type compiled struct {
	src    string
	schema *schema
}

// made is what Compile returned.
type made[T any] struct {
	value    T
	problems []Problem
}

// Compile is Compile for conditions that may come again. Neither result may be changed.
func (c *Compiler) Compile(src string, commands []*openim.Command) (*Cond, []Problem) {
	return remember(c, &c.conds, compiled{src, schemaFor(commands)}, func() made[*Cond] {
		cond, problems := Compile(src, commands)
		return made[*Cond]{cond, problems}
	}, c.compact)
}

// CompileKey is CompileKey for keys that may come again. Neither result may be changed.
func (c *Compiler) CompileKey(src string, commands []*openim.Command) (*Key, []Problem) {
	return remember(c, &c.keys, compiled{src, schemaFor(commands)}, func() made[*Key] {
		key, problems := CompileKey(src, commands)
		return made[*Key]{key, problems}
	}, func(*Key) {})
}

// CompileValue is the function CompileValue for expressions that may come again. Neither result may be changed.
func (c *Compiler) CompileValue(src string, commands []*openim.Command) (*Value, []Problem) {
	return c.rememberValue(&c.values, src, commands, CompileValue)
}

// CompileText is the function CompileText for expressions that may come again. Neither result may be changed.
func (c *Compiler) CompileText(src string, commands []*openim.Command) (*Value, []Problem) {
	return c.rememberValue(&c.texts, src, commands, CompileText)
}

func (c *Compiler) rememberValue(kept *map[compiled]made[*Value], src string, commands []*openim.Command,
	compile func(string, []*openim.Command) (*Value, []Problem),
) (*Value, []Problem) {
	return remember(c, kept, compiled{src, schemaFor(commands)}, func() made[*Value] {
		value, problems := compile(src, commands)
		return made[*Value]{value, problems}
	}, func(*Value) {})
}

// remember returns what is kept under a name, or compiles it. Of two that compile the same at the same time, both get what
// the first has kept.
func remember[T comparable](c *Compiler, kept *map[compiled]made[T], name compiled, compile func() made[T], keep func(T)) (T, []Problem) {
	c.mu.Lock()
	m, found := (*kept)[name]
	c.mu.Unlock()
	if found {
		return m.value, m.problems
	}
	m = compile()
	c.mu.Lock()
	defer c.mu.Unlock()
	if first, found := (*kept)[name]; found {
		return first.value, first.problems
	}
	if *kept == nil {
		*kept = map[compiled]made[T]{}
	}
	var none T
	if m.value != none {
		keep(m.value)
	}
	(*kept)[name] = m
	c.compiled++
	return m.value, m.problems
}

// Compiled returns how many expressions were compiled so far.
func (c *Compiler) Compiled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.compiled
}

// Forget drops what is not in use, where that is more than a few times what is: conds, keys and values are what is, as far
// as the Compiler made it. Expressions that do not compile are dropped.
func (c *Compiler) Forget(conds []*Cond, keys []*Key, values []*Value) {
	c.mu.Lock()
	defer c.mu.Unlock()
	forget(c.conds, conds)
	forget(c.keys, keys)
	forget(c.values, values)
	forget(c.texts, values)
	if len(c.shapes) > 2*len(c.conds)+spare {
		c.shapes = nil
	}
}

// spare is how many expressions out of use are never too many.
const spare = 1000

func forget[T comparable](kept map[compiled]made[T], used []T) {
	if len(kept) <= 2*len(used)+spare {
		return
	}
	wanted := make(map[T]bool, len(used))
	for _, v := range used {
		wanted[v] = true
	}
	for name, m := range kept {
		if !wanted[m.value] {
			delete(kept, name)
		}
	}
}
