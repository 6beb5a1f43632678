package rules

import (
	"slices"
	"strings"
	"time"

	"callboard/openim"
	"callboard/rules/formula"
	"callboard/rules/prove"
)

// An analysis looks at a table that has no errors for what may not be meant. What it compares are the formulas of
// conditions; what those do not tell it passes over in silence.
type analysis struct {
	*loader
	truth map[*outline]formula.Formula
	never map[*outline]bool // rules that match no callback or are never reached
}

// analyseAll finds what does no harm yet may not be meant.
func (l *loader) analyseAll() {
	a := &analysis{loader: l, truth: make(map[*outline]formula.Formula, len(l.rules)), never: l.unreached}
	for _, r := range l.rules {
		a.truth[r] = r.whenTrue()
		if r.cond != nil && r.secrets == nil {
			a.checkTruth(r)
		}
	}
	a.checkShadowed()
	a.checkVerdicts()
	a.checkTwins()
	a.checkAttempts()
	a.checkScanned()
}

// whenTrue returns what makes a rule match. What references stand for may be otherwise elsewhere, so that nothing follows
// from a condition that has any.
func (o *outline) whenTrue() formula.Formula {
	switch {
	case o.cond == nil:
		return formula.Always
	case o.secrets != nil:
		return formula.Formula{}
	}
	return o.cond.WhenTrue()
}

// checkTruth finds a condition that is true of no callback, or of none of one command, or of all.
func (a *analysis) checkTruth(r *outline) {
	if r.always {
		return
	}
	if why, never := prove.Contradiction(a.truth[r]); never {
		a.never[r] = true
		r.from.warn(r.conditionAt(), idNeverMatches, onErrorHint(r), "rule %q can never match: %s", r.Name, why)
		return
	}
	var without []*openim.Command
	var reasons []string
	for _, c := range r.Callbacks {
		if why, never := prove.Contradiction(of(c, a.truth[r])); never {
			without, reasons = append(without, c), append(reasons, r.whyNot(c, why))
		}
	}
	switch {
	case len(without) > 0 && len(without) == len(r.Callbacks) && len(r.Unknown) == 0:
		a.never[r] = true
		r.from.warn(r.conditionAt(), idNeverMatches, onErrorHint(r), "rule %q can never match: %s", r.Name, strings.Join(reasons, "; "))
		return
	case len(without) > 0:
		r.from.warn(r.placeOf("callbacks"), idNeverForCallback, "take it out of callbacks, or give it a rule of its own",
			"rule %q can never match %s: %s", r.Name, strings.Join(shortNames(without), ", "), strings.Join(reasons, "; "))
	}
	if a.alwaysTrue(r) {
		r.from.warn(r.conditionAt(), idAlwaysMatches, "a rule without when matches every callback of its commands", "the condition of rule %q is never false", r.Name)
	}
}

// alwaysTrue reports whether a condition is false of no callback that the rule is for.
func (a *analysis) alwaysTrue(r *outline) bool {
	f := r.cond.WhenFalse()
	if _, never := prove.Contradiction(f); never {
		return true
	}
	for _, c := range r.Callbacks {
		if _, never := prove.Contradiction(of(c, f)); !never {
			return false
		}
	}
	return len(r.Callbacks) > 0 && len(r.Unknown) == 0
}

// of returns a formula for the callbacks of one command: what they carry no field for is empty.
func of(c *openim.Command, f formula.Formula) formula.Formula {
	return prove.Given(f, func(a *formula.Atom) (holds, known bool) {
		switch {
		case a.Field.Root == formula.Command:
			return prove.Equals(a, c.Name)
		case a.Field.Root == formula.OfField && a.Field.Path == "":
			if _, carried := c.Field(a.Field.Name); !carried {
				return prove.Absent(a)
			}
		}
		return false, false
	})
}

// whyNot says why no callback of a command fulfils the condition.
func (o *outline) whyNot(c *openim.Command, why string) string {
	var lacks []string
	for _, name := range o.cond.Reads() {
		_, carried := c.Field(name)
		isField := slices.ContainsFunc(openim.Commands(), func(c *openim.Command) bool { _, ok := c.Field(name); return ok })
		if isField && !carried {
			lacks = append(lacks, name)
		}
	}
	switch {
	case lacks != nil:
		return c.Short + " carries no " + strings.Join(lacks, ", ")
	case slices.Contains(o.cond.Reads(), "command"):
		return "the condition is about other commands than " + c.Short
	}
	return why
}

// conditionAt is the place of the condition.
func (o *outline) conditionAt() place {
	full := o.draft()
	return full.from.place(full.condition)
}

func onErrorHint(r *outline) string {
	if r.MatchOnErr {
		return "but for on_error: match, when the condition fails"
	}
	return ""
}

// includes reports whether every command that other is for is one that the rule is for.
func (o *outline) includes(other *outline) bool {
	if o.forAll() {
		return true
	}
	return !other.forAll() &&
		!slices.ContainsFunc(other.Callbacks, func(c *openim.Command) bool { return !slices.Contains(o.Callbacks, c) }) &&
		!slices.ContainsFunc(other.Unknown, func(name string) bool { return !slices.Contains(o.Unknown, name) })
}

// checkAttempts finds sinks whose attempts, each as long as it may be, do not fit into any await.
func (l *loader) checkAttempts() {
	longest := l.longestAwaits()
	for _, s := range l.sinks {
		r := longest[s.Name]
		if r == nil {
			continue
		}
		waits := l.waits(r)
		if at, own := s.has["hedge"]; own && s.Hedge >= waits {
			s.from.warn(at, idHedge, "", "the hedge of %s is never sent: rule %q, which waits longest for sink %q, ends after %s", short(s.Hedge), r.Name, s.Name, short(waits))
		}
		at, own := s.has["retry"]
		if !own || s.Attempts < 2 || s.Timeout == 0 || s.Timeout > waits {
			continue
		}
		if before := time.Duration(s.Attempts-1) * s.Timeout; before >= waits {
			s.from.warn(at, idAttempts, "a shorter timeout, or fewer attempts",
				"attempt %d comes too late when those before it time out: %d of %s are %s, and rule %q, which waits longest for sink %q, ends after %s",
				s.Attempts, s.Attempts-1, short(s.Timeout), short(before), r.Name, s.Name, short(waits))
		}
	}
}
