package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"callboard/internal/console"
)

// A callbacksCmd groups the ways to look into the journal.
type callbacksCmd struct {
	List   callbacksListCmd   `cmd:"" help:"List recorded callbacks, newest first."`
	Show   callbacksShowCmd   `cmd:"" help:"Show one recorded callback: its trace, its deliveries, its body."`
	Tail   callbacksTailCmd   `cmd:"" help:"Follow callbacks as they happen."`
	Export callbacksExportCmd `cmd:"" help:"Print recorded callbacks as JSON Lines, oldest first."`
}

// callbackFlags choose recorded callbacks by what they are.
type callbackFlags struct {
	OperationID string `name:"operation-id" placeholder:"ID" help:"Only with this operationID."`
	MessageID   string `name:"message-id" placeholder:"ID" help:"Only of the message with this serverMsgID."`
	Group       string `placeholder:"ID" help:"Only of this group."`
	Sender      string `placeholder:"ID" help:"Only from this user."`
	Command     string `completion:"command" placeholder:"NAME" help:"Only of this callback command."`
	Rule        string `placeholder:"NAME" help:"Only those that this rule matched."`
	Verdict     string `placeholder:"VERDICT" completion:"verdict" help:"Only those that ended so: allow, refuse or trouble."`
	Unmatched   bool   `help:"Only those that no rule matched."`
}

func (f callbackFlags) match() console.CallbackMatch {
	return console.CallbackMatch{
		OperationID: f.OperationID, MessageID: f.MessageID, GroupID: f.Group, SenderID: f.Sender, Command: f.Command, Rule: f.Rule,
		Verdict: f.Verdict, Unmatched: f.Unmatched,
	}
}

// sinkFlag chooses by sink.
type sinkFlag struct {
	Sink string `placeholder:"NAME" help:"Only those for which this sink was asked or notified."`
}

// A callbacksListCmd lists recorded callbacks.
type callbacksListCmd struct {
	callbackFlags
	sinkFlag
	windowFlags
	Limit int `default:"100" placeholder:"N" help:"List so many."`
	formatFlag
	adminFlags
}

// Help shows an example.
func (callbacksListCmd) Help() string {
	return `Example:

	$ callboard callbacks list --verdict refuse --since 2h
	$ callboard callbacks list --group support-7 --command beforeSendGroupMsg
	$ callboard callbacks list --unmatched --format json
`
}

// Run lists.
func (c callbacksListCmd) Run(a *app) error {
	if err := checkLimit(c.Limit); err != nil {
		return err
	}
	filter := console.CallbackFilter{CallbackMatch: c.match(), Window: c.window()}
	filter.Sink = c.Sink
	table := newRowTable(a.stdout, callbackHead, "no callbacks")
	return printList(a, c.adminFlags, c.Format, "/api/callbacks", queryOf(filter), c.Limit, table, callbackRow)
}

// A callbacksShowCmd shows one recorded callback.
type callbacksShowCmd struct {
	ID string `arg:"" help:"Callback id: the log has it, IMServer gets it as Callboard-Id."`
	formatFlag
	adminFlags
}

// Help shows an example.
func (callbacksShowCmd) Help() string {
	return `Example:

	$ callboard callbacks show 01kgrv5q8w2m4x6z8a0c2e4g6j
	$ callboard callbacks show 01kgrv5q8w2m4x6z8a0c2e4g6j --format json | callboard explain -
`
}

// Run shows it.
func (c callbacksShowCmd) Run(a *app) error {
	var d console.CallbackDetail
	if err := c.get(a.ctx, "/api/callbacks/"+url.PathEscape(c.ID), nil, &d); err != nil {
		return err
	}
	if c.Format == "json" {
		return writeLine(a.stdout, d)
	}
	return writeCallback(a.stdout, d)
}

// A callbacksExportCmd exports recorded callbacks.
type callbacksExportCmd struct {
	callbackFlags
	sinkFlag
	windowFlags
	adminFlags
}

// Help shows an example.
func (callbacksExportCmd) Help() string {
	return `Each line is a recorded callback with its trace and its body (unless the gateway keeps no bodies). explain, send and
replay read them.

Example:

	$ callboard callbacks export --since 24h > yesterday.jsonl
	$ callboard explain --rules rules.new yesterday.jsonl
	$ callboard replay --file yesterday.jsonl --sink archive
`
}

// Run exports. An export that ends early is a failure.
func (c callbacksExportCmd) Run(a *app) error {
	filter := console.CallbackFilter{CallbackMatch: c.match(), Window: c.window()}
	filter.Sink = c.Sink
	lines, err := c.open(a.ctx, http.MethodGet, withQuery("/api/callbacks/export", queryOf(filter)), "", nil)
	if err != nil {
		return err
	}
	defer lines.Close()
	_, err = io.Copy(a.stdout, lines)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return hinted(fmt.Errorf("reading callbacks: %w", err), "the gateway's log says why it ended early")
	}
	if err != nil {
		return fmt.Errorf("reading callbacks: %w", err)
	}
	return nil
}
