package index

import (
	"fmt"
	"slices"
	"strings"

	"callboard/rules/formula"
)

// A builder makes a part.
type builder struct {
	part     *part
	numbers  []int32 // formula.Subject → 1 + number of the subject
	stats    statistics
	shapes   map[string]int
	texts    map[int]*grams
	ranges   map[int]*intervals
	prefixes map[int]map[int]bool // subject → lengths
	suffixes map[int]map[int]bool
	command  *formula.Atom // of the rule that is looked at: what it says about commands
	equal    []way         // room for bestOf
}

var commandField = formula.Field{Root: formula.Command, Name: "command", Type: formula.String}

// newPart builds the part of entries, whose places are their numbers.
func newPart(entries []Entry, each func(int)) *part {
	x := &part{
		setOf: make([]uint32, len(entries)), by: make([]choices, len(entries)),
		guards: guards{start: make([]uint32, 0, len(entries)+1)},
	}
	x.searches.New = x.newSearch
	b := &builder{
		part: x, shapes: map[string]int{}, texts: map[int]*grams{}, ranges: map[int]*intervals{},
		prefixes: map[int]map[int]bool{}, suffixes: map[int]map[int]bool{},
	}
	sets := sortCommands(entries, x.setOf)
	x.sets = newCommandSets(sets.lists)
	literals := len(entries)
	for _, e := range entries {
		literals += countLiterals(e.When)
	}
	b.stats = newStatistics(literals)
	for i, e := range entries {
		each(i)
		b.count(e.When)
		b.count(sets.formulas[x.setOf[i]])
	}
	b.stats.finish()
	x.keys = newKeyTable(literals)
	var parts []formula.Formula
	for i, e := range entries {
		each(i)
		x.guards.start = append(x.guards.start, uint32(len(x.guards.list)))
		if e.When.Op == formula.Nothing {
			continue
		}
		command := sets.formulas[x.setOf[i]]
		b.command = command.Atom
		parts = parts[:0]
		if command.Op == formula.Leaf {
			parts = append(parts, command)
		}
		if e.When.Op == formula.All {
			parts = append(parts, e.When.Of...)
		} else {
			parts = append(parts, e.When)
		}
		x.by[i] = b.bestOf(parts).by
		b.insert(x.by[i], uint32(i))
		b.guard(parts, x.by[i])
	}
	x.guards.start = append(x.guards.start, uint32(len(x.guards.list)))
	b.finish()
	return x
}

// countLiterals counts the literals of a formula.
func countLiterals(f formula.Formula) int {
	n := 0
	if f.Op == formula.Leaf {
		n = f.Atom.Len()
	}
	for _, part := range f.Of {
		n += countLiterals(part)
	}
	return n
}

// sortedCommands are the different lists of commands of entries.
type sortedCommands struct {
	lists    [][]string
	formulas []formula.Formula // list → what it makes necessary
}

// sortCommands fills in which list each entry has.
func sortCommands(entries []Entry, setOf []uint32) (s sortedCommands) {
	sets := map[string]uint32{} // commands joined → list
	for i, e := range entries {
		name := ""
		switch len(e.Commands) {
		case 0:
		case 1:
			name = e.Commands[0]
		default:
			name = strings.Join(e.Commands, " ")
		}
		set, known := sets[name]
		if !known {
			set = uint32(len(s.lists))
			sets[name] = set
			s.lists = append(s.lists, e.Commands)
			f := formula.Always
			if len(e.Commands) > 0 {
				f = formula.Of(formula.Atom{Field: commandField, Kind: formula.OneOf, Texts: e.Commands}, true)
			}
			s.formulas = append(s.formulas, f)
		}
		setOf[i] = set
	}
	return s
}

func newCommandSets(lists [][]string) commandSets {
	sets := commandSets{all: make([]bool, len(lists)), named: map[string][]bool{}}
	for i, commands := range lists {
		sets.all[i] = len(commands) == 0
		for _, c := range commands {
			sets.named[c] = nil
		}
	}
	for c := range sets.named {
		allowed := slices.Clone(sets.all)
		for i, commands := range lists {
			allowed[i] = allowed[i] || slices.Contains(commands, c)
		}
		sets.named[c] = allowed
	}
	return sets
}

// subject returns the number of what an atom is about.
func (b *builder) subject(a *formula.Atom) int {
	id := int(a.Subject())
	for id >= len(b.numbers) {
		b.numbers = append(b.numbers, make([]int32, id+1)...)
	}
	if n := b.numbers[id]; n != 0 {
		return int(n) - 1
	}
	b.part.subjects = append(b.part.subjects, subject{a.Field, a.View})
	b.numbers[id] = int32(len(b.part.subjects))
	return len(b.part.subjects) - 1
}

// insert makes a rule be found by its choices. One without any is found by every callback.
func (b *builder) insert(by choices, rule uint32) {
	switch {
	case by.one != nil:
		b.insertAtom(by.one, rule)
	case len(by.many) == 0:
		b.part.always = append(b.part.always, rule)
	}
	for _, atoms := range by.many {
		if len(atoms) > 1 {
			b.insertShape(atoms, rule)
		} else {
			b.insertAtom(atoms[0], rule)
		}
	}
}

func (b *builder) insertAtom(a *formula.Atom, rule uint32) {
	x := b.part
	i := b.subject(a)
	switch a.Kind {
	case formula.OneOf, formula.Has:
		kind := equalKey
		if a.Kind == formula.Has {
			x.lists = append(x.lists, i)
		} else {
			x.equal = append(x.equal, i)
		}
		for _, h := range a.Hashes() {
			x.keys.add(keyOf(kind, i, h), rule)
		}
	case formula.HasPrefix, formula.HasSuffix:
		lengths, kind := b.prefixes, prefixKey
		if a.Kind == formula.HasSuffix {
			lengths, kind = b.suffixes, suffixKey
		}
		for j, h := range a.Hashes() {
			noteLength(lengths, i, len(a.Texts[j]))
			x.keys.add(keyOf(kind, i, h), rule)
		}
	case formula.Contains:
		g := b.texts[i]
		if g == nil {
			g = &grams{subject: i, known: map[string]uint32{}}
			b.texts[i] = g
			x.texts = append(x.texts, g)
		}
		for _, t := range a.Texts {
			g.add(t, rule)
		}
	case formula.Range:
		r := b.ranges[i]
		if r == nil {
			r = &intervals{subject: i}
			b.ranges[i] = r
			x.ranges = append(x.ranges, r)
		}
		r.sorted = append(r.sorted, interval{from: a.From, to: a.To, rule: rule})
	}
}

func noteLength(lengths map[int]map[int]bool, subject, n int) {
	if lengths[subject] == nil {
		lengths[subject] = map[int]bool{}
	}
	lengths[subject][n] = true
}

// insertShape adds a key for every combination of the atoms' literals.
func (b *builder) insertShape(atoms []*formula.Atom, rule uint32) {
	subjects := make(shape, len(atoms))
	for i, a := range atoms {
		subjects[i] = b.subject(a)
	}
	b.noteShape(subjects)
	keys := []uint64{shapeSeed(subjects)}
	for _, a := range atoms {
		var next []uint64
		for _, h := range a.Hashes() {
			for _, key := range keys {
				next = append(next, mix(key, h))
			}
		}
		keys = next
	}
	for _, key := range keys {
		b.part.keys.add(key, rule)
	}
}

// noteShape returns whether the shape may be used: each costs every callback a look.
func (b *builder) noteShape(subjects shape) bool {
	var name strings.Builder
	for _, i := range subjects {
		fmt.Fprintf(&name, "%d ", i)
	}
	if _, known := b.shapes[name.String()]; known {
		return true
	}
	if len(b.shapes) == maxShapes {
		return false
	}
	b.shapes[name.String()] = len(b.part.shapes)
	b.part.shapes = append(b.part.shapes, subjects)
	return true
}

func shapeSeed(subjects shape) uint64 {
	key := shapeKey << 32
	for _, i := range subjects {
		key = mix(key, uint64(i))
	}
	return key
}

func (b *builder) finish() {
	x := b.part
	slices.Sort(x.equal)
	slices.Sort(x.lists)
	x.equal, x.lists = slices.Compact(x.equal), slices.Compact(x.lists)
	x.prefixes, x.suffixes = sortedLengths(b.prefixes), sortedLengths(b.suffixes)
	for _, g := range x.texts {
		g.build()
	}
	for _, r := range x.ranges {
		r.build()
	}
}

func sortedLengths(of map[int]map[int]bool) []lengthsOf {
	var all []lengthsOf
	for subject, lengths := range of {
		l := lengthsOf{subject: subject}
		for n := range lengths {
			l.lengths = append(l.lengths, n)
		}
		slices.Sort(l.lengths)
		all = append(all, l)
	}
	return all
}
