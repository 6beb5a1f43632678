package rules

import "slices"

// Reads reports whether the rule's condition, or the order_by of a sink that it notifies, reads a value by its name, as in
// headers or groupID.
func (r *Rule) Reads(name string) bool {
	if r.cond != nil && slices.Contains(r.cond.Reads(), name) {
		return true
	}
	return slices.ContainsFunc(r.targets, func(t target) bool { return t.key != nil && slices.Contains(t.key.Reads(), name) })
}
