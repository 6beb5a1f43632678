package when

import (
	"strings"

	"github.com/expr-lang/expr/vm/runtime"
)

// in is the operator in for lists whose elements are known to be texts or integers.
func (s *Scope) in(needle, list any) bool {
	entries, _ := list.([]any)
	s.spend(len(entries) / entriesPerStep)
	switch needle := needle.(type) {
	case string:
		for _, e := range entries {
			if e, ok := e.(string); ok && e == needle {
				return true
			}
		}
		return false
	case int:
		for _, e := range entries {
			if e, ok := e.(int); ok && e == needle {
				return true
			}
		}
		return false
	}
	return runtime.In(needle, list)
}

// member reads a member of an object or an element of a list; what is not there is nil.
func (s *Scope) member(of, name any) any {
	switch of := of.(type) {
	case map[string]any:
		if name, ok := name.(string); ok {
			return s.cut(name, of[name])
		}
	case []any:
		if i, ok := name.(int); ok {
			if i < 0 {
				i += len(of)
			}
			if 0 <= i && i < len(of) {
				return of[i]
			}
		}
	}
	return nil
}

func (s *Scope) has(field any) bool {
	s.spend(min(len(s.cb.Body)/(16*bytesPerStep), mostHasSteps)) // with its fields, looking for one takes longer
	name, _ := field.(string)
	raw, ok := s.cb.Raw(name)
	return ok && string(raw) != "null"
}

// json decodes a text, the same one after another only once.
func (s *Scope) json(text any) any {
	t, ok := text.(string)
	if !ok || t == "" {
		return nil
	}
	if s.decoded.text != t {
		s.spend(len(t) / jsonPerStep)
		s.decoded.text, s.decoded.value = t, s.cut("json", decodeJSON(t))
	}
	return s.decoded.value
}

// headers maps lower-case names to first values.
func (s *Scope) headers() map[string]any {
	headers := make(map[string]any, len(s.cb.Header))
	for name, values := range s.cb.Header {
		if len(values) > 0 {
			headers[strings.ToLower(name)] = s.cutString("headers", values[0])
		}
	}
	return headers
}

// query maps names to first values.
func (s *Scope) query() map[string]any {
	query := map[string]any{}
	for name, values := range s.cb.Query() {
		if len(values) > 0 {
			query[name] = s.cutString("query", values[0])
		}
	}
	return query
}
