package openim

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// SetFields returns a copy of a valid JSON object, like a callback's body, with top-level fields set: in the place of those
// that it has, the others behind its last one, in order. Everything else stays byte for byte. Names must differ, and values
// be JSON.
func SetFields(object []byte, set []FieldValue) []byte {
	size := len(object)
	for _, f := range set {
		size += len(f.Name) + len(f.Raw) + len(`,"":`)
	}
	b := make([]byte, 0, size)
	left := slices.Clone(set) // Raw is nil once it is in its place
	copied := 0               // bytes of object
	i := skipSpace(object, skipSpace(object, 0)+1)
	last, comma := i, object[i] != '}' // behind the last field; whether there is one
	for object[i] != '}' {
		end := endOfString(object, i)
		name := unquoted(object[i:end])
		value := skipSpace(object, skipSpace(object, end)+1)
		last = endOfValue(object, value)
		if at := slices.IndexFunc(left, func(f FieldValue) bool { return f.Raw != nil && f.Name == string(name) }); at >= 0 {
			b = append(append(b, object[copied:value]...), left[at].Raw...)
			left[at].Raw = nil
			copied = last
		}
		if i = skipSpace(object, last); object[i] == ',' {
			i = skipSpace(object, i+1)
		}
	}
	b = append(b, object[copied:last]...)
	for _, f := range left {
		if f.Raw == nil {
			continue
		}
		if comma {
			b = append(b, ',')
		}
		comma = true
		b, _ = jsontext.AppendQuote(b, f.Name) // an error only tells of bytes that are no UTF-8, which are mended
		b = append(append(b, ':'), f.Raw...)
	}
	return append(b, object[last:]...)
}
