package main

import (
	"cmp"
	"fmt"
	"io"

	"callboard/rules"
)

// An indexReport tells how each rule is found among the others.
type indexReport struct {
	Indexed int        `json:"indexed"`
	Scanned int        `json:"scanned"`
	Rules   []indexRow `json:"rules"`
}

// An indexRow is how one rule is found.
type indexRow struct {
	Rule    string `json:"rule"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Owner   string `json:"owner,omitempty"`
	By      string `json:"by,omitempty"`
	Because string `json:"because,omitempty"` // why it is scanned
	Rewrite string `json:"rewrite,omitempty"`
}

// with adds the rules of a table to a report, which may be nil.
func (x *indexReport) with(set *rules.Set) *indexReport {
	if x == nil {
		x = &indexReport{Rules: []indexRow{}}
	}
	for place, r := range set.Rules {
		i := set.Indexing(place)
		if i.By != "" {
			x.Indexed++
		} else {
			x.Scanned++
		}
		x.Rules = append(x.Rules, indexRow{r.Name, r.File, r.Line, r.Owner, i.By, i.Because, i.Rewrite})
	}
	return x
}

func (x *indexReport) writeText(w io.Writer) error {
	t := newRowTable(w, "RULE\tAT\tINDEXED BY\tREWRITE", "no rules")
	for _, r := range x.Rules {
		by := r.By
		if by == "" {
			by = "scanned, because " + r.Because
		}
		if err := t.add(r.Rule, fmt.Sprintf("%s:%d", r.File, r.Line), by, cmp.Or(r.Rewrite, "-")); err != nil {
			return err
		}
	}
	if err := t.end(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d indexed, %d scanned\n", x.Indexed, x.Scanned)
	return err
}
