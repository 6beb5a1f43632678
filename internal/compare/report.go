package compare

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// A Sample is a callback that is named in a report.
type Sample struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Command  string    `json:"command" doc:"Short name, as in webhooks.yml."`
	GroupID  string    `json:"group_id,omitempty"`
	SenderID string    `json:"sender_id,omitempty"`
	Was      string    `json:"was,omitempty" doc:"With the base, in words."`
	Now      string    `json:"now,omitempty" doc:"With the candidate, in words."`

	place int64 // in the order of callbacks
}

// An Entry is all differences of one kind that one rule makes with one sink or field.
type Entry struct {
	Kind      Kind
	Rule      string
	Sink      string
	Field     string
	Callbacks int      // that differ so
	Samples   []Sample // the first of them
}

type entryKey struct {
	kind              Kind
	rule, sink, field string
}

// A Report adds up differences of many callbacks. The zero value keeps no samples. It is not safe for concurrent use.
type Report struct {
	// Samples bounds the samples of an entry.
	Samples int
	// MaxEntries bounds the entries; of differences beyond it only Unlisted tells. Zero means no bound.
	MaxEntries int

	Callbacks int                 // compared
	Different int                 // of them
	Totals    [lastKind + 1]int   // callbacks with a difference of the kind
	Uncertain map[string]int      // reason → callbacks compared although not all about them is known
	Assumed   map[string]int      // sink → callbacks in which its answer was assumed
	Guessed   int                 // callbacks in which any answer was assumed
	Doubted   int                 // callbacks that are uncertain for any reason
	Skipped   map[string]int      // reason → callbacks that were not compared
	Unlisted  int                 // differences that found no entry
	entries   map[entryKey]*Entry // by what they are
}

// Add adds one callback: what differs, and how it is called. place orders callbacks: samples are those that come first.
func (r *Report) Add(place int64, s Sample, ds []Difference) {
	r.Callbacks++
	if len(ds) == 0 {
		return
	}
	r.Different++
	var seen [lastKind + 1]bool
	for i := range ds {
		d := &ds[i]
		if !seen[d.Kind] {
			seen[d.Kind] = true
			r.Totals[d.Kind]++
		}
		e := r.entry(entryKey{d.Kind, d.Rule, d.Sink, d.Field})
		if e == nil {
			r.Unlisted++
			continue
		}
		e.Callbacks++
		s.Was, s.Now, s.place = d.Was, d.Now, place
		e.keep(s, r.Samples)
	}
}

// entry finds an entry or makes it, nil where there is no room.
func (r *Report) entry(key entryKey) *Entry {
	e := r.entries[key]
	if e != nil || r.MaxEntries > 0 && len(r.entries) >= r.MaxEntries {
		return e
	}
	if r.entries == nil {
		r.entries = map[entryKey]*Entry{}
	}
	e = &Entry{Kind: key.kind, Rule: key.rule, Sink: key.sink, Field: key.field}
	r.entries[key] = e
	return e
}

// keep keeps a sample if it is one of the first.
func (e *Entry) keep(s Sample, most int) {
	at, _ := slices.BinarySearchFunc(e.Samples, s, func(a, b Sample) int { return cmp.Compare(a.place, b.place) })
	e.Samples = slices.Insert(e.Samples, at, s)
	if len(e.Samples) > most {
		e.Samples = e.Samples[:most]
	}
}

// Skip counts a callback that is not compared.
func (r *Report) Skip(reason string) { count(&r.Skipped, reason, 1) }

// Doubt counts a callback, compared all the same, for the reasons that make its outcome uncertain. None is none.
func (r *Report) Doubt(reasons []string) {
	if len(reasons) > 0 {
		r.Doubted++
	}
	for _, reason := range reasons {
		count(&r.Uncertain, reason, 1)
	}
}

// Assume counts a callback for which the answers of sinks were assumed. None is none.
func (r *Report) Assume(sinks []string) {
	if len(sinks) > 0 {
		r.Guessed++
	}
	for _, sink := range sinks {
		count(&r.Assumed, sink, 1)
	}
}

func count(counts *map[string]int, name string, n int) {
	if *counts == nil {
		*counts = map[string]int{}
	}
	(*counts)[name] += n
}

// Merge adds what another report has, whose callbacks are others.
func (r *Report) Merge(o *Report) {
	r.Callbacks += o.Callbacks
	r.Different += o.Different
	r.Unlisted += o.Unlisted
	r.Guessed += o.Guessed
	r.Doubted += o.Doubted
	for k, n := range o.Totals {
		r.Totals[k] += n
	}
	for into, from := range map[*map[string]int]map[string]int{&r.Uncertain: o.Uncertain, &r.Assumed: o.Assumed, &r.Skipped: o.Skipped} {
		for name, n := range from {
			count(into, name, n)
		}
	}
	for key, other := range o.entries {
		e := r.entry(key)
		if e == nil {
			r.Unlisted += other.Callbacks
			continue
		}
		e.Callbacks += other.Callbacks
		for _, s := range other.Samples {
			e.keep(s, r.Samples)
		}
	}
}

// Entries returns what differs: by kind, then the most frequent first. They are the caller's.
func (r *Report) Entries() []Entry {
	list := make([]Entry, 0, len(r.entries))
	for e := range maps.Values(r.entries) {
		entry := *e
		entry.Samples = slices.Clone(e.Samples)
		list = append(list, entry)
	}
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(b.Callbacks, a.Callbacks),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Field, b.Field))
	})
	return list
}
