package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"callboard/internal/diag"
	"callboard/openim"
)

// check finds what is wrong between the parts of the table, over all its files.
func (l *loader) check(files []File) {
	if len(files) == 0 {
		l.fail(idNoFiles, "put a *.yaml file with rules into the folder; an empty table must be asked for: `rules: []`", "there are no rules files")
		return
	}
	if len(l.rules) == 0 && !l.noRules && !diag.HasErrors(l.findings.list) {
		l.fail(idNoRules, "a table without rules must be asked for: `rules: []`", "no file has rules")
	}
	l.checkNames()
	l.checkReferences()
	l.compileKeys()
	l.compileShapes()
	l.checkDedup()
	l.checkTimeouts()
	l.checkLimits()
	if !diag.HasErrors(l.findings.list) { // else what could not be read may be what is missed
		l.checkUnused()
		l.checkIdleSettings()
		l.checkReach()
		l.checkExpiry()
		if l.analyse {
			l.analyseAll()
		}
	}
}

// fail reports what is wrong with the table as a whole.
func (l *loader) fail(id, hint, message string) {
	l.findings.add(&source{}, diag.Error, place{}, id, hint, message)
}

// checkNames finds names that are given twice, in one file or in two.
func (l *loader) checkNames() {
	sinks := map[string]*sinkDraft{} // name → where it stands first
	for _, s := range l.sinks {
		if first := sinks[s.Name]; first != nil {
			s.from.fail(s.at, idDuplicateSink, "", "sink %q is already defined at %s:%d", s.Name, first.File, first.Line)
			continue
		}
		sinks[s.Name] = s
	}
	rules := make(map[string]*outline, len(l.rules))
	for i, r := range l.rules {
		l.pace.breathe(i)
		if first := rules[r.Name]; first != nil && r.Name != "" {
			r.from.fail(r.at, idDuplicateRule, "", "rule %q is already defined at %s:%d", r.Name, first.File, first.Line)
			continue
		}
		rules[r.Name] = r
	}
}

// checkReferences finds sinks that rules name and nobody defines.
func (l *loader) checkReferences() {
	sinks := map[string]*sinkDraft{}
	for _, s := range l.sinks {
		sinks[s.Name] = s
	}
	names := slices.Sorted(maps.Keys(sinks))
	for n, r := range l.rules {
		l.pace.breathe(n)
		for i, name := range r.Notify {
			if s := sinks[name]; s != nil {
				s.notifiedBy = append(s.notifiedBy, r)
				continue
			}
			full := r.draft()
			full.from.unknownSink(full.notifyAt[i], name, names)
		}
		if r.Await == nil {
			continue
		}
		for i, name := range r.Await.Sinks {
			if sinks[name] == nil {
				full := r.draft()
				full.from.unknownSink(full.await.sinkAt[i], name, names)
				continue
			}
			sinks[name].asked = true
			sinks[name].askedBy = append(sinks[name].askedBy, r)
		}
	}
	for _, d := range l.defaults {
		for i, name := range d.rules.Notify {
			if sinks[name] == nil {
				d.from.unknownSink(d.rules.notifyAt[i], name, names)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(d.rules.await.failed.bySink)) {
			if sinks[name] == nil {
				d.from.unknownSink(d.rules.await.failed.at[name], name, names)
			}
		}
	}
}

// checkUnused finds sinks that no rule asks or notifies.
func (l *loader) checkUnused() {
	for _, s := range l.sinks {
		if !s.asked && s.notifiedBy == nil {
			s.from.warn(s.at, idUnusedSink, "", "no rule asks or notifies sink %q", s.Name)
		}
	}
}

func (d *decoder) unknownSink(at place, name string, names []string) {
	hint := "no file defines a sink"
	if len(names) > 0 {
		hint = "sinks: " + strings.Join(names, ", ")
	}
	if near := diag.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	d.fail(at, idUnknownSink, hint, "unknown sink %q", name)
}

// checkTimeouts finds sinks whose own timeout no rule ever lets pass.
func (l *loader) checkTimeouts() {
	longest := l.longestAwaits()
	for _, s := range l.sinks {
		at, own := s.has["timeout"]
		r := longest[s.Name]
		if !own || r == nil || s.notifiedBy != nil || s.Timeout <= l.waits(r) {
			continue
		}
		s.from.warn(at, idTimeout, "a timeout below the deadline leaves time for a second attempt",
			"the timeout of %s is never reached: rule %q, which waits longest for sink %q, ends after %s", short(s.Timeout), r.Name, s.Name, short(l.waits(r)))
	}
}

// longestAwaits maps the name of a sink to the rule that waits longest for it.
func (l *loader) longestAwaits() map[string]*outline {
	longest := map[string]*outline{}
	for i, r := range l.rules {
		l.pace.breathe(i)
		if r.Await == nil {
			continue
		}
		for _, name := range r.Await.Sinks {
			if best := longest[name]; best == nil || l.waits(r) > l.waits(best) {
				longest[name] = r
			}
		}
	}
	return longest
}

func (l *loader) waits(r *outline) time.Duration { return cmp.Or(r.Await.Deadline, l.answerWithin) }

// checkReach finds rules that an earlier rule without a condition keeps from ever being reached.
func (l *loader) checkReach() {
	if !slices.ContainsFunc(l.rules, (*outline).stopsAll) {
		return
	}
	var everything *outline                   // the rule that stops all callbacks
	stopped := map[*openim.Command]*outline{} // command → the rule that stops it
	stoppedUnknown := map[string]*outline{}   // the same for commands outside the catalogue
	for i, r := range l.ordered() {
		l.pace.breathe(i)
		all := len(r.Callbacks) == 0 && len(r.Unknown) == 0
		by := everything
		if by == nil && !all {
			by = stopper(r, stopped, stoppedUnknown)
		}
		if by != nil {
			l.unreached[r] = true
			r.from.warn(r.at, idUnreachable, "", "rule %q is never reached: rule %q at %s:%d has no condition and stops", r.Name, by.Name, by.File, by.Line)
			continue
		}
		if !r.stopsAll() {
			continue
		}
		if all {
			everything = r
		}
		for _, c := range r.Callbacks {
			stopped[c] = cmp.Or(stopped[c], r)
		}
		for _, name := range r.Unknown {
			stoppedUnknown[name] = cmp.Or(stoppedUnknown[name], r)
		}
	}
}

// stopper returns the last of the rules that stop a rule's callbacks, nil when one callback gets through.
func stopper(r *outline, stopped map[*openim.Command]*outline, unknown map[string]*outline) *outline {
	var by *outline
	for _, c := range r.Callbacks {
		if by = stopped[c]; by == nil {
			return nil
		}
	}
	for _, name := range r.Unknown {
		if by = unknown[name]; by == nil {
			return nil
		}
	}
	return by
}
