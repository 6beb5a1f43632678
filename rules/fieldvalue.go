package rules

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"callboard/openim"
)

// fieldValue turns the YAML value of a reply field into JSON of the catalogue's type.
func (d *decoder) fieldValue(n *node, f *openim.Field, path string, depth int) ([]byte, bool) {
	n = d.resolve(n)
	if n.kind == brokenNode {
		return nil, false
	}
	if depth > deepest {
		d.fail(d.place(n), idWrongType, "", "%s nests too deeply", path)
		return nil, false
	}
	if n.kind == nullNode {
		d.fail(d.place(n), idNoValue, "a field that is left out stays as it is", "%s has no value", path)
		return nil, false
	}
	switch f.Kind {
	case openim.String:
		text, ok := d.scalar(n, path)
		return quoted(text), ok
	case openim.Int:
		return d.intField(n, f, path)
	case openim.Bool:
		value := false
		before := len(d.findings.list)
		d.boolean(n, path, &value)
		return strconv.AppendBool(nil, value), len(d.findings.list) == before && n.kind == scalarNode
	case openim.Strings, openim.Ints, openim.Objects:
		return d.listField(n, f, path, depth)
	case openim.Object, openim.Bools:
		return d.objectField(n, f, path, depth)
	default:
		return d.anyValue(n, path, depth)
	}
}

func quoted(text string) []byte {
	raw, err := jsontext.AppendQuote(nil, text)
	if err != nil { // what YAML and references bring is UTF-8
		panic(err)
	}
	return raw
}

func (d *decoder) intField(n *node, f *openim.Field, path string) ([]byte, bool) {
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	if f.Bits == 32 {
		least, most = math.MinInt32, math.MaxInt32
	}
	before := len(d.findings.list)
	var v int64
	d.integer(n, path, least, most, &v)
	return strconv.AppendInt(nil, v, 10), len(d.findings.list) == before && n.kind == scalarNode
}

func (d *decoder) listField(n *node, f *openim.Field, path string, depth int) ([]byte, bool) {
	items, ok := d.items(n, path, false)
	if !ok {
		return nil, false
	}
	element := openim.Field{Bits: f.Bits, Fields: f.Fields}
	switch f.Kind {
	case openim.Strings:
		element.Kind = openim.String
	case openim.Ints:
		element.Kind = openim.Int
	default:
		element.Kind = openim.Object
	}
	raw := []byte{'['}
	for i, item := range items {
		value, valid := d.fieldValue(item, &element, path, depth+1)
		ok = ok && valid
		if i > 0 {
			raw = append(raw, ',')
		}
		raw = append(raw, value...)
	}
	return append(raw, ']'), ok
}

// objectField reads a mapping whose members the catalogue lists, or a map of booleans. An object
// of which the catalogue lists nothing takes any members.
func (d *decoder) objectField(n *node, f *openim.Field, path string, depth int) ([]byte, bool) {
	pairs, ok := d.freePairs(n, path)
	if !ok {
		return nil, false
	}
	raw := []byte{'{'}
	for i, p := range pairs {
		member := &openim.Field{Kind: openim.Any}
		switch at := slices.IndexFunc(f.Fields, func(m openim.Field) bool { return m.Name == p.key.text }); {
		case f.Kind == openim.Bools:
			member.Kind = openim.Bool
		case at >= 0:
			member = &f.Fields[at]
		case len(f.Fields) > 0:
			var names []string
			for _, m := range f.Fields {
				names = append(names, m.Name)
			}
			d.fail(d.place(p.key), idReplyField, replyFieldHint(p.key.text, names), "%s has no field %q", path, p.key.text)
			ok = false
			continue
		}
		value, valid := d.fieldValue(p.value, member, path+"."+p.key.text, depth+1)
		ok = ok && valid
		if i > 0 {
			raw = append(raw, ',')
		}
		raw = append(append(append(raw, quoted(p.key.text)...), ':'), value...)
	}
	return append(raw, '}'), ok
}

// anyValue turns a value of unknown type into JSON as YAML reads it.
func (d *decoder) anyValue(n *node, path string, depth int) ([]byte, bool) {
	switch n.kind {
	case mappingNode:
		return d.objectField(n, &openim.Field{Kind: openim.Object}, path, depth)
	case sequenceNode:
		items, ok := d.items(n, path, false)
		raw := []byte{'['}
		for i, item := range items {
			value, valid := d.fieldValue(item, &openim.Field{}, path, depth+1)
			ok = ok && valid
			if i > 0 {
				raw = append(raw, ',')
			}
			raw = append(raw, value...)
		}
		return append(raw, ']'), ok
	}
	text, ok := d.scalar(n, path)
	number := jsontext.Value(text)
	switch {
	case !ok:
		return nil, false
	case n.tag == "!!bool" && (text == "true" || text == "false"), strings.HasPrefix(text, "-") && n.tag == "!!int" && number.IsValid(),
		(n.tag == "!!int" || n.tag == "!!float") && number.IsValid():
		return []byte(text), true
	default:
		return quoted(text), true
	}
}
