package rules

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"callboard/openim"
)

// A ruleDraft is a rule while the files are read: the rule and where its parts stand.
type ruleDraft struct {
	Rule
	from      *decoder
	at        place            // its name, or its beginning
	start     int              // line of its beginning
	has       map[string]place // its keys, without those of defaults
	condition *node            // of when
	await     awaitDraft
	notifyAt  []place // of Notify
	reply     replyDraft
}

const (
	longestName     = 100
	highestPriority = 1_000_000_000
)

var ruleKeys = keys[ruleDraft]{
	what: "a rule",
	known: append([]key[ruleDraft]{
		{"name", (*decoder).ruleName},
		{"description", func(d *decoder, n *node, r *ruleDraft) { d.description(n, &r.Description) }},
		{"callbacks", (*decoder).callbacks},
		{"when", (*decoder).when},
		{"await", (*decoder).await},
		{"notify", (*decoder).notify},
		{"reply", (*decoder).reply},
		{"priority", func(d *decoder, n *node, r *ruleDraft) {
			d.count(n, "priority", -highestPriority, highestPriority, &r.Priority)
		}},
		{"stop", func(d *decoder, n *node, r *ruleDraft) { d.boolean(n, "stop", &r.Stop) }},
		{"on_error", func(d *decoder, n *node, r *ruleDraft) {
			choice(d, n, "on_error", onErrorWords, []bool{false, true}, &r.MatchOnErr)
		}},
	}, metadataKeys...),
}

var onErrorWords = []string{"skip", "match"}

// defaultRuleKeys are what defaults.rules may set: what many rules of a file have in common.
var defaultRuleKeys = keys[ruleDraft]{
	what: "defaults of rules",
	known: append(
		ruleKeys.without("", "name", "description", "when", "await", "reply", "stop").known,
		key[ruleDraft]{"await", func(d *decoder, n *node, r *ruleDraft) { readMapping(d, n, defaultAwaitKeys, &r.await) }},
	),
}

// rules reads the rules of a file over their defaults.
func (d *decoder) rules(n *node, defaults ruleDraft) []*ruleDraft {
	items, _ := d.items(n, "rules", false)
	var rules []*ruleDraft
	for i, item := range items {
		if i%10 == 9 {
			d.loading.pace.rest() // reading a rule takes longer than what breathe is for
		}
		r := defaults
		r.from, r.at, r.start = d, d.place(item), item.line
		r.File, r.Line = d.name, item.line
		r.await.startOver()
		has, ok := readMapping(d, item, ruleKeys, &r)
		if !ok || d.visits < 0 {
			continue
		}
		r.has = has
		d.checkRule(&r)
		rules = append(rules, &r)
	}
	return rules
}

func (d *decoder) ruleName(n *node, r *ruleDraft) {
	text, ok := d.literal(n, "the name of a rule")
	if !ok {
		return
	}
	r.at, r.Line = d.place(n), n.line
	printable := !strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
	if text == "" || strings.TrimSpace(text) != text || !printable || utf8.RuneCountInString(text) > longestName {
		d.fail(r.at, idName, fmt.Sprintf("printable, without spaces around it, %d characters at most", longestName), "%q is no name for a rule", text)
	}
	r.Name = text
}

// callbacks reads command names: one or a list, or "*" for all.
func (d *decoder) callbacks(n *node, r *ruleDraft) {
	r.Callbacks, r.Unknown = nil, nil
	items, ok := d.items(n, "callbacks", true)
	if !ok {
		return
	}
	if len(items) == 0 {
		d.fail(d.place(n), idEmptyList, `leave the key out, or write "*", for all callbacks`, "callbacks names none")
	}
	for _, item := range items {
		name, ok := d.literal(item, "a callback")
		if !ok {
			continue
		}
		if name == "*" {
			if len(items) > 1 {
				d.fail(d.place(item), idCommandUnknown, "write it alone", `"*" stands for all callbacks`)
			}
			continue
		}
		d.callback(item, name, r)
	}
}

func (d *decoder) callback(n *node, name string, r *ruleDraft) {
	command, known := openim.Lookup(name)
	switch {
	case known && slices.Contains(r.Callbacks, command), !known && slices.Contains(r.Unknown, name):
		d.warn(d.place(n), idDuplicateItem, "", "callback %s is named twice", name)
	case known:
		r.Callbacks = append(r.Callbacks, command)
	case strings.HasPrefix(name, "callback") && len(name) > len("callback"):
		d.warn(d.place(n), idCommandUnknown, d.nearestCommand(name), "IMServer has no callback %q that is known here; the rule waits for it under this name", name)
		r.Unknown = append(r.Unknown, name)
	default:
		d.fail(d.place(n), idCommandUnknown, d.nearestCommand(name), "unknown callback %q", name)
	}
}

// nearestCommand returns a hint for an unknown callback.
func (d *decoder) nearestCommand(name string) string {
	if hint, ok := d.near[name]; ok {
		return hint
	}
	hint := "`callboard commands` lists all"
	if near := openim.Suggest(name); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	d.near[name] = hint
	return hint
}

// checkRule finds what is wrong with a rule by itself, and compiles its condition.
func (d *decoder) checkRule(r *ruleDraft) {
	if _, given := r.has["name"]; !given {
		d.fail(r.at, idMissingKey, "a name that says what the rule is for: traces and metrics show it", "this rule has no name")
	}
	_, awaits := r.has["await"]
	_, replies := r.has["reply"]
	_, notifies := r.has["notify"]
	if !awaits && !replies && !notifies && len(r.Notify) == 0 && !r.Stop && !r.hasUnknownKeys() {
		d.fail(r.at, idRuleIdle, "give it await, notify or reply, or stop: true to end matching", "this rule does nothing")
	}
	d.compile(r)
	d.checkAwait(r)
	d.checkDeadline(r)
	d.checkNotify(r)
	d.checkReply(r)
}

// hasUnknownKeys reports whether a key of the rule may be another one misspelled.
func (r *ruleDraft) hasUnknownKeys() bool {
	names := ruleKeys.names()
	for name := range r.has {
		if !slices.Contains(names, name) {
			return true
		}
	}
	return false
}

// phases reports whether the rule's callbacks include ones before and after the fact. Rules for all
// callbacks, and unknown ones, count as before.
func (r *Rule) phases() (before, after bool) {
	for _, c := range r.Callbacks {
		before = before || c.Phase == openim.Before
		after = after || c.Phase == openim.After
	}
	return before || len(r.Callbacks) == 0 || len(r.Unknown) > 0, after
}
