package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"callboard/internal/diag"
	"callboard/openim"
)

// setField puts a value into a body at a path of names and list indexes: a.b, a.0.b. The order of
// fields stays; what is not there is added at the end. A field that the catalogue knows as text
// takes the value as it is, one of another type takes it as JSON; of unknown ones, what is no
// JSON is text.
func setField(body []byte, command *openim.Command, path, value string) ([]byte, error) {
	names := strings.Split(path, ".")
	raw, err := valueFor(command, names, value)
	if err != nil {
		return nil, usageError(fieldHint(command, names[0]), "reading --set %s: %w", path, err)
	}
	changed, err := put(body, names, raw)
	if err != nil {
		return nil, usageError("", "reading --set %s: %w", path, err)
	}
	return changed, nil
}

// valueFor returns the JSON text of a value for a field.
func valueFor(command *openim.Command, names []string, value string) ([]byte, error) {
	field := fieldAt(command.Request, names)
	isJSON := jsontext.Value(value).IsValid()
	switch {
	case field != nil && field.Kind == openim.String && !(field.Nullable && value == "null"),
		field == nil && !isJSON:
		return json.Marshal(value)
	case isJSON:
		return []byte(value), nil
	}
	return nil, fmt.Errorf("%s is %s, which %q is not", names[len(names)-1], field.Kind, value)
}

// fieldAt finds a field of the catalogue, nil when it has none there. The elements of lists share
// the fields of the list.
func fieldAt(fields []openim.Field, names []string) *openim.Field {
	if _, err := strconv.Atoi(names[0]); err == nil && len(names) > 1 {
		names = names[1:]
	}
	for i := range fields {
		if fields[i].Name != names[0] {
			continue
		}
		if len(names) == 1 {
			return &fields[i]
		}
		return fieldAt(fields[i].Fields, names[1:])
	}
	return nil
}

// fieldHint names the field that was probably meant.
func fieldHint(command *openim.Command, name string) string {
	var names []string
	for _, f := range command.Request {
		names = append(names, f.Name)
	}
	if near := diag.Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return fmt.Sprintf("callboard commands %s lists its fields", command.Short)
}

// put returns a JSON value with raw at the path below it. What is null or not there becomes a list
// before an index, else an object.
func put(text jsontext.Value, path []string, raw []byte) (jsontext.Value, error) {
	if len(path) == 0 {
		return raw, nil
	}
	index, err := strconv.Atoi(path[0])
	isIndex := err == nil
	switch kind := text.Kind(); {
	case kind == '[' || isIndex && kind != '{':
		if !isIndex {
			return nil, fmt.Errorf("%q is no index of a list", path[0])
		}
		return putElement(text, index, path, raw)
	case kind == '{' || kind == 'n' || len(text) == 0:
		return putMember(text, path, raw)
	default:
		return nil, fmt.Errorf("there is a value of its own above %q", path[0])
	}
}

func putElement(list jsontext.Value, index int, path []string, raw []byte) (jsontext.Value, error) {
	elements, err := valuesIn(list)
	if err != nil {
		return nil, err
	}
	if index == len(elements) {
		elements = append(elements, nil)
	}
	if index < 0 || index >= len(elements) {
		return nil, fmt.Errorf("the list has %d elements, %d is not the next one", len(elements), index)
	}
	if elements[index], err = put(elements[index], path[1:], raw); err != nil {
		return nil, err
	}
	return slices.Concat([]byte("["), bytes.Join(asBytes(elements), []byte(",")), []byte("]")), nil
}

func putMember(object jsontext.Value, path []string, raw []byte) (jsontext.Value, error) {
	members, err := valuesIn(object) // name, value, name, value …
	if err != nil {
		return nil, err
	}
	name, err := jsontext.AppendQuote(nil, path[0])
	if err != nil {
		return nil, err
	}
	at := 0
	for at < len(members) && !bytes.Equal(members[at], name) {
		at += 2
	}
	if at == len(members) {
		members = append(members, name, nil)
	}
	if members[at+1], err = put(members[at+1], path[1:], raw); err != nil {
		return nil, err
	}
	var fields [][]byte
	for i := 0; i < len(members); i += 2 {
		fields = append(fields, slices.Concat(members[i], []byte(":"), members[i+1]))
	}
	return slices.Concat([]byte("{"), bytes.Join(fields, []byte(",")), []byte("}")), nil
}

// valuesIn returns the values in a list, or the names and values of an object in turns. A value
// that is null or not there has none.
func valuesIn(text jsontext.Value) ([]jsontext.Value, error) {
	if len(text) == 0 || text.Kind() == 'n' {
		return nil, nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(text))
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var values []jsontext.Value
	for d.PeekKind() != ']' && d.PeekKind() != '}' {
		v, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		values = append(values, v.Clone())
	}
	return values, nil
}

func asBytes(values []jsontext.Value) [][]byte {
	all := make([][]byte, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}
