package rules

import (
	"strings"

	"callboard/rules/formula"
	"callboard/rules/index"
	"callboard/rules/when"
)

// Indexing says how a rule is found among the others.
type Indexing struct {
	By      string // what a callback must have for the rule to be looked at: `groupID == "g1"`, "" when it is scanned
	Because string // why it is scanned: looked at for every callback of its commands; or why it is never looked at
	Rewrite string // what says the same as the part named in Because and can be indexed, "" when nothing is known
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
	if isScanned(ways) {
		return r.concealed(scanned(r.cond, gaps))
	}
	texts := make([]string, len(ways))
	for i, atoms := range ways {
		texts[i] = wayText(atoms)
	}
	return r.concealed(Indexing{By: strings.Join(texts, " or ")})
}

// isScanned reports whether every callback of some commands finds the rule.
func isScanned(ways [][]*formula.Atom) bool {
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

// scanned tells why a condition excludes no callback.
func scanned(c *when.Cond, gaps []when.Gap) Indexing {
	if len(gaps) == 0 {
		return Indexing{Because: "its condition is true of every callback"}
	}
	g, _ := mainGap(c, gaps)
	return Indexing{Because: g.Text + ": " + g.Because, Rewrite: g.Rewrite}
}

// mainGap returns the gap that explains the most: one whose rewrite is enough, else what can fail, since it hides the rest.
func mainGap(c *when.Cond, gaps []when.Gap) (g when.Gap, helps bool) {
	told := gaps[0]
	for _, g := range gaps {
		if g.Rewrite != "" && !isScanned(index.New([]index.Entry{{When: c.Rewritten(g)}}, func(int) {}).Found(0)) {
			return g, true
		}
		if g.Hides && (g.Rewrite != "" || !told.Hides) {
			told = g
		}
	}
	return told, false
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
