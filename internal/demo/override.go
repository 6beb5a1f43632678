package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// override puts values in place of top-level fields of a JSON object, whose order stays as it was.
// A name that the object lacks is an error, so that samples keep to the protocol.
func override(object []byte, fields map[string]any) ([]byte, error) {
	left := maps.Clone(fields)
	d := jsontext.NewDecoder(bytes.NewReader(object))
	var out bytes.Buffer
	e := jsontext.NewEncoder(&out, jsontext.EscapeForHTML(true)) // as IMServer writes
	if err := copyToken(d, e); err != nil {
		return nil, err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		if replacement, ok := left[key]; ok {
			delete(left, key)
			if value, err = json.Marshal(replacement); err != nil {
				return nil, fmt.Errorf("setting %s: %w", key, err)
			}
		}
		if err := e.WriteToken(jsontext.String(key)); err != nil {
			return nil, err
		}
		if err := e.WriteValue(value); err != nil {
			return nil, err
		}
	}
	if err := copyToken(d, e); err != nil {
		return nil, err
	}
	if len(left) > 0 {
		return nil, fmt.Errorf("setting %v: no such field", slices.Sorted(maps.Keys(left)))
	}
	return out.Bytes(), nil
}

func copyToken(d *jsontext.Decoder, e *jsontext.Encoder) error {
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	return e.WriteToken(token)
}
