package openim

import (
	"math"
	"strconv"
)

// The zero values that many callbacks share. Nobody may change them.
var (
	emptyList   any = []any{}
	emptyObject any = map[string]any{}
)

// zero returns the value of a field that is absent or null.
func zero(kind Kind, members []Field) any {
	switch kind {
	case String:
		return ""
	case Int:
		return 0
	case Bool:
		return false
	case Strings, Ints, Objects:
		return emptyList
	case Object:
		if len(members) > 0 {
			return zeroObject(members)
		}
		return emptyObject
	case Bools:
		return emptyObject
	default:
		return nil
	}
}

func zeroObject(members []Field) map[string]any {
	object := make(map[string]any, len(members))
	for _, m := range members {
		object[m.Name] = zero(m.Kind, m.Fields)
	}
	return object
}

// readValue reads valid JSON text as a kind, and reports whether it was of that kind. What was not
// is the kind's zero value, except that an integer beyond 64 bits is the nearest within.
func readValue(raw []byte, kind Kind, members []Field) (any, bool) {
	if raw[0] == 'n' {
		return zero(kind, members), true
	}
	if raw[0] == '{' && (kind == String || kind == Int || kind == Bool) {
		if raw = unwrapped(raw); raw == nil {
			return zero(kind, nil), false
		}
		return readValue(raw, kind, nil)
	}
	switch {
	case kind == Any:
		return readAny(raw)
	case kind == String && raw[0] == '"':
		return string(unquoted(raw)), true
	case kind == Int && isNumber(raw):
		return readInt(raw)
	case kind == Bool && (raw[0] == 't' || raw[0] == 'f'):
		return raw[0] == 't', true
	case kind == Strings && raw[0] == '[':
		return readList(raw, String, nil)
	case kind == Ints && raw[0] == '[':
		return readList(raw, Int, nil)
	case kind == Objects && raw[0] == '[':
		return readList(raw, Object, members)
	case kind == Object && raw[0] == '{':
		return readObject(raw, members)
	case kind == Bools && raw[0] == '{':
		return readBools(raw)
	}
	return zero(kind, members), false
}

// unwrapped returns x of {"value": x} where x is a scalar, else nil.
func unwrapped(raw []byte) []byte {
	s := scan(raw, lenient...)
	defer s.release()
	if s.open() != nil || !s.more() {
		return nil
	}
	name, value, err := s.member()
	if err != nil || string(name) != "value" || value[0] == '{' || value[0] == '[' || s.more() {
		return nil
	}
	return value
}

// readInt reads a JSON number as an integer. A fraction of zero is none.
func readInt(raw []byte) (any, bool) {
	n, exact := parseInt(raw)
	return int(n), exact
}

// parseInt reads a JSON number: an integer exactly, one beyond 64 bits as the nearest within,
// and what has a fraction as 0. It reports whether the number was an integer within 64 bits.
func parseInt(raw []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err == nil {
		return n, true
	}
	if n != 0 {
		return n, false // out of range; ParseInt has clamped it
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	const exact = 1 << 53 // beyond it a float64 no longer tells neighbours apart
	switch {
	case err == nil && f == math.Trunc(f) && math.Abs(f) <= exact:
		return int64(f), true
	case f >= math.MaxInt64:
		return math.MaxInt64, false
	case f <= math.MinInt64:
		return math.MinInt64, false
	case f == math.Trunc(f):
		return int64(f), false
	}
	return 0, false
}

func readList(raw []byte, kind Kind, members []Field) (any, bool) {
	s := scan(raw, lenient...)
	defer s.release()
	if s.open() != nil {
		return emptyList, false
	}
	ok, usable := true, true
	items := make([]any, 0, 4)
	for s.more() {
		item, err := s.value()
		if err != nil {
			return emptyList, false
		}
		v, itemOK := readValue(item, kind, members)
		items = append(items, v)
		ok = ok && itemOK
		usable = usable && (itemOK || kind == Int && isNumber(item)) // a number has been clamped
	}
	if !usable {
		return emptyList, false
	}
	return items, ok
}

// readObject reads the members that the catalogue knows by their kinds, and others as Any.
func readObject(raw []byte, members []Field) (any, bool) {
	object := zeroObject(members)
	s := scan(raw, lenient...)
	defer s.release()
	if s.open() != nil {
		return object, false
	}
	ok := true
	for s.more() {
		name, value, err := s.member()
		if err != nil {
			return zeroObject(members), false
		}
		known := memberNamed(members, name)
		v, memberOK := readValue(value, known.Kind, known.Fields)
		object[string(name)] = v
		ok = ok && memberOK
	}
	return object, ok
}

func memberNamed(members []Field, name []byte) Field {
	for _, m := range members {
		if m.Name == string(name) {
			return m
		}
	}
	return Field{Kind: Any}
}

func readBools(raw []byte) (any, bool) {
	v, ok := readObject(raw, nil)
	for _, b := range v.(map[string]any) {
		if _, isBool := b.(bool); !isBool {
			return emptyObject, false
		}
	}
	return v, ok
}
