// Package compare tells how callbacks end differently with other rules.
//
// A Side is a set of rules that can be rehearsed; it makes an Outcome of a callback. Differences compares two outcomes, and a
// Report adds up what many callbacks came to, by rule and sink. Reading rules and callbacks is the business of others.
package compare

import (
	"bytes"
	"fmt"
	"slices"

	"callboard/openim"
)

// An Outcome is what came of a callback, as far as it matters outside. The order of its lists does not count.
type Outcome struct {
	Matched   []string // names of the rules that matched
	Failed    []string // names of the rules whose condition failed, whether or not on_error made them match
	Asked     []Part   // sinks that were asked
	Notified  []Part   // sinks that get it delivered
	Refused   bool
	Code      int32               // of a refusal
	Message   string              // of a refusal
	DecidedBy string              // the rule that refused, "" where none did
	Fields    []openim.FieldValue // that an allow sets
}

// A Part is the part of one sink.
type Part struct {
	Sink  string
	Key   string   // of the order of its deliveries, "" for none
	Rules []string // names of the rules that want it; nil where that is not known
}

// A Difference is one thing that a callback ends differently in.
type Difference struct {
	Kind  Kind
	Rule  string // that makes the difference, "" where no single one does
	Sink  string // of asked, notified and key, else ""
	Field string // of fields, else ""
	Was   string // with the base, in words; "" where the kind says it all
	Now   string // with the candidate
}

// Differences compares what came of one callback with two sets of rules. No two of them have the same kind, rule, sink and
// field. It is nil where both ended alike.
func Differences(base, candidate *Outcome) []Difference {
	var ds []Difference
	ds = appendVerdict(ds, base, candidate)
	ds = appendNames(ds, Failed, candidate.Failed, base.Failed)
	ds = appendNames(ds, NotFailed, base.Failed, candidate.Failed)
	ds = appendParts(ds, NotifiedMore, candidate.Notified, base.Notified)
	ds = appendParts(ds, NotifiedLess, base.Notified, candidate.Notified)
	for _, was := range base.Notified {
		if now := partOf(candidate.Notified, was.Sink); now != nil && now.Key != was.Key {
			ds = append(ds, Difference{Kind: KeyChanged, Sink: was.Sink, Was: keyText(was.Key), Now: keyText(now.Key)})
		}
	}
	ds = appendParts(ds, AskedMore, candidate.Asked, base.Asked)
	ds = appendParts(ds, AskedLess, base.Asked, candidate.Asked)
	ds = appendNames(ds, MatchedMore, candidate.Matched, base.Matched)
	ds = appendNames(ds, MatchedLess, base.Matched, candidate.Matched)
	return ds
}

func appendVerdict(ds []Difference, base, candidate *Outcome) []Difference {
	d := Difference{Rule: candidate.DecidedBy}
	switch {
	case candidate.Refused && !base.Refused:
		d.Kind = Refused
	case base.Refused && !candidate.Refused:
		d.Kind, d.Rule = NotRefused, base.DecidedBy
	case !base.Refused:
		return appendFields(ds, base.Fields, candidate.Fields)
	case base.Code != candidate.Code || base.Message != candidate.Message:
		d.Kind = CodeChanged
	default:
		return ds
	}
	d.Was, d.Now = base.verdictText(), candidate.verdictText()
	return append(ds, d)
}

// verdictText is a verdict as people read it: refuse (20401 "not here") by moderate-groups.
func (o *Outcome) verdictText() string {
	if !o.Refused {
		return "allow"
	}
	text := fmt.Sprintf("refuse (%d %q)", o.Code, o.Message)
	if o.DecidedBy != "" {
		text += " by " + o.DecidedBy
	}
	return text
}

func appendFields(ds []Difference, base, candidate []openim.FieldValue) []Difference {
	for _, now := range candidate {
		was := valueOf(base, now.Name)
		if !bytes.Equal(was, now.Raw) {
			ds = append(ds, Difference{Kind: FieldsChanged, Field: now.Name, Was: fieldText(was), Now: fieldText(now.Raw)})
		}
	}
	for _, was := range base {
		if valueOf(candidate, was.Name) == nil {
			ds = append(ds, Difference{Kind: FieldsChanged, Field: was.Name, Was: fieldText(was.Raw), Now: fieldText(nil)})
		}
	}
	return ds
}

func valueOf(fields []openim.FieldValue, name string) []byte {
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Raw
		}
	}
	return nil
}

// longestField bounds the value of a field in words, in bytes: a message may be long.
const longestField = 200

func fieldText(raw []byte) string {
	if raw == nil {
		return "not set"
	}
	if len(raw) > longestField {
		return string(bytes.ToValidUTF8(raw[:longestField], nil)) + "…"
	}
	return string(raw)
}

func keyText(key string) string {
	if key == "" {
		return "no key"
	}
	return fmt.Sprintf("key %q", key)
}

// appendNames adds what is in have and not in lack.
func appendNames(ds []Difference, kind Kind, have, lack []string) []Difference {
	for _, name := range have {
		if !slices.Contains(lack, name) {
			ds = append(ds, Difference{Kind: kind, Rule: name})
		}
	}
	return ds
}

// appendParts adds a difference for each rule that wants a sink which is in have and not in lack.
func appendParts(ds []Difference, kind Kind, have, lack []Part) []Difference {
	for _, p := range have {
		if partOf(lack, p.Sink) != nil {
			continue
		}
		if len(p.Rules) == 0 {
			ds = append(ds, Difference{Kind: kind, Sink: p.Sink})
		}
		for _, rule := range p.Rules {
			ds = append(ds, Difference{Kind: kind, Rule: rule, Sink: p.Sink})
		}
	}
	return ds
}

func partOf(parts []Part, sink string) *Part {
	for i := range parts {
		if parts[i].Sink == sink {
			return &parts[i]
		}
	}
	return nil
}
