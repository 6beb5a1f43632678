package openim

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// convert returns valid JSON text in a field's type, written in one way only, or the reason why it
// cannot be. It takes what people and other languages write for a type: "1" and 1.0 for 1,
// 1 for "1", {"value": x} for x.
func convert(raw []byte, f *Field) (converted []byte, reason string) {
	if isScalar := f.Kind == String || f.Kind == Int || f.Kind == Bool; isScalar && raw[0] == '{' {
		if inner := unwrapped(raw); inner != nil {
			raw = inner
		}
	}
	switch f.Kind {
	case String:
		return convertString(raw)
	case Int:
		return convertInt(raw, f.Bits)
	case Bool:
		return convertBool(raw)
	case Strings:
		return convertList(raw, &Field{Kind: String})
	case Ints:
		return convertList(raw, &Field{Kind: Int, Bits: 64})
	case Object:
		return convertObject(raw, f.Fields)
	case Objects:
		return convertList(raw, &Field{Kind: Object, Fields: f.Fields})
	case Bools:
		return convertBools(raw)
	}
	return bytes.Clone(raw), ""
}

func wrongType(raw []byte, want Kind) string {
	return fmt.Sprintf("it is %s, not %s", describe(raw), want)
}

// describe names the type of valid JSON text.
func describe(raw []byte) string {
	switch raw[0] {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	default:
		return "a number"
	}
}

func convertString(raw []byte) ([]byte, string) {
	switch {
	case raw[0] == '"':
		return appendQuoted(nil, unquoted(raw)), ""
	case isNumber(raw):
		return appendQuoted(nil, raw), ""
	}
	return nil, wrongType(raw, String)
}

func convertInt(raw []byte, bits int) ([]byte, string) {
	number := raw
	if raw[0] == '"' {
		text, ok := oneValue(unquoted(raw))
		if !ok || !isNumber(text) {
			return nil, wrongType(raw, Int)
		}
		number = text
	}
	if !isNumber(number) {
		return nil, wrongType(raw, Int)
	}
	n, exact := parseInt(number)
	if bits == 32 && (n > math.MaxInt32 || n < math.MinInt32) {
		return nil, "it is beyond 32 bits"
	}
	if !exact {
		return nil, "it has a fraction or is beyond 64 bits"
	}
	return strconv.AppendInt(nil, n, 10), ""
}

func convertBool(raw []byte) ([]byte, string) {
	switch strings.Trim(string(raw), `"`) {
	case "true", "1":
		return []byte("true"), ""
	case "false", "0":
		return []byte("false"), ""
	}
	return nil, wrongType(raw, Bool)
}

func convertList(raw []byte, item *Field) ([]byte, string) {
	if raw[0] != '[' {
		return nil, fmt.Sprintf("it is %s, not a list", describe(raw))
	}
	s := scan(raw, lenient...)
	defer s.release()
	list := []byte{'['}
	_ = s.open() // the text is valid
	for n := 1; s.more(); n++ {
		element, err := s.value()
		if err != nil {
			return nil, "it is not JSON"
		}
		converted, reason := convert(element, item)
		if reason != "" {
			return nil, fmt.Sprintf("element %d: %s", n, reason)
		}
		if n > 1 {
			list = append(list, ',')
		}
		list = append(list, converted...)
	}
	return append(list, ']'), ""
}

// convertObject writes the members that the catalogue knows, in its order. A null member is left
// out: its absence says the same.
func convertObject(raw []byte, members []Field) ([]byte, string) {
	given, reason := objectMembers(raw)
	if reason != "" {
		return nil, reason
	}
	object := []byte{'{'}
	for i := range members {
		m := &members[i]
		value := given[strings.ToLower(m.Name)].value
		if value == nil || value[0] == 'n' {
			continue
		}
		converted, reason := convert(value, m)
		if reason != "" {
			return nil, fmt.Sprintf("%s: %s", m.Name, reason)
		}
		object = appendMember(object, m.Name, converted)
	}
	return closeObject(object), ""
}

func convertBools(raw []byte) ([]byte, string) {
	given, reason := objectMembers(raw)
	if reason != "" {
		return nil, reason
	}
	object := []byte{'{'}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		m := given[key]
		converted, reason := convertBool(m.value)
		if reason != "" {
			return nil, "a member: " + reason
		}
		object = append(object, ',')
		object = appendQuoted(object, m.name)
		object = append(object, ':')
		object = append(object, converted...)
	}
	return closeObject(object), ""
}

// A member is one of an object that a sink sent.
type member struct{ name, value []byte }

// objectMembers maps lower-case name → member; the last one counts, as with IMServer.
func objectMembers(raw []byte) (map[string]member, string) {
	if raw[0] != '{' {
		return nil, wrongType(raw, Object)
	}
	s := scan(raw, lenient...)
	defer s.release()
	_ = s.open() // the text is valid
	members := map[string]member{}
	for s.more() {
		name, value, err := s.member()
		if err != nil {
			return nil, "it is not JSON"
		}
		members[strings.ToLower(string(name))] = member{name, value}
	}
	return members, ""
}

// closeObject ends an object whose every member was begun with a comma.
func closeObject(object []byte) []byte {
	if len(object) > 1 {
		object = append(object[:1], object[2:]...)
	}
	return append(object, '}')
}
