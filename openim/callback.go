// Package openim speaks IMServer's callback protocol.
//
// Decode reads one callback, ReadAnswer what a sink says about it, and AppendReply writes the one
// reply. Commands is the catalogue that the rest of the program draws on. What to answer is
// decided elsewhere.
//
// The package imports the standard library and go-json-experiment's jsontext, which is the form
// in which the standard library's next JSON package can be had today.
package openim

import (
	"net/http"
	"net/url"
)

// A Request is what Decode reads: the parts of the HTTP request that IMServer sent.
type Request struct {
	Path     string      // the unescaped path, doubled slashes and all
	RawQuery string      // without the question mark
	Header   http.Header // kept, not copied
	Body     []byte      // kept, not copied, never changed
}

// A Callback is what IMServer sent. It is read lazily and not safe for concurrent use, except
// for its exported fields. The maps and lists that its methods return are shared: they must not
// be changed.
type Callback struct {
	Name     string      // wire name as sent, perhaps of an older version or unknown
	Command  *Command    // its catalogue entry, nil when unknown
	Source   string      // the part of the path before the command, without slashes at its ends
	Body     []byte      // byte for byte
	Header   http.Header // as received
	Path     string      // as received
	RawQuery string      // as received

	fields []field   // of the body's top level, in its order
	room   [20]field // where fields begins: no known command has more
	all    map[string]any
	query  url.Values

	text    any // a string once it was asked for
	data    any
	hasData bool
}

// A field is one top-level member of the body.
type field struct {
	name     []byte // without quotes; a slice of the body unless it has escapes
	raw      []byte // its JSON text, a slice of the body
	value    any    // what Value returned for kind
	kind     Kind
	boxed    bool // whether value is set
	mismatch bool // whether raw was not of the kind asked for
}

// Phase returns the command's phase. An unknown command counts as Before: IMServer ignores
// the reply to an after-callback, so a needless answer harms nobody.
func (c *Callback) Phase() Phase {
	if c.Command == nil {
		return Before
	}
	return c.Command.Phase
}

// Raw returns the JSON text of a top-level field and whether the body has it.
func (c *Callback) Raw(name string) ([]byte, bool) {
	f := c.field(name)
	if f == nil {
		return nil, false
	}
	return f.raw, true
}

// Value returns a top-level field as kind's Go type, and that type's zero value (never nil,
// except for Any) when the field is absent, null or of another type. The value is boxed once and
// kept for the kind last asked for: asking again allocates nothing. Object and Objects take their
// members from the command's catalogue entry, and carry unknown ones as Any.
// {"value": x}, in which some versions wrap nullable scalars, reads as x. An integer beyond 64 bits
// is the nearest one within, and a mismatch.
func (c *Callback) Value(name string, kind Kind) any {
	f := c.field(name)
	if f == nil {
		return zero(kind, c.members(name, kind))
	}
	if !f.boxed || f.kind != kind {
		v, ok := readValue(f.raw, kind, c.members(name, kind))
		f.value, f.kind, f.boxed = v, kind, true
		f.mismatch = f.mismatch || !ok
	}
	return f.value
}

// Mismatches lists the fields asked for through Value whose JSON type was not the kind asked
// for, in the body's order.
func (c *Callback) Mismatches() []string {
	var names []string
	for i := range c.fields {
		if c.fields[i].mismatch {
			names = append(names, string(c.fields[i].name))
		}
	}
	return names
}

// Fields returns every top-level field by name, decoded as Any. Decoded once and kept.
func (c *Callback) Fields() map[string]any {
	if c.all == nil {
		c.all = make(map[string]any, len(c.fields))
		for i := range c.fields {
			c.all[string(c.fields[i].name)], _ = readAny(c.fields[i].raw)
		}
	}
	return c.all
}

// Query returns the parsed query, without the pairs that do not parse.
func (c *Callback) Query() url.Values {
	if c.query == nil {
		c.query, _ = url.ParseQuery(c.RawQuery) // an error only tells of pairs left out
	}
	return c.query
}

// OperationID returns the body's operationID, else the header's, else "".
func (c *Callback) OperationID() string {
	if id := c.string("operationID"); id != "" {
		return id
	}
	return c.Header.Get("operationID")
}

// MessageID returns the body's serverMsgID, else clientMsgID, else "".
func (c *Callback) MessageID() string {
	if id := c.string("serverMsgID"); id != "" {
		return id
	}
	return c.string("clientMsgID")
}

func (c *Callback) string(name string) string { return c.Value(name, String).(string) }

// field finds a top-level field, nil when the body has none of that name. Bodies have some
// twenty fields: looking along them beats a map.
func (c *Callback) field(name string) *field {
	for i := range c.fields {
		if string(c.fields[i].name) == name {
			return &c.fields[i]
		}
	}
	return nil
}

// members returns what the catalogue knows of the members of an Object or Objects field.
func (c *Callback) members(name string, kind Kind) []Field {
	if kind != Object && kind != Objects || c.Command == nil {
		return nil
	}
	f, ok := c.Command.Field(name)
	if !ok {
		return nil
	}
	return f.Fields
}
