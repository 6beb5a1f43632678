package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"callboard/internal/diag"
)

// A file may be looked at visitsPerNode times, aliases followed, and fewestVisits if it is small: without a
// bound, a few lines of aliases to long lists would take for ever.
const (
	visitsPerNode = 10
	fewestVisits  = 20_000
)

// deepest bounds how deeply merge keys and free values may nest.
const deepest = 50

// A decoder reads the nodes of one file and collects what is wrong with them.
type decoder struct {
	*source
	findings *findings
	refs     *references
	loading  *loading
	visits   int               // left, see visitsPerNode
	near     map[string]string // unknown callback → hint
}

// resolve follows an alias and counts the visit. What must not be read any more, because of its
// tag or because the file holds too much, comes back broken.
func (d *decoder) resolve(n *node) *node {
	if d.visits--; d.visits < 0 {
		if d.visits == -1 {
			d.fail(d.place(n), idTooManyAliases, "write it out, or make the files smaller", "aliases make this file too large")
		}
		return &node{kind: brokenNode, line: n.line, col: n.col}
	}
	if n.kind == aliasNode {
		n = n.target
	}
	if n.explicitTag == "" {
		return n
	}
	if n.explicitTag != brokenTag {
		at := d.restOfLine(n.line, n.col)
		d.fail(at, idExplicitTag, "quote the value: without quotes, what begins with ! is a tag to YAML",
			"what begins with ! is read as a YAML tag, not as text")
	}
	return &node{kind: brokenNode, line: n.line, col: n.col}
}

// keys are the keys that a mapping may have.
type keys[T any] struct {
	what  string   // the mapping, with its article: "a sink"
	known []key[T] // in the order of the documentation
}

// A key is one key of a mapping and how its value is read.
type key[T any] struct {
	name string
	read func(d *decoder, n *node, into *T)
}

func (ks keys[T]) names() []string {
	var names []string
	for _, k := range ks.known {
		names = append(names, k.name)
	}
	return names
}

// without returns the keys except some.
func (ks keys[T]) without(what string, names ...string) keys[T] {
	known := slices.DeleteFunc(slices.Clone(ks.known), func(k key[T]) bool { return slices.Contains(names, k.name) })
	return keys[T]{what, known}
}

// readMapping reads a mapping into a value, key by key, and returns the places of the keys it has.
// What is wrong with one key leaves the others to be read. It reports false for what is no mapping.
func readMapping[T any](d *decoder, n *node, ks keys[T], into *T) (map[string]place, bool) {
	pairs, ok := d.pairs(n, ks.what)
	if !ok {
		return nil, false
	}
	has := make(map[string]place, len(pairs))
	for _, p := range pairs {
		at := d.place(p.key)
		has[p.key.text] = at
		i := slices.IndexFunc(ks.known, func(k key[T]) bool { return k.name == p.key.text })
		switch {
		case i >= 0 && p.value.kind == nullNode:
			d.fail(at, idNoValue, nullHint(p.key.text), "%s has no value", p.key.text)
		case i >= 0:
			if !slices.Contains(secretKeys, p.key.text) {
				d.reveal(p.value)
			}
			ks.known[i].read(d, p.value, into)
		default:
			d.unknownKey(at, p, ks.what, ks.names())
		}
	}
	return has, true
}

func (d *decoder) unknownKey(at place, p pair, what string, names []string) {
	hint := "keys of " + what + ": " + strings.Join(names, ", ")
	near := diag.Nearest(p.key.text, names)
	if near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	if near != "" && !slices.Contains(secretKeys, near) {
		d.reveal(p.value)
	}
	if !keyName.MatchString(p.key.text) { // where a colon is missing, the value is part of the key
		d.fail(at, idUnknownKey, hint, "unknown key in %s", what)
		return
	}
	d.fail(at, idUnknownKey, hint, "unknown key %q in %s", p.key.text, what)
}

var keyName = regexp.MustCompile(`^[\w.-]+$`)

func nullHint(key string) string {
	if key == "rules" {
		return "a table without rules must be asked for: `rules: []`"
	}
	return "give it a value or leave the key out"
}

// pairs returns the pairs of a mapping, resolved: merge keys are replaced by what they bring, keys
// that begin with x- are left out, and of a key given twice the first counts.
func (d *decoder) pairs(n *node, what string) ([]pair, bool) {
	all, ok := d.merged(n, what, 0)
	return slices.DeleteFunc(all, func(p pair) bool { return strings.HasPrefix(p.key.text, "x-") }), ok
}

// freePairs are the pairs of a mapping whose keys may begin with x-, like headers.
func (d *decoder) freePairs(n *node, what string) ([]pair, bool) { return d.merged(n, what, 0) }

func (d *decoder) merged(n *node, what string, depth int) ([]pair, bool) {
	n = d.resolve(n)
	switch {
	case n.kind == brokenNode:
		return nil, false
	case n.kind != mappingNode:
		d.wrongType(n, what+" is a mapping")
		return nil, false
	case depth > deepest:
		d.fail(d.place(n), idMerge, "", "merge keys nest too deeply")
		return nil, false
	}
	var own, brought []pair
	first := make(map[string]*node, len(n.pairs)) // key → where it stands first
	for _, p := range n.pairs {
		k := d.resolve(p.key)
		switch {
		case k.kind == brokenNode:
		case k.kind != scalarNode:
			d.fail(d.place(k), idWrongType, "", "the keys of %s are names", what)
		case k.tag == "!!merge":
			brought = append(brought, d.bring(p.value, what, depth)...)
		case first[k.text] != nil:
			d.fail(d.place(k), idDuplicateKey, "", "key %q is given twice, first on line %d", k.text, first[k.text].line)
		default:
			first[k.text] = k
			own = append(own, pair{k, d.resolve(p.value)})
		}
	}
	for _, p := range brought {
		if first[p.key.text] == nil {
			first[p.key.text] = p.key
			own = append(own, p)
		}
	}
	return own, true
}

// bring returns the pairs that a merge key brings: of one mapping, or of several, the first first.
func (d *decoder) bring(n *node, what string, depth int) []pair {
	n = d.resolve(n)
	sources := []*node{n}
	if n.kind == sequenceNode {
		sources = n.items
	}
	var pairs []pair
	for _, s := range sources {
		if r := d.resolve(s); r.kind != mappingNode && r.kind != brokenNode {
			d.fail(d.place(s), idMerge, "as in `<<: *base`", "a merge key takes a mapping or a list of mappings")
			continue
		}
		more, _ := d.merged(s, what, depth+1)
		pairs = append(pairs, more...)
	}
	return pairs
}

// items returns the resolved entries of a list. One entry may stand without its list if single.
func (d *decoder) items(n *node, what string, single bool) ([]*node, bool) {
	n = d.resolve(n)
	switch {
	case n.kind == brokenNode:
		return nil, false
	case single && n.kind == scalarNode:
		return []*node{n}, true
	case n.kind != sequenceNode:
		d.wrongType(n, what+" is a list")
		return nil, false
	}
	var items []*node
	for _, item := range n.items {
		item = d.resolve(item)
		if item.kind == nullNode {
			d.fail(d.place(item), idNoValue, "", "an entry of %s has no value", what)
			continue
		}
		items = append(items, item)
	}
	return items, true
}

// wrongType says what would have been right.
func (d *decoder) wrongType(n *node, want string) {
	got := map[nodeKind]string{nullNode: "nothing", mappingNode: "a mapping", sequenceNode: "a list", scalarNode: "a single value"}[n.kind]
	d.fail(d.place(n), idWrongType, "", "%s, this is %s", want, got)
}
