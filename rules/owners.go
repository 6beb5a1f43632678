package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"callboard/internal/diag"
	"callboard/rules/formula"
)

// giveOwners finds each file's team, and gives the rules of the file to it.
func (l *loader) giveOwners() {
	l.teamOf = map[*source]*teamDraft{}
	if l.folder != nil {
		for _, s := range l.sources {
			if !isFolderFile(s.name) {
				l.teamOf[s] = l.ownerOf(s)
			}
		}
		l.checkTeams()
	}
	for _, d := range l.dedups {
		if t := l.teamOf[d.from.source]; t != nil && t.powers != nil && !slices.Contains(t.powers, "dedup") {
			d.from.fail(d.at, idBeyondLimits, t.hint("powers"), "dedup counts for the rules of all files: team %s has no power to set it", t.name)
		}
	}
	for i, r := range l.rules {
		l.pace.breathe(i)
		t := l.teamOf[r.from.source]
		if t == nil {
			r.give(r.wrote)
			continue
		}
		r.give(cmp.Or(r.wrote, t.name))
		if r.Owner != t.name {
			r.from.warn(r.placeOf("owner"), idOtherOwner, t.hint(""), "rule %q says that %s owns it, but its file belongs to %s", r.Name, r.Owner, t.name)
		}
	}
}

// give makes a team the owner of a rule; of a copy where the rule is part of a Set.
func (o *outline) give(team string) {
	if o.Owner == team {
		return
	}
	if o.tied {
		again := *o.Rule
		o.Rule = &again
	}
	o.Owner = team
}

// checkTeams finds files of teams that are not there.
func (l *loader) checkTeams() {
	for _, t := range l.folder.teams {
		for _, p := range t.files {
			if !slices.ContainsFunc(l.sources, func(s *source) bool { return !isFolderFile(s.name) && p.matches.MatchString(l.path(s.name)) }) {
				t.from.warn(p.at, idTeamWithoutFiles, "paths are below the folder that "+FolderFile+" is in", "no rules file matches %q of team %q", p.text, t.name)
			}
		}
	}
}

// ownerOf returns the team of a rules file, nil when it has none.
func (l *loader) ownerOf(s *source) *teamDraft {
	var owner *teamDraft
	for _, t := range l.folder.teams {
		for _, p := range t.files {
			switch {
			case !p.matches.MatchString(l.path(s.name)) || owner == t:
			case owner != nil:
				t.from.fail(p.at, idTwoOwners, "", "%s belongs to team %q already (line %d)", l.path(s.name), owner.name, owner.line)
			default:
				owner = t
			}
		}
	}
	if owner == nil && l.folder.refuse {
		l.findings.add(s, diag.Error, place{}, idUnowned, fmt.Sprintf("add it to the files of a team in %s, which says unowned: refuse", l.folder.from.name), "no team owns this file")
	}
	return owner
}

// hint says where a team's limit stands.
func (t *teamDraft) hint(key string) string {
	line := t.line
	if at, ok := t.has[key]; ok {
		line = at.line
	}
	return fmt.Sprintf("see %s:%d", t.from.name, line)
}

// checkLimits finds rules that do more than their team may.
func (l *loader) checkLimits() {
	if l.folder == nil {
		return
	}
	definedBy := map[string]*teamDraft{} // sink name → team
	for _, s := range l.sinks {
		definedBy[s.Name] = l.teamOf[s.from.source]
	}
	for i, r := range l.rules {
		l.pace.breathe(i)
		t := l.teamOf[r.from.source]
		if t == nil {
			continue
		}
		t.checkCallbacks(r)
		t.checkSinks(r, definedBy)
		t.checkGroups(r)
		t.checkPowers(r)
		if r.Priority < t.least || r.Priority > t.most {
			t.refuse(r, r.placeOf("priority"), "priority", "priority %d: those of team %s are from %d to %d", r.Priority, t.name, t.least, t.most)
		}
	}
}

// refuse reports a rule that goes beyond a limit.
func (t *teamDraft) refuse(r *outline, at place, key, format string, args ...any) {
	r.from.fail(at, idBeyondLimits, t.hint(key), "rule %q may not have "+format, append([]any{r.Name}, args...)...)
}

func (t *teamDraft) checkCallbacks(r *outline) {
	if _, limited := t.has["callbacks"]; !limited || len(t.callbacks)+len(t.unknown) == 0 { // "*"
		return
	}
	allowed := strings.Join(append(shortNames(t.callbacks), t.unknown...), ", ")
	if len(r.Callbacks)+len(r.Unknown) == 0 {
		t.refuse(r, r.placeOf("callbacks"), "callbacks", "all callbacks: those of team %s are %s", t.name, allowed)
		return
	}
	var beyond []string
	for _, c := range r.Callbacks {
		if !slices.Contains(t.callbacks, c) {
			beyond = append(beyond, c.Short)
		}
	}
	for _, name := range r.Unknown {
		if !slices.Contains(t.unknown, name) {
			beyond = append(beyond, name)
		}
	}
	if beyond != nil {
		t.refuse(r, r.placeOf("callbacks"), "callbacks", "callbacks %s: those of team %s are %s", strings.Join(beyond, ", "), t.name, allowed)
	}
}

// checkSinks lets a team use the sinks that its own files define, and those that it is given.
func (t *teamDraft) checkSinks(r *outline, definedBy map[string]*teamDraft) {
	if t.sinks == nil {
		return
	}
	check := func(name string, at func(*ruleDraft) place) {
		if definedBy[name] != t && !matchesAny(t.sinks, name) {
			t.refuse(r, at(r.draft()), "sinks", "sink %s: team %s may use %s, and those of its own files", name, t.name, texts(t.sinks))
		}
	}
	for i, name := range r.Notify {
		check(name, func(full *ruleDraft) place { return full.notifyAt[i] })
	}
	if r.Await != nil {
		for i, name := range r.Await.Sinks {
			check(name, func(full *ruleDraft) place { return full.await.sinkAt[i] })
		}
	}
}

func (t *teamDraft) checkPowers(r *outline) {
	if t.powers == nil {
		return
	}
	if r.Stop && !slices.Contains(t.powers, "stop") {
		t.refuse(r, r.placeOf("stop"), "powers", "stop: team %s has no power to stop", t.name)
	}
	if slices.Contains(t.powers, "refuse") {
		return
	}
	before, _ := r.phases()
	switch {
	case r.Reply != nil && r.Reply.Refuse:
		t.refuse(r, r.placeOf("reply"), "powers", "a refusal: team %s has no power to refuse", t.name)
	case r.Await != nil && before:
		t.refuse(r, r.placeOf("await"), "powers", "an await before the fact, since a vote may refuse: team %s has no power to refuse", t.name)
	}
}

// checkGroups wants a condition that no callback of another group meets.
func (t *teamDraft) checkGroups(r *outline) {
	if t.groups == nil {
		return
	}
	if why := t.beyondGroups(r); why != "" {
		t.refuse(r, r.placeOf("when"), "groups", "%s: the groups of team %s are %s", why, t.name, texts(t.groups))
	}
}

// beyondGroups says in which way a rule is not limited to the team's groups, "" when it is.
func (t *teamDraft) beyondGroups(r *outline) string {
	switch {
	case r.cond == nil && r.always:
		return "callbacks of all groups"
	case r.cond == nil: // it is wrong otherwise
		return ""
	case t.holdsGroup(r.cond.Candidate()), !r.MatchOnErr && t.holdsGroup(r.cond.WhenTrue()): // the first costs nothing
		return ""
	}
	return "a condition that does not limit groupID to them"
}

// holdsGroup reports whether a formula leaves only groups of the team.
func (t *teamDraft) holdsGroup(f formula.Formula) bool {
	switch f.Op {
	case formula.Nothing:
		return true
	case formula.All:
		return slices.ContainsFunc(f.Of, t.holdsGroup)
	case formula.Some:
		return !slices.ContainsFunc(f.Of, func(part formula.Formula) bool { return !t.holdsGroup(part) })
	case formula.Leaf:
		a := f.Atom
		isGroup := a.Field.Root == formula.OfField && a.Field.Path == "" && strings.EqualFold(a.Field.Name, "groupID")
		if !isGroup || a.View != formula.Plain || a.Kind != formula.OneOf && a.Kind != formula.HasPrefix {
			return false
		}
		return len(a.Texts) == a.Len() && !slices.ContainsFunc(a.Texts, func(text string) bool {
			return !slices.ContainsFunc(t.groups, func(p pattern) bool { return p.covers(text, a.Kind == formula.HasPrefix) })
		})
	}
	return false
}

// covers reports whether a text, or everything that begins with it, matches a pattern for groups.
func (p pattern) covers(text string, begins bool) bool {
	prefix, open := strings.CutSuffix(p.text, "*")
	if open {
		return strings.HasPrefix(text, prefix)
	}
	return !begins && text == p.text
}
