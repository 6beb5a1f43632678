package rules

import (
	"slices"
	"strings"

	"callboard/openim"
	"callboard/rules/index"
)

// buildIndex makes the index of the rules in their order.
func (s *Set) buildIndex() {
	entries := make([]index.Entry, len(s.Rules))
	lists := commandLists{}
	s.reads = conditional{}
	for i, r := range s.Rules {
		entries[i] = lists.entry(r)
		s.reads.note(r)
	}
	s.index = index.New(entries, func(int) {})
}

// entry returns a rule as the index sees it.
func (l commandLists) entry(r *Rule) index.Entry {
	e := index.Entry{Commands: l.of(r)}
	if r.cond != nil {
		e.When = r.cond.Candidate()
	}
	return e
}

// commandLists shares the lists of commands that many rules have: the names joined → the list.
type commandLists map[string][]string

func (l commandLists) of(r *Rule) []string {
	if r.forAll() {
		return nil
	}
	if len(r.Callbacks) == 1 && len(r.Unknown) == 0 {
		name := r.Callbacks[0].Name
		if l[name] == nil {
			l[name] = []string{name}
		}
		return l[name]
	}
	names := make([]string, 0, len(r.Callbacks)+len(r.Unknown))
	for _, c := range r.Callbacks {
		names = append(names, c.Name)
	}
	names = append(names, r.Unknown...)
	slices.Sort(names)
	key := strings.Join(names, " ")
	if l[key] == nil {
		l[key] = names
	}
	return l[key]
}

func (r *Rule) forAll() bool { return len(r.Callbacks) == 0 && len(r.Unknown) == 0 }

// commandOf returns the name by which the index knows a callback's command.
func commandOf(cb *openim.Callback) string {
	if cb.Command != nil {
		return cb.Command.Name
	}
	return cb.Name
}

// conditional says for which commands there are rules with conditions.
type conditional struct {
	all   bool
	known map[*openim.Command]bool
	named map[string]bool
}

func (c *conditional) note(r *Rule) {
	if r.cond == nil {
		return
	}
	if c.known == nil {
		c.known, c.named = map[*openim.Command]bool{}, map[string]bool{}
	}
	c.all = c.all || r.forAll()
	for _, command := range r.Callbacks {
		c.known[command] = true
	}
	for _, name := range r.Unknown {
		c.named[name] = true
	}
}

// conditions reports whether a rule for the callback's command has a condition.
func (c *conditional) conditions(cb *openim.Callback) bool {
	return c.all || cb.Command != nil && c.known[cb.Command] || cb.Command == nil && c.named[cb.Name]
}
