package openim

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A scanner walks JSON text in place: what it returns are slices of the text.
type scanner struct {
	text []byte
	buf  bytes.Buffer // a jsontext.Decoder reads a bytes.Buffer without copying it
	dec  *jsontext.Decoder
}

var scanners = sync.Pool{New: func() any {
	s := new(scanner)
	s.dec = jsontext.NewDecoder(&s.buf)
	return s
}}

// lenient reads what IMServer's own decoder reads: duplicate names and broken characters.
var lenient = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

// scan begins to walk text: strictly, or leniently with those options. Release the scanner after use.
func scan(text []byte, options ...jsontext.Options) *scanner {
	s := scanners.Get().(*scanner)
	s.text = text
	s.buf = *bytes.NewBuffer(text)
	s.dec.Reset(&s.buf, options...)
	return s
}

// release gives the scanner back without the text.
func (s *scanner) release() {
	s.text = nil
	s.buf = bytes.Buffer{}
	s.dec.Reset(&s.buf)
	scanners.Put(s)
}

// open steps into the object or array that comes next.
func (s *scanner) open() error {
	_, err := s.dec.ReadToken()
	return err
}

// more reports whether the object or array that the scanner is in has another element; at its
// end it steps out. Broken text counts as another element, for value to find.
func (s *scanner) more() bool {
	if k := s.dec.PeekKind(); k != '}' && k != ']' {
		return true
	}
	_, err := s.dec.ReadToken()
	return err != nil
}

// value returns the next value, or the next name with its quotes, as a slice of the text.
func (s *scanner) value() ([]byte, error) {
	v, err := s.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(s.dec.InputOffset())
	return s.text[end-len(v) : end : end], nil
}

// member returns the next member of an object: its name without quotes and its value.
func (s *scanner) member() (name, value []byte, err error) {
	if name, err = s.value(); err != nil {
		return nil, nil, err
	}
	value, err = s.value()
	return unquoted(name), value, err
}

// atEnd reports whether nothing but white space follows.
func (s *scanner) atEnd() bool {
	_, err := s.dec.ReadToken()
	return errors.Is(err, io.EOF)
}

// unquoted returns the characters of a JSON string: a slice of it when it has no escapes and
// its UTF-8 needs no repair.
func unquoted(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 && utf8.Valid(quoted) {
		return quoted[1 : len(quoted)-1]
	}
	text, _ := jsontext.AppendUnquote(nil, quoted) // an error only tells of repaired UTF-8
	return text
}
