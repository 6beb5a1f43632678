package rules

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"callboard/openim"
	"callboard/rules/when"
)

// A Shaper computes what one sink gets of a callback, and what its vote on it is kept under: read-only, safe for concurrent
// use.
type Shaper struct {
	headers, fields []computed
	body            *when.Value // nil: as it came
	env             *when.Env   // of these, nil when there are none
	key             *when.Key   // of the cache, nil when there is none
	keyEnv          *when.Env
	commands        []*openim.Command // that the expressions were compiled for, nil for all
}

// A computed value has a name: of a header, in canonical form, or of a field.
type computed struct {
	name  string
	value *when.Value
}

// A Header is one header of a request, its name in canonical form.
type Header struct{ Name, Value string }

// A Shaped is what a sink gets of one callback.
type Shaped struct {
	Body    []byte // the callback's own where nothing changes it
	Headers []Header
	Notes   []string // what was left out or cut, and why; names no values
}

// longestHeader bounds a computed header, in bytes.
const longestHeader = 1024

// ready makes a Shaper of what was compiled, nil when there is nothing to compute.
func (s Shaper) ready() *Shaper {
	switch values := s.values(); {
	case values != nil:
		s.env = when.NewValueEnv(values)
	case s.key == nil:
		return nil
	}
	return &s
}

// values returns the expressions of what is sent. It may be called on nil.
func (s *Shaper) values() []*when.Value {
	if s == nil {
		return nil
	}
	var values []*when.Value
	for _, list := range [][]computed{s.headers, s.fields} {
		for _, c := range list {
			values = append(values, c.value)
		}
	}
	if s.body != nil {
		values = append(values, s.body)
	}
	return values
}

// Same reports whether the Shapers of two sinks with the same settings compute the same: the types of fields depend on the
// callbacks that rules bring to a sink. Either may be nil.
func (s *Shaper) Same(other *Shaper) bool {
	if s == nil || other == nil {
		return s == other
	}
	return slices.Equal(s.commands, other.commands)
}

// Shapes reports whether it changes what is sent. It may be called on nil.
func (s *Shaper) Shapes() bool { return s != nil && s.env != nil }

// Shape computes what the sink gets of a callback; now is when that came. A header or field whose expression fails is left
// out with a note. An error means that the body cannot be made, so that nothing can be sent; it names no values. Shape reads
// cb lazily, so cb must not be used by others meanwhile. Shapes must hold.
func (s *Shaper) Shape(cb *openim.Callback, now time.Time) (Shaped, error) {
	scope := s.env.Bind(cb, now)
	defer scope.Release()
	shaped := Shaped{Body: cb.Body}
	err := s.makeBody(scope, &shaped)
	if err == nil {
		s.makeHeaders(scope, &shaped)
	}
	shaped.Notes = append(shaped.Notes, scope.Notes()...)
	return shaped, err
}

func (s *Shaper) makeHeaders(scope *when.Scope, shaped *Shaped) {
	for _, h := range s.headers {
		text, err := scope.Text(h.value)
		switch {
		case err != nil:
			shaped.note("header", h.name, err.Error())
		case len(text) > longestHeader:
			shaped.note("header", h.name, fmt.Sprintf("its value has %d bytes, %d are allowed", len(text), longestHeader))
		case !headerText.MatchString(text):
			shaped.note("header", h.name, "its value has a line break or another control character")
		case text != "":
			shaped.Headers = append(shaped.Headers, Header{h.name, text})
		}
	}
}

func (s *Shaped) note(what, name, why string) {
	s.Notes = append(s.Notes, fmt.Sprintf("%s %s left out: %s", what, name, why))
}

// makeBody builds the body, and sets fields in it or in the one that came.
func (s *Shaper) makeBody(scope *when.Scope, shaped *Shaped) error {
	if s.body != nil {
		value, err := scope.Value(s.body)
		_, isObject := value.(map[string]any)
		switch {
		case err != nil:
		case value == nil:
			err = errors.New("the expression is nil for this callback")
		case len(s.fields) > 0 && !isObject:
			err = errors.New("it is no object for this callback, so no fields can be set in it")
		default:
			shaped.Body, err = when.AppendJSON(nil, value)
		}
		if err != nil {
			return fmt.Errorf("making its body: %w", err)
		}
	}
	if set := s.makeFields(scope, shaped); len(set) > 0 {
		shaped.Body = openim.SetFields(shaped.Body, set)
	}
	return nil
}

func (s *Shaper) makeFields(scope *when.Scope, shaped *Shaped) []openim.FieldValue {
	set := make([]openim.FieldValue, 0, len(s.fields))
	total := 0
	for _, f := range s.fields {
		var raw []byte
		value, err := scope.Value(f.value)
		if err == nil {
			raw, err = when.AppendJSON(nil, value)
		}
		if total += len(raw); err == nil && total > when.MaxJSON {
			err = errors.New("the fields are too long together")
		}
		if err != nil {
			shaped.note("field", f.name, err.Error())
			continue
		}
		set = append(set, openim.FieldValue{Name: f.name, Raw: raw})
	}
	return set
}

// VoteKey returns what a vote on a callback is kept under, "" for one that is not kept: there is no cache, its key is empty, or
// fails, which the error says. It reads cb lazily, as Shape does, and may be called on nil.
func (s *Shaper) VoteKey(cb *openim.Callback) (string, error) {
	if s == nil || s.key == nil {
		return "", nil
	}
	scope := s.keyEnv.Bind(cb, time.Time{}) // keys do not read the time
	defer scope.Release()
	key, err := scope.Key(s.key)
	return shortKey(key), err
}
