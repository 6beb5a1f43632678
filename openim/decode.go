package openim

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// What can be wrong with a request, as DecodeError.Kind says it.
const (
	EmptyBody     = "empty_body"
	BrokenJSON    = "broken_json"
	BadUTF8       = "bad_utf8"
	NotAnObject   = "not_an_object"
	DuplicateName = "duplicate_name"
	TrailingData  = "trailing_data"
	TooManyFields = "too_many_fields"
	NoCommand     = "no_command"
)

// DecodeErrorKinds are all of them.
var DecodeErrorKinds = []string{EmptyBody, BrokenJSON, BadUTF8, NotAnObject, DuplicateName, TrailingData, TooManyFields, NoCommand}

// A DecodeError says why a request is no callback. It never holds anything that was sent.
type DecodeError struct {
	Kind   string // one of the constants above: a closed set, fit for a metric's label
	Offset int64  // of the byte in the body, where there is one
}

// Error says it in a sentence.
func (e *DecodeError) Error() string {
	switch e.Kind {
	case EmptyBody:
		return "the body is empty"
	case BadUTF8:
		return "the body is not UTF-8"
	case NotAnObject:
		return "the body is no JSON object"
	case DuplicateName:
		return fmt.Sprintf("the body has a name twice, at byte %d", e.Offset)
	case TooManyFields:
		return fmt.Sprintf("the body has more than %d fields", maxFields)
	case TrailingData:
		return fmt.Sprintf("the body goes on after its object, at byte %d", e.Offset)
	case NoCommand:
		return "neither body, path nor query names a callback command"
	default:
		return fmt.Sprintf("the body is broken JSON, at byte %d", e.Offset)
	}
}

// maxFields bounds the top-level fields of a callback and of an answer. IMServer sends and reads 30 at most; fields are found
// by looking through them.
const maxFields = 1024

// Decode reads a callback in one validating pass over its body. Duplicate names, broken JSON,
// bad UTF-8, trailing data and a body that is no object are errors, as is a request whose command
// is neither in body, path nor query. Every error is a *DecodeError.
//
// The command is the body's callbackCommand, else the path's last segment when that is a command's
// name or begins with "callback", else the query's command, else what IMServer glued to the end of a
// query when its URL is configured with one.
func Decode(r Request) (*Callback, error) {
	c := &Callback{Header: r.Header, Path: r.Path, RawQuery: r.RawQuery, Body: r.Body}
	c.fields = c.room[:0]
	if err := c.readFields(); err != nil {
		return nil, err
	}
	if !c.identify(r.Path) {
		return nil, &DecodeError{Kind: NoCommand}
	}
	return c, nil
}

// readFields validates the body and finds its top-level fields.
func (c *Callback) readFields() error {
	s := scan(c.Body)
	defer s.release()
	switch s.dec.PeekKind() {
	case '{':
	case 0:
		return c.decodeError(s.open())
	default:
		return &DecodeError{Kind: NotAnObject}
	}
	object, err := s.value()
	if err != nil {
		return c.decodeError(err)
	}
	if !s.atEnd() {
		return &DecodeError{Kind: TrailingData, Offset: s.dec.InputOffset()}
	}
	return eachMember(object, func(quoted, raw []byte) error {
		if len(c.fields) == maxFields {
			return &DecodeError{Kind: TooManyFields}
		}
		name := quoted[1 : len(quoted)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = unquoted(quoted)
		}
		c.fields = append(c.fields, field{name: name, raw: raw})
		return nil
	})
}

// decodeError tells what is wrong with the body without repeating any of it, as the library's
// own messages do.
func (c *Callback) decodeError(err error) error {
	e := &DecodeError{Kind: BrokenJSON}
	if syntactic := new(jsontext.SyntacticError); errors.As(err, &syntactic) {
		e.Offset = syntactic.ByteOffset
	}
	switch {
	case len(bytes.TrimSpace(c.Body)) == 0:
		e.Kind = EmptyBody
	case errors.Is(err, jsontext.ErrDuplicateName):
		e.Kind = DuplicateName
	case !utf8.Valid(c.Body):
		e.Kind = BadUTF8
	}
	return e
}
