package when

import (
	"maps"
	"slices"
	"strings"

	"callboard/openim"
)

// usage returns an example of a function.
func usage(name string) string {
	if h := helperNamed[name]; h != nil {
		return h.Usage
	}
	if d := builtinNamed[name]; d != nil {
		return d.Usage
	}
	if d := valueFunctionNamed[name]; d != nil {
		return d.Usage
	}
	return ""
}

func functionNames() []string {
	return append(sortedKeys(helperNamed), sortedKeys(builtinNamed)...)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// commandList names commands the way people type them.
func commandList(cs []*openim.Command) string {
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = c.Short
	}
	return list(names, 4)
}

// list joins names, the first few of them.
func list(names []string, shown int) string {
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}
