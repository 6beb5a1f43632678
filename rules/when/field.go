package when

import (
	"strings"

	"callboard/openim"
	"callboard/rules/formula"
)

// Field returns a field as conditions see it, without spending steps or noting what was cut. A field of the body must be
// one that a condition given to NewEnv reads. What a condition has not asked for yet is decoded from the callback.
func (s *Scope) Field(f formula.Field) any {
	switch f.Root {
	case formula.OfField:
		if f.Path == "" {
			return s.variables[f.Key]
		}
		v := descend(s.variables[f.Key], f.Path)
		if f.Type == formula.Unknown {
			return shortened(v)
		}
		return typed(f.Type, v)
	case formula.Command:
		return s.variables["command"]
	case formula.Source:
		return shortened(s.cb.Source)
	case formula.Text:
		return shortened(s.cb.TextValue())
	case formula.Data:
		return shortened(descend(s.cb.Data(), f.Path))
	case formula.Raw:
		name, rest, deeper := strings.Cut(f.Path, formula.PathSeparator)
		v := s.cb.Value(name, openim.Any)
		if deeper {
			v = descend(v, rest)
		}
		return shortened(v)
	case formula.Header:
		return s.header(f.Path)
	case formula.Query:
		if values := s.cb.Query()[f.Path]; len(values) > 0 {
			return shortened(values[0])
		}
		return ""
	}
	return nil
}

// header returns what headers() has under a name.
func (s *Scope) header(name string) any {
	for key, values := range s.cb.Header {
		if len(values) > 0 && len(key) == len(name) && strings.EqualFold(key, name) {
			return shortened(values[0])
		}
	}
	return ""
}

// descend follows a path of members.
func descend(v any, path string) any {
	for path != "" {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		var name string
		name, path, _ = strings.Cut(path, formula.PathSeparator)
		v = object[name]
	}
	return v
}

// shortened cuts a value as Scope.cut does.
func shortened(v any) any {
	switch list := v.(type) {
	case string:
		if len(list) > maxString {
			return cutText(list, maxString)
		}
	case []any:
		if len(list) > maxEntries {
			return list[:maxEntries]
		}
	}
	return v
}

// typed is what memberAs makes of a member of known type.
func typed(t formula.Type, v any) any {
	switch t {
	case formula.String:
		if _, ok := v.(string); !ok {
			return ""
		}
	case formula.Int:
		if _, ok := v.(int); !ok {
			return 0
		}
	case formula.Bool:
		if _, ok := v.(bool); !ok {
			return false
		}
	}
	return v
}
