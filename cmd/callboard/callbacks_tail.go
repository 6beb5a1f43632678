package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"callboard/internal/console"
	"callboard/internal/journal"
)

// A callbacksTailCmd follows callbacks.
type callbacksTailCmd struct {
	callbackFlags
	sinkFlag
	formatFlag
	adminFlags
}

// Help shows an example.
func (callbacksTailCmd) Help() string {
	return `Goes on until interrupted, also when the gateway restarts. As JSON, lines have traces and bodies, as export writes them.

Example:

	$ callboard callbacks tail --verdict refuse
	$ callboard callbacks tail --group support-7 --format json
`
}

// tailRetry is how long to wait before a gateway that has gone is asked again.
const tailRetry = time.Second

// Run follows until interrupted. A gateway that was there once is waited for.
func (c callbacksTailCmd) Run(a *app) error {
	match := c.match()
	match.Sink = c.Sink
	query := queryOf(match)
	if c.Format == "json" {
		query.Set("full", "true")
	}
	for away := false; ; away = true {
		back := func() {}
		if away {
			back = func() { fmt.Fprintln(a.stderr, "callboard callbacks tail: the gateway is back") }
		}
		err := c.follow(a, query, back)
		for away && isAway(err) && pause(a, tailRetry) {
			err = c.follow(a, query, back)
		}
		switch {
		case a.ctx.Err() != nil:
			return nil //nolint:nilerr // whoever interrupts it ends it as it should end
		case err != nil:
			return err
		}
		fmt.Fprintln(a.stderr, "callboard callbacks tail: the gateway has gone, asking again every second")
		if !pause(a, tailRetry) {
			return nil
		}
	}
}

// isAway reports whether nobody answered.
func isAway(err error) bool {
	_, away := errors.AsType[*unreachable](err)
	return away
}

// pause waits, and reports false when interrupted.
func pause(a *app, d time.Duration) bool {
	select {
	case <-a.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// follow prints one stream to its end, which is no error.
func (c callbacksTailCmd) follow(a *app, query url.Values, connected func()) error {
	stream, err := c.open(a.ctx, http.MethodGet, withQuery("/api/callbacks/tail", query), "", nil)
	if err != nil {
		return err
	}
	defer stream.Close()
	connected()
	lines := bufio.NewReaderSize(stream, 64<<10)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil // however it ended, the gateway is gone
		}
		if err := c.print(a, line); err != nil {
			return err
		}
	}
}

// print prints a line of the stream.
func (c callbacksTailCmd) print(a *app, line []byte) error {
	var said struct {
		console.Missed
		journal.Callback
	}
	if len(line) <= 1 { // a sign of life
		return nil
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return fmt.Errorf("reading a callback: %w", err)
	}
	switch {
	case said.Missed.Missed > 0:
		fmt.Fprintf(a.stderr, "callboard callbacks tail: too slow, missed %d\n", said.Missed.Missed)
		return nil
	case c.Format == "json":
		_, err := a.stdout.Write(line)
		return err
	}
	return writeTailLine(a.stdout, said.Callback)
}

// writeTailLine prints a callback on a line of its own.
func writeTailLine(w io.Writer, cb journal.Callback) error {
	_, err := fmt.Fprintf(w, "%s  %s  %s  %s  %s%s\n", cb.At.Local().Format("15:04:05.000"), cb.ID, orDash(shortCommand(cb.Command)),
		verdictWord(cb), cb.Duration.Round(100*time.Microsecond), prefixed("  ", tailDetails(cb)))
	return err
}
