package index

import (
	"slices"
	"strings"

	"callboard/rules/formula"
)

// A search is one look into a part: pooled, for one goroutine.
type search struct {
	part    *part
	command string
	values  Values
	allowed []bool  // set of commands → whether it has the callback's
	read    []value // subject → its value, once it was asked for
	rules   []uint32
	hashes  []uint64   // of a long list
	seen    [][]uint32 // grams → needle → mark of the last search that found it
	mark    uint32
	folded  []byte
}

// A value is a subject's, ready to be looked up.
type value struct {
	kind   kind
	hashed bool
	hash   uint64
	number int
	text   string
	list   []any
}

type kind uint8

const (
	unread kind = iota
	nothing
	number
	text
	list
	other
)

func (x *part) newSearch() any {
	s := &search{part: x, read: make([]value, len(x.subjects))}
	for _, g := range x.texts {
		s.seen = append(s.seen, make([]uint32, len(g.needles)))
	}
	return s
}

// longList is from how many entries on those of a list are looked up each once.
const longList = 16

func (s *search) find() {
	x := s.part
	if s.mark++; s.mark == 0 {
		for _, marks := range s.seen {
			clear(marks)
		}
		s.mark = 1
	}
	s.addAll(x.always)
	for _, i := range x.equal {
		if v := s.value(i); v.hashed {
			s.lookUp(keyOf(equalKey, i, v.hash))
		}
	}
	for _, i := range x.shapes {
		s.lookUpShape(i)
	}
	for _, i := range x.lists {
		s.lookUpEntries(i)
	}
	for _, p := range x.prefixes {
		v := s.value(p.subject)
		for _, n := range p.lengths {
			if n > len(v.text) {
				break
			}
			s.lookUp(keyOf(prefixKey, p.subject, formula.HashText(v.text[:n])))
		}
	}
	for _, p := range x.suffixes {
		v := s.value(p.subject)
		for _, n := range p.lengths {
			if n > len(v.text) {
				break
			}
			s.lookUp(keyOf(suffixKey, p.subject, formula.HashText(v.text[len(v.text)-n:])))
		}
	}
	for _, r := range x.ranges {
		if v := s.value(r.subject); v.kind == number {
			s.stab(r.sorted, v.number)
		}
	}
	for i, g := range x.texts {
		if v := s.value(g.subject); v.kind == text {
			g.find(s, v.text, s.seen[i])
		}
	}
}

func (s *search) lookUp(key uint64) {
	t := &s.part.keys
	for at := t.first(key); at != 0; {
		n := t.nodes[at-1]
		at = n.next
		s.add(n.number)
	}
}

func (s *search) lookUpShape(subjects shape) {
	key := shapeSeed(subjects)
	for _, i := range subjects {
		v := s.value(i)
		if !v.hashed {
			return
		}
		key = mix(key, v.hash)
	}
	s.lookUp(key)
}

func (s *search) lookUpEntries(i int) {
	entries := s.value(i).list
	if len(entries) < longList {
		for _, e := range entries {
			if h, ok := formula.Hash(e); ok {
				s.lookUp(keyOf(equalKey, i, h))
			}
		}
		return
	}
	s.hashes = s.hashes[:0]
	for _, e := range entries {
		if h, ok := formula.Hash(e); ok {
			s.hashes = append(s.hashes, h)
		}
	}
	slices.Sort(s.hashes)
	for _, h := range slices.Compact(s.hashes) {
		s.lookUp(keyOf(equalKey, i, h))
	}
}

// add adds a rule that was found, when it is for the command and nothing else speaks against it.
func (s *search) add(rule uint32) {
	if s.allowed[s.part.setOf[rule]] && s.passes(rule) {
		s.rules = append(s.rules, rule)
	}
}

func (s *search) addAll(rules []uint32) {
	for _, r := range rules {
		s.add(r)
	}
}

// value returns a subject's value.
func (s *search) value(i int) *value {
	v := &s.read[i]
	if v.kind == unread {
		s.readValue(v, &s.part.subjects[i])
	}
	return v
}

func (s *search) readValue(v *value, of *subject) {
	v.kind = nothing
	if of.field.Root == formula.Command && of.view == formula.Plain {
		v.kind, v.text = text, s.command // as it is, not as an interface that has to be made
		v.hash, v.hashed = formula.HashText(s.command), true
		return
	}
	if s.values == nil {
		return
	}
	raw := s.values.Field(of.field)
	if of.view == formula.Folded {
		if t, ok := raw.(string); ok {
			raw = s.fold(t)
		}
	} else if of.view != formula.Plain {
		s.viewOf(v, of.view, raw)
		return
	}
	switch raw := raw.(type) {
	case nil:
		return
	case string:
		v.kind, v.text = text, raw
	case int:
		v.kind, v.number = number, raw
	case []any:
		v.kind, v.list = list, raw
		return
	default:
		v.kind = other
	}
	v.hash, v.hashed = formula.Hash(raw)
}

// viewOf shows a value in another view than Plain and Folded, without making an interface of it.
func (s *search) viewOf(v *value, view formula.View, raw any) {
	t, isText := raw.(string)
	switch {
	case view == formula.Lower && isText:
		v.kind, v.text = text, strings.ToLower(t)
		v.hash, v.hashed = formula.HashText(v.text), true
	case view == formula.Length || view == formula.Bytes:
		if n, ok := view.Len(raw); ok {
			v.kind, v.number = number, n
			v.hash, v.hashed = formula.HashInt(n), true
		}
	}
}

// fold returns a text in the view Folded.
func (s *search) fold(t string) string {
	s.folded = formula.AppendFolded(s.folded[:0], t)
	return string(s.folded)
}
