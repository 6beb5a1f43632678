package when

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxJSON bounds in bytes what AppendJSON appends.
const MaxJSON = 8 << 20

var errTooLong = fmt.Errorf("its value takes more than %d MiB as JSON", MaxJSON>>20)

// AppendJSON appends what Scope.Value returned as JSON, always in the same way: the members of objects sorted by name,
// integers in all their digits, texts as valid UTF-8 without needless escapes, times as texts by RFC 3339. It fails for what
// JSON does not have, and for more than MaxJSON.
func AppendJSON(b []byte, value any) ([]byte, error) {
	w := jsonWriter{b: b, most: len(b) + MaxJSON}
	err := w.write(value)
	return w.b, err
}

type jsonWriter struct {
	b    []byte
	most int
}

func (w *jsonWriter) write(v any) error {
	if len(w.b) > w.most {
		return errTooLong
	}
	switch v := v.(type) {
	case nil:
		w.b = append(w.b, "null"...)
	case string:
		w.quote(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return errors.New("its value has a number that JSON does not have")
		}
		w.b = append(w.b, jsontext.Float(v).String()...)
	case []any:
		return writeList(w, v)
	case []string: // of split
		return writeList(w, v)
	case map[string]any:
		return w.object(v)
	default:
		return w.scalar(v)
	}
	return nil
}

// quote writes a text. Bytes that are no UTF-8 become U+FFFD, which is the only error there is.
func (w *jsonWriter) quote(s string) { w.b, _ = jsontext.AppendQuote(w.b, s) }

func writeList[T any](w *jsonWriter, list []T) error {
	w.b = append(w.b, '[')
	for i, entry := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if err := w.write(entry); err != nil {
			return err
		}
	}
	w.b = append(w.b, ']')
	return nil
}

func (w *jsonWriter) object(object map[string]any) error {
	w.b = append(w.b, '{')
	for i, name := range slices.Sorted(maps.Keys(object)) {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.quote(name)
		w.b = append(w.b, ':')
		if err := w.write(object[name]); err != nil {
			return err
		}
	}
	w.b = append(w.b, '}')
	return nil
}

// scalar writes what is left: integers, booleans and times.
func (w *jsonWriter) scalar(v any) error {
	text, ok := scalarText(v)
	_, isTime := v.(time.Time)
	switch {
	case !ok:
		return fmt.Errorf("its value has %s, which JSON does not have", goTypeWords(fmt.Sprintf("%T", v)))
	case isTime:
		w.quote(text)
	default:
		w.b = append(w.b, text...)
	}
	return nil
}
