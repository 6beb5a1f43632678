package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"

	"callboard/internal/console"
)

// A replayCmd sends recorded callbacks again.
type replayCmd struct {
	callbackFlags
	windowFlags
	ID     string   `placeholder:"ID" help:"Only this callback."`
	Sink   []string `placeholder:"NAME" help:"Notify only this sink; repeatable. Default: all that the rules name."`
	File   string   `completion:"file" placeholder:"FILE" help:"Send what callbacks export wrote instead of what the gateway's journal has, - for standard input."`
	All    bool     `help:"Everything that the journal has."`
	DryRun bool     `help:"Only tell what would be sent."`
	formatFlag
	adminFlags
}

// Help shows an example.
func (replayCmd) Help() string {
	return `Recorded callbacks go through the rules as they are now, oldest first, and the sinks to notify get new deliveries (with new
ids). Nobody is asked and IMServer hears nothing. Without --until, a replay ends with what was recorded when it began. Replays
themselves, repeats (dedup), and callbacks that could not be read or whose bodies were not kept are skipped, and counted.

Example:

	$ callboard replay --since 2h --sink archive --dry-run
	$ callboard replay --since "2026-01-31 18:30" --until "2026-01-31 19:00" --sink archive
	$ callboard replay --file yesterday.jsonl
`
}

// Run sends them and prints what came of it.
func (c replayCmd) Run(a *app) error {
	report, err := c.replay(a)
	if errors.Is(err, errInterrupted) {
		return hinted(err, "what was sent stays sent, and the gateway's log tells how many that were")
	}
	if err != nil {
		return err
	}
	if c.Format == "json" {
		err = writeLine(a.stdout, report)
	} else {
		err = writeReport(a.stdout, report)
	}
	if err == nil && report.Stopped != "" {
		err = hinted(fmt.Errorf("ended early: %s", report.Stopped), "what was sent stays sent; --since and --until choose the rest")
	}
	return err
}

func (c replayCmd) replay(a *app) (*console.ReplayReport, error) {
	filter := console.CallbackFilter{CallbackMatch: c.match(), Window: c.window()}
	filter.ID = c.ID
	if c.File != "" {
		if !filter.IsEmpty() || c.All {
			return nil, usageError("callbacks export takes the same flags", "--file sends the whole file: it goes with --sink and --dry-run only")
		}
		return c.replayFile(a)
	}
	if filter.IsEmpty() != c.All {
		return nil, usageError("as in --since 2h; --dry-run tells what would be sent", "give flags that choose callbacks, or else --all")
	}
	var report console.ReplayReport
	request := console.ReplayRequest{CallbackFilter: filter, Sinks: c.Sink, All: c.All, DryRun: c.DryRun}
	if err := c.post(a.ctx, "/api/replay", request, &report); err != nil {
		return nil, err
	}
	return &report, nil
}

// replayFile sends a file as it is; the gateway reads it line by line.
func (c replayCmd) replayFile(a *app) (*console.ReplayReport, error) {
	file := io.NopCloser(a.stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, fmt.Errorf("reading the callbacks: %w", err)
		}
		file = f
	}
	defer file.Close()
	query := url.Values{}
	for _, sink := range c.Sink {
		query.Add("sinks", sink)
	}
	if c.DryRun {
		query.Set("dry_run", "true")
	}
	var report console.ReplayReport
	if err := c.ask(a.ctx, http.MethodPost, withQuery("/api/replay", query), console.JSONLines, file, &report); err != nil {
		return nil, err
	}
	return &report, nil
}

// writeReport prints what a replay did.
func writeReport(w io.Writer, r *console.ReplayReport) error {
	verb := "replayed"
	if r.DryRun {
		verb = "would replay"
	}
	fmt.Fprintf(w, "%s %s: %s\n", verb, plural(r.Callbacks, "callback"), deliveriesText(r.Deliveries))
	for _, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
		if _, err := fmt.Fprintf(w, "skipped %d: %s\n", r.Skipped[reason], reason); err != nil {
			return err
		}
	}
	return nil
}
