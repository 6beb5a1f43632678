package rules

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"callboard/openim"
	"callboard/rules/formula"
)

// A commandKey is a command that rules are for: of the catalogue, by name, or all of them.
type commandKey struct {
	known *openim.Command
	name  string
}

func (r *Rule) commandKeys() []commandKey {
	if r.forAll() {
		return []commandKey{{name: "*"}}
	}
	var keys []commandKey
	for _, c := range r.Callbacks {
		keys = append(keys, commandKey{known: c})
	}
	for _, name := range r.Unknown {
		keys = append(keys, commandKey{name: name})
	}
	return keys
}

// sameness returns what two conditions have in common that are true of the same callbacks.
func (a *analysis) sameness(r *outline) string {
	if f := a.truth[r]; f.Exact {
		return canonical(f)
	}
	return "source " + r.When
}

// canonical writes an exact formula so that neither the order of its parts nor that of literals counts.
func canonical(f formula.Formula) string {
	if f.Op != formula.All && f.Op != formula.Some {
		if f.Op != formula.Leaf {
			return fmt.Sprint(f.Op)
		}
		a := *f.Atom
		a.Texts, a.Ints = slices.Clone(a.Texts), slices.Clone(a.Ints)
		slices.Sort(a.Texts)
		slices.Sort(a.Ints)
		return fmt.Sprintf("%q", fmt.Sprintf("%#v %d %d %q %d %t %d %d", a.Field, a.View, a.Kind, a.Texts, a.Ints, a.Bools, a.From, a.To))
	}
	var parts []string
	for _, part := range f.Of {
		parts = append(parts, canonical(part))
	}
	slices.Sort(parts)
	return fmt.Sprintf("%d(%s)", f.Op, strings.Join(slices.Compact(parts), " "))
}

// checkVerdicts finds rules of the same condition that answer otherwise. Where both are reached, the first of two refusals
// counts, a refusal before an allow, and the first value of a field.
func (a *analysis) checkVerdicts() {
	type at struct {
		condition string
		command   commandKey
	}
	first := map[at][]*outline{} // rules that answer, each unlike those before it
	for _, r := range a.ordered() {
		if r.Reply == nil || a.never[r] {
			continue
		}
		condition := a.sameness(r)
		for _, c := range r.commandKeys() {
			k := at{condition, c}
			i := slices.IndexFunc(first[k], func(other *outline) bool { return contradiction(other.Reply, r.Reply) != "" })
			if i >= 0 {
				other := first[k][i]
				r.from.warn(r.placeOf("reply"), idContradicting, "", "rule %q %s, for the same callbacks and under the same condition: rule %q at %s:%d",
					r.Name, contradiction(other.Reply, r.Reply), other.Name, other.File, other.Line)
				break
			}
			if len(first[k]) < 8 { // those before say enough
				first[k] = append(first[k], r)
			}
		}
	}
}

// contradiction says what the second of two replies does that the first gainsays, or "".
func contradiction(first, second *Reply) string {
	switch {
	case first.Refuse && !second.Refuse:
		return "allows what another rule refuses"
	case !first.Refuse && second.Refuse:
		return "refuses what another rule allows"
	case first.Refuse && (first.Code != second.Code || first.Message != second.Message):
		return "refuses with another code or message than the rule that counts"
	}
	for _, f := range second.Fields {
		for _, other := range first.Fields {
			if f.Name == other.Name && !bytes.Equal(f.Raw, other.Raw) {
				return "sets " + f.Name + " to another value than the rule that counts"
			}
		}
	}
	return ""
}

// checkTwins finds rules that do what another one does, under the same condition.
func (a *analysis) checkTwins() {
	first := map[string]*outline{}
	for _, r := range a.ordered() {
		if a.never[r] {
			continue
		}
		key := a.sameness(r) + "\x00" + r.deeds()
		if other := first[key]; other != nil {
			r.from.warn(r.at, idTwin, "one of the two is enough", "rule %q does the same as rule %q at %s:%d, for the same callbacks and under the same condition", r.Name, other.Name, other.File, other.Line)
			continue
		}
		first[key] = r
	}
}

// deeds writes what a rule is for and does.
func (o *outline) deeds() string {
	var b strings.Builder
	names := append(shortNames(o.Callbacks), o.Unknown...)
	slices.Sort(names)
	notify := slices.Sorted(slices.Values(o.Notify))
	fmt.Fprintf(&b, "%q %q %t %t", names, notify, o.Stop, o.MatchOnErr)
	if o.Await != nil {
		fmt.Fprintf(&b, " await %q %+v %s %v", o.Await.Sinks, o.Await.Policy, o.Await.Deadline, o.Await.Merge)
		for _, sink := range o.Await.Sinks {
			fmt.Fprintf(&b, " %v", o.vote(sink, openim.Failed))
		}
		if o.Await.Linger != nil {
			fmt.Fprintf(&b, " linger %t", *o.Await.Linger)
		}
	}
	if o.Reply != nil {
		fmt.Fprintf(&b, " reply %+v", *o.Reply)
	}
	return b.String()
}
