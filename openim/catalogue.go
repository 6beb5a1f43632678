package openim

import "math"

// A Phase says when IMServer makes a callback. It comes from the catalogue, never from the
// command's name: the revoke after-callback is called callbackBeforeAfterMsgCommand.
type Phase uint8

const (
	// Before callbacks are synchronous: IMServer waits for the reply, which may refuse.
	Before Phase = iota
	// After callbacks report what has happened. Nothing can be refused any more.
	After
)

// String returns "before" or "after".
func (p Phase) String() string {
	if p == After {
		return "after"
	}
	return "before"
}

// Fields are Go ints, and IMServer's need 64 bits: this does not compile for processors with fewer.
const _ int = math.MaxInt64

// A Kind is the type of a field as rules and replies see it, with the Go type of its values.
type Kind uint8

const (
	// Any is a field of which nothing is known; its value is what JSON says, integers as int.
	Any Kind = iota
	// String values are Go strings; null is "".
	String
	// Int values are Go ints (64 bits); null is 0.
	Int
	// Bool values are Go bools; null is false.
	Bool
	// Strings are []any holding strings; null is the empty list.
	Strings
	// Ints are []any holding ints; null is the empty list.
	Ints
	// Object values are map[string]any with every field of Field.Fields present (its zero
	// value when it was not sent).
	Object
	// Objects are []any of such maps; null is the empty list.
	Objects
	// Bools is a map from string to bool, as in a message's options: map[string]any holding bools.
	Bools
)

// String names the kind as people do: "a string", "an integer", "a list of strings", …
func (k Kind) String() string {
	switch k {
	case String:
		return "a string"
	case Int:
		return "an integer"
	case Bool:
		return "a boolean"
	case Strings:
		return "a list of strings"
	case Ints:
		return "a list of integers"
	case Object:
		return "an object"
	case Objects:
		return "a list of objects"
	case Bools:
		return "an object of booleans"
	default:
		return "any value"
	}
}

// A Field is one member of a callback's body or of a reply.
type Field struct {
	Name     string  // case-exact, as on the wire
	Kind     Kind    // its type
	Bits     int     // of an Int on IMServer's side: 32 or 64; 0 for other kinds
	Nullable bool    // whether null is an ordinary value of a scalar (every list may be null)
	Fields   []Field // the members of an Object, or of each element of Objects
	Note     string  // what surprises people, one sentence, or ""
}

// An Effect says what IMServer does with a reply field.
type Effect uint8

const (
	// IfPresent fields replace the value unless absent or null.
	IfPresent Effect = iota
	// IfNotEmpty fields replace the value unless absent, null, "" or [].
	IfNotEmpty
	// Always fields replace the value even when absent, so an allow must echo the request's.
	Always
	// IfCarried fields may only be sent when the request carried the field (not null);
	// otherwise IMServer dereferences nil.
	IfCarried
	// Ignored fields are decoded and thrown away; Callboard leaves them out.
	Ignored
)

// A ReplyField is a field that a reply to one command may carry beside the common five.
type ReplyField struct {
	Field
	Effect Effect
}

// A Command is one entry of the catalogue: what is known of one callback command.
type Command struct {
	Name    string       // wire name: callbackBeforeSendGroupMsgCommand
	Short   string       // what people type, the key in webhooks.yml: beforeSendGroupMsg
	Phase   Phase        // when it is called
	Request []Field      // the body's fields without callbackCommand
	Reply   []ReplyField // the reply fields beyond the common five
	Since   string       // first line of versions known to use this name: "v2", "v3.5", "v3.7", "v3.8", "main"
	Older   []string     // wire names of earlier versions
	Notes   []string     // oddities, a sentence each
}

// Field returns the request field of that name and whether the command has it.
// callbackCommand is not among them.
func (c *Command) Field(name string) (*Field, bool) {
	for i := range c.Request {
		if c.Request[i].Name == name {
			return &c.Request[i], true
		}
	}
	return nil, false
}

// ReplyField returns the reply field of that name and whether the command has it.
func (c *Command) ReplyField(name string) (*ReplyField, bool) {
	for i := range c.Reply {
		if c.Reply[i].Name == name {
			return &c.Reply[i], true
		}
	}
	return nil, false
}

// The catalogue is written with these, so that an entry reads like the documentation's table.

func str(name string) Field  { return Field{Name: name, Kind: String} }
func i32(name string) Field  { return Field{Name: name, Kind: Int, Bits: 32} }
func i64(name string) Field  { return Field{Name: name, Kind: Int, Bits: 64} }
func flag(name string) Field { return Field{Name: name, Kind: Bool} }
func strs(name string) Field { return Field{Name: name, Kind: Strings} }

func list(name string, members ...Field) Field {
	return Field{Name: name, Kind: Objects, Fields: members}
}

func (f Field) orNull() Field             { f.Nullable = true; return f }
func (f Field) note(s string) Field       { f.Note = s; return f }
func (f Field) reply(e Effect) ReplyField { return ReplyField{Field: f, Effect: e} }

// replies gives every field the same effect.
func replies(e Effect, fields ...Field) []ReplyField {
	all := make([]ReplyField, len(fields))
	for i, f := range fields {
		all[i] = f.reply(e)
	}
	return all
}

// fields joins blocks of fields into one list of its own.
func fields(blocks ...[]Field) []Field {
	var all []Field
	for _, b := range blocks {
		all = append(all, b...)
	}
	return all
}
