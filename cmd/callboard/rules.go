package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"callboard/internal/compare"
	"callboard/internal/console"
)

// A rulesCmd groups what can be done about the candidate of a running gateway.
type rulesCmd struct {
	Status      rulesStatusCmd      `cmd:"" help:"Tell how the candidate stands."`
	Differences rulesDifferencesCmd `cmd:"" help:"List what ends differently with the candidate, with samples."`
	Canary      rulesCanaryCmd      `cmd:"" help:"Change the share of callbacks that the candidate decides."`
	Promote     rulesPromoteCmd     `cmd:"" help:"Tell what to commit so that the candidate serves, or swap a link to it."`
	Discard     rulesDiscardCmd     `cmd:"" help:"Take the candidate out of the gateway."`
}

// A rulesStatusCmd tells how the candidate stands.
type rulesStatusCmd struct {
	formatFlag
	adminFlags
}

// Help shows an example.
func (rulesStatusCmd) Help() string {
	return `	absent       its folder has not been usable yet
	watching     it is compared with what serves, and decides nothing
	canary       it decides a share of the callbacks
	rolled_back  it went beyond a bound and decides nothing any more, until its folder changes or a person resumes it
	discarded    by a person, until its folder changes

Example:

	$ callboard rules status
`
}

// Run tells.
func (c rulesStatusCmd) Run(a *app) error {
	var s console.Candidate
	if err := c.get(a.ctx, "/api/shadow", nil, &s); err != nil {
		return err
	}
	return c.print(a, s)
}

// print prints how the candidate stands.
func (f formatFlag) print(a *app, s console.Candidate) error {
	if f.Format == "json" {
		return writeLine(a.stdout, s)
	}
	return writeCandidate(a.stdout, s)
}

func writeCandidate(w io.Writer, s console.Candidate) error {
	rows := []row{
		{"candidate", s.Dir + " " + orDash(s.Revision)}, {"serving", s.ServingDir + " " + orDash(s.ServingRevision)}, {"state", s.State}, {"why", s.Why},
	}
	if s.RolledBack != nil {
		rows = append(rows, row{"rolled back", momentText(s.RolledBack.At) + " from " + s.RolledBack.Share})
	}
	if s.State != "absent" && s.State != "discarded" {
		rows = append(rows, row{"decides", s.Share + " by " + s.Key},
			row{"compared", fmt.Sprintf("%s since %s, %d end differently", plural(s.Callbacks, "callback"), momentText(s.Since), s.Different)})
	}
	if n := s.Window; n.Callbacks > 0 {
		rows = append(rows, row{"of late", fmt.Sprintf("%s decided, %d refused that would not be, %d failed, %d with more rules",
			plural(n.Callbacks, "callback"), n.Refused, n.Failed, n.Matched)})
	}
	if err := writeRows(w, rows); err != nil {
		return err
	}
	for _, d := range s.Diagnostics {
		fmt.Fprintf(w, "%s:%d:%d: %s: %s\n", d.File, d.Line, d.Col, d.Severity, plain(d.Message))
	}
	return nil
}

// A rulesDifferencesCmd lists differences.
type rulesDifferencesCmd struct {
	Rule string `placeholder:"NAME" help:"Only of this rule."`
	formatFlag
	adminFlags
}

// Help shows an example.
func (rulesDifferencesCmd) Help() string {
	return `Counted since either folder changed last. Samples are the first callbacks; callbacks show has their traces.

Example:

	$ callboard rules differences
	$ callboard rules differences --rule block-links --format json
`
}

// Run lists.
func (c rulesDifferencesCmd) Run(a *app) error {
	var s console.Candidate
	if err := c.get(a.ctx, "/api/shadow", nil, &s); err != nil {
		return err
	}
	if c.Rule != "" {
		s.Differences = slices.DeleteFunc(s.Differences, func(d console.RuleDifference) bool { return d.Rule != c.Rule })
	}
	if c.Format == "json" {
		for _, d := range s.Differences {
			if err := writeLine(a.stdout, d); err != nil {
				return err
			}
		}
		return nil
	}
	return writeDifferences(a.stdout, s)
}

func writeDifferences(w io.Writer, s console.Candidate) error {
	fmt.Fprintf(w, "%d of %s since %s end differently with %s\n", s.Different, plural(s.Callbacks, "callback"), s.Since.Local().Format(time.DateTime), s.Dir)
	last := ""
	for _, d := range s.Differences {
		kind, known := compare.ParseKind(d.Kind)
		if d.Kind != last {
			last = d.Kind
			title := d.Kind // of a newer gateway
			if known {
				title = kindTitles[kind]
			}
			fmt.Fprintf(w, "\n%s\n", title)
		}
		fmt.Fprintf(w, "%8d  %s\n", d.Callbacks, diffEntry{Rule: d.Rule, Owner: d.Owner, Sink: d.Sink, Field: d.Field}.subject(""))
		for _, sample := range d.Samples {
			fmt.Fprintf(w, "          %s\n", sampleText(sample))
		}
	}
	var notes []string
	for _, sink := range slices.Sorted(maps.Keys(s.Assumed)) {
		notes = append(notes, fmt.Sprintf("assumed: sink %s allows in %s (it was not asked)", sink, plural(s.Assumed[sink], "callback")))
	}
	if s.Unlisted > 0 {
		notes = append(notes, fmt.Sprintf("%s more are not listed", plural(s.Unlisted, "difference")))
	}
	if len(notes) > 0 {
		fmt.Fprintf(w, "\n%s\n", strings.Join(notes, "\n"))
	}
	return nil
}

// A rulesCanaryCmd changes the canary's share.
type rulesCanaryCmd struct {
	Share string `arg:"" help:"The share, as in 5%; 0% takes it away, resume gives back what a rollback took."`
	formatFlag
	adminFlags
}

// Help shows an example.
func (rulesCanaryCmd) Help() string {
	return `The share holds until the gateway is restarted; --canary says with which one it starts.

Example:

	$ callboard rules canary 25%
	$ callboard rules canary resume
`
}

// Run changes it.
func (c rulesCanaryCmd) Run(a *app) error {
	change := console.CanaryChange{Share: c.Share}
	if c.Share == "resume" {
		change = console.CanaryChange{Resume: true}
	} else if _, err := console.ParsePercent(c.Share); err != nil {
		return usageError("as in callboard rules canary 5%, or resume", "reading %s: %w", c.Share, err)
	}
	var s console.Candidate
	if err := c.post(a.ctx, "/api/shadow/canary", change, &s); err != nil {
		return err
	}
	return c.print(a, s)
}

// A rulesDiscardCmd takes the candidate out of the gateway.
type rulesDiscardCmd struct {
	formatFlag
	adminFlags
}

// Help shows an example.
func (rulesDiscardCmd) Help() string {
	return `From then on the candidate is neither compared nor asked, until its folder changes. Deliveries that it has accepted wait for
its sinks, parked, unless the serving rules have them too. Nothing is removed from any folder.

Example:

	$ callboard rules discard
`
}

// Run discards.
func (c rulesDiscardCmd) Run(a *app) error {
	var s console.Candidate
	if err := c.post(a.ctx, "/api/shadow/discard", nil, &s); err != nil {
		return err
	}
	if c.Format == "json" {
		return writeLine(a.stdout, s)
	}
	_, err := fmt.Fprintf(a.stdout, "candidate %s is discarded until its folder changes\n"+
		"to be rid of it: remove %s, and start serve without --shadow\n", orDash(s.Revision), s.Dir)
	return err
}
