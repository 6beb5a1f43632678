package rules

import (
	"strings"

	"callboard/rules/formula"
	"callboard/rules/when"
)

// Indexing says how a rule is found among the others.
type Indexing struct {
	By      string // what a callback must have for the rule to be looked at: `groupID == "g1"`, "" when it is scanned
	Because string // why it is scanned: looked at for every callback of its commands; or why it is never looked at
	Rewrite string // a condition that says the same and can be indexed, "" when none is known
}

// Indexing says how the index finds a rule, by its place in Rules. By what may depend on the other rules of the Set: the index
// takes what selects best among all that a condition makes necessary. It is worked out anew each time.
func (s *Set) Indexing(place int) Indexing {
	r := s.Rules[place]
	if r.cond == nil {
		return Indexing{Because: "it has no condition"}
	}
	gaps := r.cond.Gaps()
	if r.cond.Candidate().Op == formula.Nothing {
		i := Indexing{Because: "its condition is never true"}
		if len(gaps) > 0 {
			i.Because, i.Rewrite = "never: "+gaps[0].Because, gaps[0].Rewrite
		}
		return r.concealed(i)
	}
	ways := s.index.Found(uint32(place))
	if len(ways) == 0 || onlyByCommand(ways) {
		return r.concealed(scanned(gaps))
	}
	texts := make([]string, len(ways))
	for i, atoms := range ways {
		texts[i] = wayText(atoms)
	}
	return r.concealed(Indexing{By: strings.Join(texts, " or ")})
}

// onlyByCommand reports whether every callback of some commands finds the rule.
func onlyByCommand(ways [][]*formula.Atom) bool {
	for _, atoms := range ways {
		for _, a := range atoms {
			if a.Field.Root != formula.Command || a.Kind != formula.OneOf {
				return false
			}
		}
	}
	return true
}

// wayText names one atom, or the fields that make a key together.
func wayText(atoms []*formula.Atom) string {
	if len(atoms) == 1 {
		return atoms[0].String()
	}
	names := make([]string, len(atoms))
	for i, a := range atoms {
		names[i] = a.Field.Name
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// scanned tells why a condition excludes no callback: what can fail comes first, since it hides the rest.
func scanned(gaps []when.Gap) Indexing {
	if len(gaps) == 0 {
		return Indexing{Because: "its condition is true of every callback"}
	}
	told := gaps[0]
	for _, g := range gaps {
		if g.Hides && (g.Rewrite != "" || !told.Hides) {
			told = g
		}
	}
	return Indexing{Because: told.Text + ": " + told.Because, Rewrite: told.Rewrite}
}

// concealed puts references back in place of the secrets they stand for.
func (r *Rule) concealed(i Indexing) Indexing {
	for _, s := range r.secrets {
		if s.value != "" {
			i.By, i.Because, i.Rewrite = s.hideIn(i.By), s.hideIn(i.Because), s.hideIn(i.Rewrite)
		}
	}
	return i
}
