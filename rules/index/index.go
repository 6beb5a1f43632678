// Package index finds the rules that can match a callback among many, by what their conditions make necessary.
//
// New builds an Index over the formulas of rules; Find returns those that a callback may match, in order. It may return
// too many, never too few: a rule is only left out when its formula does not hold. Index.Changed is for when few of many
// rules have changed.
//
// Each rule is found by the one predicate of its formula that selects best, judged by how many different literals all
// rules name for a field: an id of a group selects better than a content type whatever the order in a condition. Where no
// single field selects, several with few values make one key. The idea is that of access predicates (Fabret et al.,
// SIGMOD 2001); docs/matching.md has the rest.
package index

import (
	"sync"

	"callboard/rules/formula"
)

// An Entry is a rule as the index sees it.
type Entry struct {
	Commands []string        // wire names; nil: every command
	When     formula.Formula // what is necessary for the rule to take part
}

// Values are the values of one callback's fields as conditions see them, nil for what is absent.
type Values interface {
	Field(formula.Field) any
}

// A part finds rules by the numbers that they have in it. It is read-only and safe for concurrent use.
type part struct {
	subjects []subject // what is looked at, by number
	by       []choices // rule → how it is found
	sets     commandSets
	setOf    []uint32 // rule → its set of commands

	keys     keyTable     // of equality, membership, prefixes, suffixes and shapes
	equal    []int        // subjects with keys of their own
	lists    []int        // subjects whose entries are keys
	prefixes []lengthsOf  // subjects by whose beginnings rules are found
	suffixes []lengthsOf  // and by whose ends
	shapes   []shape      // several subjects that make one key
	texts    []*grams     // subjects in which texts are looked for
	ranges   []*intervals // subjects that are numbers within bounds
	always   []uint32     // rules that no value can exclude
	guards   guards
	searches sync.Pool
}

// A subject is a field in one form.
type subject struct {
	field formula.Field
	view  formula.View
}

// lengthsOf are the lengths of the beginnings or ends of a subject that are keys, ascending.
type lengthsOf struct {
	subject int
	lengths []int
}

// A shape is a combination of subjects whose values together are a key.
type shape []int

// find looks for the rules that a callback of a command may match: their numbers, in any order and some more than once,
// are in the search, which is to be released.
func (x *part) find(command string, values Values) *search {
	s := x.searches.Get().(*search)
	s.command, s.values, s.rules = command, values, s.rules[:0]
	s.allowed = x.sets.of(command)
	s.find()
	return s
}

func (s *search) release() {
	s.values = nil
	clear(s.read)
	s.part.searches.Put(s)
}

// commandSets are the different lists of commands that rules are for.
type commandSets struct {
	all   []bool            // set → whether it is every command
	named map[string][]bool // command → set → whether it has the command
}

// of returns which sets have a command.
func (c *commandSets) of(command string) []bool {
	if allowed, ok := c.named[command]; ok {
		return allowed
	}
	return c.all
}
