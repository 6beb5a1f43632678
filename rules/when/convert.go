package when

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// decodeJSON decodes text as the rest of the program decodes unknown fields: integers as int.
func decodeJSON(text string) any {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil
	}
	return plainNumbers(v)
}

// plainNumbers replaces json.Number, which compares unequal to every number, throughout v.
func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plainNumbers(v[k])
		}
	}
	return v
}

// A conversion fails by this error, which tells types but no values: payloads stay out of errors.
type conversionError struct{ what, from string }

func (e *conversionError) Error() string {
	return fmt.Sprintf("%s cannot be read as %s", e.from, e.what)
}

// toInt is the function int.
func toInt(v any) any {
	switch v := v.(type) {
	case int:
		return v
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return int(v)
		}
		return int(math.Max(math.MinInt64, math.Min(v, math.MaxInt64)))
	case string:
		if n, err := strconv.Atoi(v); err == nil {
			return n
		}
	}
	panic(&conversionError{"an integer", typeName(v)})
}

// toFloat is the function float.
func toFloat(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	case string:
		if f, err := strconv.ParseFloat(v, 64); err == nil {
			return f
		}
	}
	panic(&conversionError{"a number", typeName(v)})
}

// toString is the function string.
func toString(v any) any {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	panic(&conversionError{"text", typeName(v)})
}

// truth reads a value of unknown type where true or false is needed: nothing is false.
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	}
	panic(&conversionError{"true or false", typeName(v)})
}

// entries reads a value of unknown type where a list is needed: what is no list has no entries.
func entries(v any) any {
	if _, ok := v.([]any); ok {
		return v
	}
	return noEntries
}

var noEntries any = []any{}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "this text"
	case int, float64:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case time.Time:
		return "a time"
	default:
		return "an object"
	}
}
