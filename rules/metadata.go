package rules

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Metadata is what a rule's author says about the rule for people. It changes nothing about matching. The zero value says
// nothing.
type Metadata struct {
	Owner   string            // the team that answers for it; by default the one that callboard.yaml gives its file to
	Runbook string            // URL of what to do when it misbehaves
	Labels  map[string]string // nil when there are none
	Expires time.Time         // midnight (UTC) of the last day on which the rule is wanted; zero: it stays
}

// Expired reports whether the last day on which the rule is wanted is over. A rule that expired still works: it is a finding.
func (m *Metadata) Expired(now time.Time) bool {
	return !m.Expires.IsZero() && !now.Before(m.Expires.AddDate(0, 0, 1))
}

const (
	longestOwner = 64
	mostLabels   = 32
	longestLabel = 200                 // of a value
	expirySoon   = 14 * 24 * time.Hour // before the last day is over
)

var (
	labelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$`)
	dateText  = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

// metadataKeys are the keys of a rule that are for people only.
var metadataKeys = []key[ruleDraft]{
	{"owner", func(d *decoder, n *node, r *ruleDraft) { d.team(n, "owner", &r.Owner) }},
	{"runbook", (*decoder).runbook},
	{"labels", (*decoder).labels},
	{"expires", (*decoder).expires},
}

// team reads the name of a team.
func (d *decoder) team(n *node, what string, into *string) {
	text, ok := d.literal(n, what)
	if !ok {
		return
	}
	if !isTeam(text) {
		d.fail(d.place(d.resolve(n)), idName, fmt.Sprintf("printable, without spaces around it, %d characters at most", longestOwner), "%q is no name for a team", text)
		return
	}
	*into = text
}

func isTeam(text string) bool {
	hidden := strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) })
	return text != "" && strings.TrimSpace(text) == text && !hidden && utf8.RuneCountInString(text) <= longestOwner
}

func (d *decoder) runbook(n *node, r *ruleDraft) {
	text, ok := d.literal(n, "the URL of a runbook")
	if !ok {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		d.fail(d.place(d.resolve(n)), idURL, "as in https://wiki.internal/moderation", "the runbook is no http or https URL")
		return
	}
	r.Runbook = text
}

// labels reads names and texts, over those of the file's defaults.
func (d *decoder) labels(n *node, r *ruleDraft) {
	pairs, _ := d.freePairs(n, "labels")
	labels := maps.Clone(r.Labels)
	if labels == nil {
		labels = make(map[string]string, len(pairs))
	}
	for _, p := range pairs {
		name, at := p.key.text, d.place(p.key)
		switch {
		case !labelName.MatchString(name):
			d.fail(at, idName, "letters, digits, dots, dashes, underscores and slashes, 63 at most", "%q is no name for a label", name)
			continue
		case p.value.kind == nullNode:
			d.fail(at, idNoValue, `an empty value is written ""`, "label %s has no value", name)
			continue
		}
		text, ok := d.literal(p.value, "the value of a label")
		if ok && utf8.RuneCountInString(text) > longestLabel {
			d.fail(d.place(d.resolve(p.value)), idOutOfRange, "", "label %s is longer than %d characters", name, longestLabel)
		}
		labels[name] = text
	}
	if len(labels) > mostLabels {
		d.fail(d.place(d.resolve(n)), idOutOfRange, "", "a rule has %d labels at most", mostLabels)
	}
	r.Labels = labels
}

func (d *decoder) expires(n *node, r *ruleDraft) {
	text, ok := d.literal(n, "expires")
	if !ok {
		return
	}
	day, err := time.Parse(time.DateOnly, text)
	if !dateText.MatchString(text) || err != nil {
		d.fail(d.place(d.resolve(n)), idWrongType, "the last day on which the rule is wanted, as in 2027-01-31", "expires is a day, not %q", text)
		return
	}
	r.Expires = day
}

// checkExpiry finds rules that nobody wants any more, and in an analysis those that soon nobody will.
func (l *loader) checkExpiry() {
	for i, r := range l.rules {
		l.pace.breathe(i)
		if r.Expires.IsZero() {
			continue
		}
		day := r.Expires.Format(time.DateOnly)
		switch {
		case r.Expired(l.now):
			r.from.warn(r.placeOf("expires"), idExpired, "take the rule out, or give it a later day", "rule %q was wanted until %s; it still works", r.Name, day)
		case l.analyse && r.Expired(l.now.Add(expirySoon)):
			r.from.warn(r.placeOf("expires"), idExpiresSoon, "it will still work then: take it out in time, or give it a later day", "rule %q is wanted until %s", r.Name, day)
		}
	}
}

// LabelNames returns the names of the labels, sorted.
func (m *Metadata) LabelNames() []string { return slices.Sorted(maps.Keys(m.Labels)) }
