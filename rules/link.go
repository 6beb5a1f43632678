package rules

import (
	"cmp"
	"slices"

	"callboard/openim"
	"callboard/rules/when"
)

// A link is what a table has under the name of a sink.
type link struct {
	read *sinkDraft  // as its file says it
	vote openim.Vote // what failed votes count as by the sink's own word
	target
}

// set makes the table of what was read without an error. Rules that are in a Set already stay as they are where their
// sinks do.
func (l *Loader) set(table *loader, drafts []*fileDraft) *Set {
	s := &Set{Revision: revision(drafts), Dedup: table.dedup()}
	links := make(map[string]*link, len(table.sinks))
	changed := map[string]bool{} // sink name → its link is another one
	for _, draft := range table.sinks {
		k := l.links[draft.Name]
		if k == nil || k.read != draft.read || k.key != draft.key || !k.sink.Shaper.Same(draft.Shaper) {
			sink := draft.Sink
			k = &link{draft.read, draft.onFailure, target{&sink, draft.key}}
			changed[sink.Name] = true
		}
		links[draft.Name] = k
		s.Sinks = append(s.Sinks, k.sink)
	}
	l.links = links
	slices.SortFunc(s.Sinks, func(a, b *Sink) int { return cmp.Compare(a.Name, b.Name) })
	s.Rules = make([]*Rule, len(table.rules))
	for i, r := range table.ordered() {
		table.pace.breathe(i)
		if !r.tied || len(changed) > 0 && r.names(changed) {
			r.tie(links)
		}
		s.Rules[i] = r.Rule
		s.reads.note(r.Rule)
	}
	s.env = when.NewEnvOf(table.pace.conds(table.conds()), table.keys()...)
	s.index = l.index(table.ordered(), table.pace)
	return s
}

// names reports whether the rule asks or notifies one of some sinks.
func (o *outline) names(sinks map[string]bool) bool {
	for _, name := range o.Notify {
		if sinks[name] {
			return true
		}
	}
	if o.Await != nil {
		for _, name := range o.Await.Sinks {
			if sinks[name] {
				return true
			}
		}
	}
	return false
}

// tie makes the rule part of a Set with its sinks; as a copy where it is part of another.
func (o *outline) tie(links map[string]*link) {
	r := o.Rule
	if o.tied {
		again := *r
		r = &again
	}
	r.targets = make([]target, 0, len(r.Notify))
	for _, name := range r.Notify {
		r.targets = append(r.targets, links[name].target)
	}
	if r.Await != nil {
		await := *r.Await
		await.OnFailure = nil
		for _, sink := range await.Sinks {
			await.setVote(sink, o.vote(sink, links[sink].vote))
		}
		r.Await = &await
	}
	r.alone = []string{r.Name}
	o.Rule, o.tied = r, true
}
