package when

import (
	"iter"
	"slices"
	"sync"
	"time"

	"callboard/openim"
)

// An Env is what the conditions and keys of one table read: read-only, safe for concurrent use.
type Env struct {
	plans   map[*openim.Command]*plan
	unknown *plan // for commands that the catalogue lacks
	longest int   // bytes of a text that is seen whole
	text    bool  // whether conditions read text
}

// A plan says which fields a command's callbacks are asked for. The others of the table are zero.
type plan struct {
	command any    // the value of command, nil for unknown ones
	asked   []slot // always: the command carries them, or may
	foreign []slot // only when the body has them: the catalogue knows no such field of this command
	zero    []slot // never: the command types them otherwise
	pool    sync.Pool
}

// NewEnv collects what conds and keys read; only that is filled for each callback.
func NewEnv(conds []*Cond, keys ...*Key) *Env { return NewEnvOf(slices.Values(conds), keys...) }

// NewEnvOf is NewEnv of what a sequence has, which may take its time.
func NewEnvOf(conds iter.Seq[*Cond], keys ...*Key) *Env {
	read, text := slots{}, false
	known := map[*slot]bool{} // the first slots of conditions that are in: most share them with many others
	for c := range conds {
		if len(c.slots) > 0 && !known[&c.slots[0]] {
			known[&c.slots[0]] = true
			read.add(c.slots)
		}
		text = text || slices.Contains(c.reads, "text")
	}
	for _, k := range keys {
		read.add(k.slots)
	}
	e := newEnv(read, maxString)
	e.text = text
	return e
}

// NewValueEnv is NewEnv for values, and keys of the same sink. They see more of long texts: up to a mebibyte.
func NewValueEnv(values []*Value, keys ...*Key) *Env {
	read := slots{}
	for _, v := range values {
		read.add(v.slots)
	}
	for _, k := range keys {
		read.add(k.slots)
	}
	return newEnv(read, maxBuilt)
}

// slots are what all expressions of an Env read, by key.
type slots map[string]slot

func (all slots) add(read []slot) {
	for _, s := range read {
		all[s.key] = s
	}
}

func newEnv(read slots, longest int) *Env {
	e := &Env{plans: map[*openim.Command]*plan{}, unknown: newPlan(nil), longest: longest}
	for _, command := range openim.Commands() {
		e.plans[command] = newPlan(command.Name)
	}
	for _, key := range sortedKeys(read) {
		s := read[key]
		e.unknown.asked = append(e.unknown.asked, s)
		for command, p := range e.plans {
			switch f, ok := command.Field(s.name); {
			case !ok:
				p.foreign = append(p.foreign, s)
			case f.Kind == s.kind:
				p.asked = append(p.asked, s)
			default:
				p.zero = append(p.zero, s)
			}
		}
	}
	return e
}

func newPlan(command any) *plan {
	p := &plan{command: command}
	p.pool.New = func() any {
		s := newScope(p)
		for _, z := range append(p.zero[:len(p.zero):len(p.zero)], p.foreign...) {
			s.variables[z.key] = z.zero
		}
		s.variables["command"] = p.command
		return s
	}
	return p
}

// Bind shows a callback to the conditions and keys. now is what they read as now, in UTC. Release the
// Scope after use. Bind reads cb lazily, so cb must not be used by others until then.
func (e *Env) Bind(cb *openim.Callback, now time.Time) *Scope {
	p := e.plans[cb.Command]
	if p == nil {
		p = e.unknown
	}
	s := p.pool.Get().(*Scope)
	s.cb, s.now, s.total, s.longest = cb, now.UTC(), callbackSteps, e.longest
	if p == e.unknown {
		s.variables["command"] = cb.Name
	}
	for i := range p.asked {
		s.fill(&p.asked[i])
	}
	for i := range p.foreign {
		if _, ok := cb.Raw(p.foreign[i].name); ok {
			s.fill(&p.foreign[i])
			s.spoilt = true
		}
	}
	if e.text {
		s.noteLongText()
	}
	return s
}
