package openim

import (
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// readAny reads JSON text as encoding/json would, with integers as int. It reports whether the
// text is one JSON value.
func readAny(raw []byte) (any, bool) {
	s := scan(raw, lenient...)
	defer s.release()
	v, err := s.any()
	if err != nil || !s.atEnd() {
		return nil, false
	}
	return v, true
}

// any reads the next value. Its depth is bounded by the decoder.
func (s *scanner) any() (any, error) {
	switch s.dec.PeekKind() {
	case '{':
		object := map[string]any{}
		if err := s.open(); err != nil {
			return nil, err
		}
		for s.more() {
			name, err := s.value()
			if err != nil {
				return nil, err
			}
			if object[string(unquoted(name))], err = s.any(); err != nil {
				return nil, err
			}
		}
		return object, nil
	case '[':
		items := []any{}
		if err := s.open(); err != nil {
			return nil, err
		}
		for s.more() {
			item, err := s.any()
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		return items, nil
	default:
		raw, err := s.value()
		if err != nil {
			return nil, err
		}
		return readScalar(raw), nil
	}
}

func readScalar(raw []byte) any {
	switch raw[0] {
	case 'n':
		return nil
	case 't', 'f':
		return raw[0] == 't'
	case '"':
		return string(unquoted(raw))
	}
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return int(n)
	}
	f, _ := strconv.ParseFloat(string(raw), 64)
	return max(-math.MaxFloat64, min(math.MaxFloat64, f)) // an infinity is no JSON number
}

func isNumber(raw []byte) bool { return jsontext.Value(raw).Kind() == '0' }
