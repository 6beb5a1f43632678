package when

import (
	"fmt"

	"callboard/openim"
)

// A slot is a field as the conditions of a table read it: one entry of the map they run on.
type slot struct {
	key  string // in the map: the name, with the kind where commands type the name differently
	name string
	kind openim.Kind
	zero any // what a callback without the field shows
}

func slotOf(f openim.Field) slot {
	key := f.Name
	if first, _ := allCarriers()[f.Name][0].Field(f.Name); first.Kind != f.Kind {
		key = fmt.Sprintf("%s:%d", f.Name, f.Kind)
	}
	return slot{key: key, name: f.Name, kind: f.Kind, zero: zeroOf(f)}
}

func zeroOf(f openim.Field) any {
	switch f.Kind {
	case openim.String:
		return ""
	case openim.Int:
		return 0
	case openim.Bool:
		return false
	case openim.Strings, openim.Ints, openim.Objects:
		return []any{}
	case openim.Object:
		members := map[string]any{}
		for _, m := range f.Fields {
			members[m.Name] = zeroOf(m)
		}
		return members
	case openim.Bools:
		return map[string]any{}
	default:
		return nil
	}
}
