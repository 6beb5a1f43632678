package main

import (
	"fmt"
	"net/url"
	"time"

	"callboard/internal/console"
)

// A sinksCmd groups what can be done about sinks.
type sinksCmd struct {
	List   sinksListCmd   `cmd:"" help:"List sinks and what waits for them."`
	Pause  sinksPauseCmd  `cmd:"" help:"Hold a sink's deliveries, in order, until it is resumed."`
	Resume sinksResumeCmd `cmd:"" help:"Deliver to a paused sink again."`
}

// A sinksListCmd lists sinks.
type sinksListCmd struct {
	formatFlag
	adminFlags
}

// Help shows an example.
func (sinksListCmd) Help() string {
	return `	running  gets deliveries
	open     failed too often; a probe goes out from time to time (circuit breaker)
	paused   by hand, or because it answered 410
	parked   no rules file defines it any more, but it has deliveries

Example:

	$ callboard sinks list
`
}

// Run lists.
func (c sinksListCmd) Run(a *app) error {
	var sinks console.SinkList
	if err := c.get(a.ctx, "/api/sinks", nil, &sinks); err != nil {
		return err
	}
	if c.Format == "json" {
		for _, s := range sinks.Items {
			if err := writeLine(a.stdout, s); err != nil {
				return err
			}
		}
		return nil
	}
	t := newRowTable(a.stdout, "SINK\tSTATE\tIN FLIGHT\tWAITING\tRETRYING\tBLOCKED\tSTUCK\tDEAD\tOLDEST\tWHY", "no sinks")
	for _, s := range sinks.Items {
		oldest := "-"
		if s.Oldest != nil {
			oldest = age(time.Since(*s.Oldest))
		}
		err := t.add(s.Name, stateText(s), s.InFlight, s.Waiting, s.Retrying, s.Blocked, s.Stuck, s.Dead, oldest, orDash(cut(s.Why, 60)))
		if err != nil {
			return err
		}
	}
	return t.end()
}

// stateText is a sink's state and since when.
func stateText(s console.Sink) string {
	if s.Since == nil || s.State == "running" {
		return s.State
	}
	return s.State + " " + age(time.Since(*s.Since))
}

// A sinksPauseCmd pauses sinks.
type sinksPauseCmd struct {
	Sink []string `arg:"" help:"Names of sinks."`
	Why  string   `placeholder:"TEXT" help:"For people who find it paused."`
	formatFlag
	adminFlags
}

// Help shows an example.
func (sinksPauseCmd) Help() string {
	return `Attempts under way finish. The pause outlives restarts. Asking a sink (await) goes on.

Example:

	$ callboard sinks pause archive --why "moving to the new cluster"
`
}

// Run pauses.
func (c sinksPauseCmd) Run(a *app) error {
	for _, name := range c.Sink {
		if err := c.change(a, c.adminFlags, name, "pause", console.Pause{Why: c.Why}); err != nil {
			return err
		}
	}
	return nil
}

// A sinksResumeCmd ends pauses.
type sinksResumeCmd struct {
	Sink []string `arg:"" help:"Names of sinks."`
	formatFlag
	adminFlags
}

// Help shows an example.
func (sinksResumeCmd) Help() string {
	return `Example:

	$ callboard sinks resume archive
`
}

// Run resumes.
func (c sinksResumeCmd) Run(a *app) error {
	for _, name := range c.Sink {
		if err := c.change(a, c.adminFlags, name, "resume", nil); err != nil {
			return err
		}
	}
	return nil
}

// change pauses or resumes a sink and prints how it stands then.
func (f formatFlag) change(a *app, admin adminFlags, name, verb string, body any) error {
	var s console.Sink
	if err := admin.post(a.ctx, "/api/sinks/"+url.PathEscape(name)+"/"+verb, body, &s); err != nil {
		return err
	}
	if f.Format == "json" {
		return writeLine(a.stdout, s)
	}
	waiting := s.Waiting + s.Retrying + s.Blocked + s.Stuck
	_, err := fmt.Fprintf(a.stdout, "%s is %s, %s to come\n", s.Name, s.State, deliveriesText(waiting))
	return err
}
