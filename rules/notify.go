package rules

import (
	"fmt"
	"slices"

	"callboard/openim"
	"callboard/rules/when"
)

// A target is a sink that a rule notifies.
type target struct {
	sink *Sink
	key  *when.Key // of its order_by, nil for no order
}

// notify reads the sinks that a rule notifies. What it says replaces what defaults say, so that it may say none.
func (d *decoder) notify(n *node, r *ruleDraft) {
	inherited := len(r.Notify) > 0
	r.Notify, r.notifyAt = nil, nil
	items, ok := d.items(n, "notify", true)
	if ok && len(items) == 0 && !inherited {
		d.fail(d.place(d.resolve(n)), idEmptyList, "leave the key out", "notify names no sinks")
	}
	r.Notify, r.notifyAt = d.sinkNames(items, "notified")
}

// sinkNames reads names of sinks, each once, with their places.
func (d *decoder) sinkNames(items []*node, done string) (names []string, at []place) {
	for _, item := range items {
		name, ok := d.literal(item, "the name of a sink")
		if !ok {
			continue
		}
		if slices.Contains(names, name) {
			d.fail(d.place(item), idDuplicateItem, "", "sink %q is %s twice", name, done)
			continue
		}
		names = append(names, name)
		at = append(at, d.place(item))
	}
	return names, at
}

// checkNotify finds sinks that a rule asks and notifies.
func (d *decoder) checkNotify(r *ruleDraft) {
	if r.Await == nil {
		return
	}
	for i, name := range r.Notify {
		if slices.Contains(r.Await.Sinks, name) {
			d.warn(r.notifyAt[i], idToldTwice, "notify brings it also what it did not answer in time; where that does not matter, await is enough",
				"rule %q asks and notifies sink %q, which gets the callback twice", r.Name, name)
		}
	}
}

// compileKeys compiles the order_by of sinks: for the callbacks of the rules that notify the sink.
func (l *loader) compileKeys() {
	for _, s := range l.sinks {
		if s.orderBy == nil {
			continue
		}
		of := ""
		if _, own := s.has["order_by"]; !own { // defaults stand for many sinks
			of = fmt.Sprintf(" (for sink %q)", s.Name)
		}
		s.key = s.from.compileKey(s.orderBy, commandsOf(s.notifiedBy, l.pace), of)
	}
}

// commandsOf returns the commands that rules are for together, nil for all.
func commandsOf(rules []*outline, with *pace) []*openim.Command {
	var commands []*openim.Command
	for i, r := range rules {
		with.breathe(i)
		if len(r.Callbacks) == 0 || len(r.Unknown) > 0 { // a command that nobody knows may carry any field
			return nil
		}
		for _, c := range r.Callbacks {
			if !slices.Contains(commands, c) {
				commands = append(commands, c)
			}
		}
	}
	return commands
}

// ordered reports whether a sink that the rule notifies has an order.
func (r *Rule) ordered() bool {
	return slices.ContainsFunc(r.targets, func(t target) bool { return t.key != nil })
}

// notify adds the sinks of a rule that matched. scope may be nil where the rule is not ordered.
func (p *Plan) notify(r *Rule, scope *when.Scope) {
	if p.Notify == nil {
		p.Notify = make([]Notice, 0, max(4, len(r.targets)))
	}
	for _, t := range r.targets {
		i := slices.IndexFunc(p.Notify, func(n Notice) bool { return n.Sink == t.sink })
		if i >= 0 {
			p.Notify[i].Rules = append(p.Notify[i].Rules, r.Name)
			continue
		}
		n := Notice{Sink: t.sink, Rules: r.alone}
		if t.key != nil {
			key, err := scope.Key(t.key)
			if err != nil {
				p.Notes = append(p.Notes, fmt.Sprintf("the delivery to %s has no order: its order_by failed: %v", t.sink.Name, err))
			}
			n.Key = shortKey(key)
		}
		p.Notify = append(p.Notify, n)
	}
}
