package main

import (
	"fmt"
	"net/url"
	"slices"

	"callboard/internal/console"
)

// A deliveriesCmd groups what can be done about deliveries.
type deliveriesCmd struct {
	List    deliveriesListCmd    `cmd:"" help:"List deliveries that are not done, newest first."`
	Show    deliveriesShowCmd    `cmd:"" help:"Show one delivery with its attempts and its body."`
	Retry   deliveriesRetryCmd   `cmd:"" help:"Make retrying, stuck and dead deliveries due at once."`
	Discard deliveriesDiscardCmd `cmd:"" help:"Give deliveries up for good."`
}

// deliveryFlags choose deliveries that are not done.
type deliveryFlags struct {
	Sink        string   `placeholder:"NAME" help:"Only to this sink."`
	State       []string `enum:"waiting,retrying,blocked,stuck,dead" placeholder:"STATE" help:"Only in this state: waiting, retrying, blocked, stuck or dead; repeatable."`
	Command     string   `completion:"command" placeholder:"NAME" help:"Only of this callback command."`
	Rule        string   `placeholder:"NAME" help:"Only those that this rule asked for."`
	Key         string   `placeholder:"KEY" help:"Only with this key (order_by)."`
	OperationID string   `name:"operation-id" placeholder:"ID" help:"Only of callbacks with this operationID."`
	MessageID   string   `name:"message-id" placeholder:"ID" help:"Only of the message with this serverMsgID."`
	Callback    string   `placeholder:"ID" help:"Only of this callback."`
	Status      int      `placeholder:"CODE" help:"Only those whose last attempt got this HTTP status."`
	windowFlags
}

func (f deliveryFlags) filter(ids []string) console.DeliveryFilter {
	return console.DeliveryFilter{
		IDs: ids, Sink: f.Sink, States: f.State, Command: f.Command, Rule: f.Rule, Key: f.Key, OperationID: f.OperationID,
		MessageID: f.MessageID, CallbackID: f.Callback, Status: f.Status, Window: f.window(),
	}
}

// A deliveriesListCmd lists deliveries.
type deliveriesListCmd struct {
	deliveryFlags
	Limit int `default:"100" placeholder:"N" help:"List so many."`
	formatFlag
	adminFlags
}

// Help shows an example.
func (deliveriesListCmd) Help() string {
	return `What is done is not listed; the journal has it: callboard callbacks show.

	waiting   for its turn
	retrying  failed, and is tried again at its time
	blocked   behind the one before it with the same key
	stuck     was refused or is too old, and its key waits for a person
	dead      was given up; its key has gone on without it

Example:

	$ callboard deliveries list --state dead --since 2h
	$ callboard deliveries list --sink archive --format json
`
}

// Run lists.
func (c deliveriesListCmd) Run(a *app) error {
	if err := checkLimit(c.Limit); err != nil {
		return err
	}
	table := newRowTable(a.stdout, deliveryHead, "no deliveries")
	return printList(a, c.adminFlags, c.Format, "/api/deliveries", queryOf(c.filter(nil)), c.Limit, table, deliveryRow)
}

// A deliveriesShowCmd shows one delivery.
type deliveriesShowCmd struct {
	ID string `arg:"" help:"Delivery id: callback id, a dot, and the sink's name. Sinks get it as webhook-id."`
	formatFlag
	adminFlags
}

// Help shows an example.
func (deliveriesShowCmd) Help() string {
	return `Example:

	$ callboard deliveries show 01kgrv5q8w2m4x6z8a0c2e4g6j.archive
`
}

// Run shows it.
func (c deliveriesShowCmd) Run(a *app) error {
	var d console.DeliveryDetail
	if err := c.get(a.ctx, "/api/deliveries/"+url.PathEscape(c.ID), nil, &d); err != nil {
		return err
	}
	if c.Format == "json" {
		return writeLine(a.stdout, d)
	}
	return writeDelivery(a.stdout, d)
}

// chosenFlags choose deliveries for an action.
type chosenFlags struct {
	ID []string `arg:"" optional:"" help:"Delivery ids."`
	deliveryFlags
	All    bool `help:"Every delivery."`
	DryRun bool `help:"Only tell how many there are."`
	formatFlag
	adminFlags
}

// act does something to the chosen deliveries and prints how many there were. Ids that name none are a finding.
func (c chosenFlags) act(a *app, path, done, would string) error {
	slices.Sort(c.ID)
	c.ID = slices.Compact(c.ID) // who names one twice misses none
	filter := c.filter(c.ID)
	if filter.IsEmpty() != c.All {
		return usageError("--dry-run tells how many there are", "give ids, or flags that choose deliveries, or else --all")
	}
	var count console.Count
	if err := c.post(a.ctx, path, console.Selection{DeliveryFilter: filter, All: c.All, DryRun: c.DryRun}, &count); err != nil {
		return err
	}
	switch {
	case c.Format == "json":
		if err := writeLine(a.stdout, count); err != nil {
			return err
		}
	case c.DryRun:
		fmt.Fprintf(a.stdout, "%s %s\n", would, deliveriesText(count.Count))
	default:
		fmt.Fprintf(a.stdout, "%s %s\n", done, deliveriesText(count.Count))
	}
	if missing := len(c.ID) - count.Count; missing > 0 {
		return &failure{code: exitFindings, err: fmt.Errorf("nothing to do about %s of %d", idsText(missing), len(c.ID)),
			hint: "callboard deliveries show tells how a delivery stands"}
	}
	return nil
}

// A deliveriesRetryCmd makes deliveries due at once.
type deliveriesRetryCmd struct{ chosenFlags }

// Help shows an example.
func (deliveriesRetryCmd) Help() string {
	return `Dead letters go out of order, since their key has gone on without them; retrying and stuck ones keep their place. Those
that wait for their turn or behind another stay as they are.

Example:

	$ callboard deliveries retry --sink archive --state dead --dry-run
	$ callboard deliveries retry --sink archive --state dead
	$ callboard deliveries retry 01kgrv5q8w2m4x6z8a0c2e4g6j.archive
`
}

// Run retries.
func (c deliveriesRetryCmd) Run(a *app) error {
	return c.act(a, "/api/deliveries/retry", "retrying", "would retry")
}

// A deliveriesDiscardCmd gives deliveries up.
type deliveriesDiscardCmd struct{ chosenFlags }

// Help shows an example.
func (deliveriesDiscardCmd) Help() string {
	return `There is no way back, but for replaying the callbacks while the journal has them. A delivery that is being attempted at
this moment may still arrive.

Example:

	$ callboard deliveries discard --sink archive --until 3d --dry-run
	$ callboard deliveries discard --sink archive --until 3d
`
}

// Run discards.
func (c deliveriesDiscardCmd) Run(a *app) error {
	return c.act(a, "/api/deliveries/discard", "discarded", "would discard")
}

func deliveriesText(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}

func idsText(n int) string {
	if n == 1 {
		return "1 id"
	}
	return fmt.Sprintf("%d ids", n)
}
