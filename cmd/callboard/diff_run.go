package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"callboard/internal/compare"
	"callboard/internal/console"
	"callboard/internal/journal"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
)

// A diffRun compares recorded callbacks, a part of them at a time.
type diffRun struct {
	app       *app
	cmd       diffCmd
	base      *compare.Side // nil: what was recorded
	candidate *compare.Side
	assumed   openim.Answer
	begun     time.Time
}

// recordedLines are recorded callbacks, one a line.
type recordedLines struct {
	io.ReadCloser
	name string
}

// callbackFilter joins the flags that choose recorded callbacks.
func callbackFilter(of callbackFlags, sink sinkFlag, window windowFlags) console.CallbackFilter {
	filter := console.CallbackFilter{CallbackMatch: of.match(), Window: window.window()}
	filter.Sink = sink.Sink
	return filter
}

func (d *diffRun) open() (*recordedLines, error) {
	switch d.cmd.Callbacks {
	case "":
		return d.cmd.exported(d.app)
	case "-":
		return &recordedLines{io.NopCloser(d.app.stdin), "-"}, nil
	}
	f, err := os.Open(d.cmd.Callbacks)
	if err != nil {
		return nil, fmt.Errorf("reading the callbacks: %w", err)
	}
	return &recordedLines{f, d.cmd.Callbacks}, nil
}

// A lineBatch is some lines of the input, and the number of the first.
type lineBatch struct {
	first int
	lines [][]byte
}

// A batch is full with so many lines or bytes. A few batches are in memory at a time, however many callbacks there are.
const (
	batchLines = 256
	batchBytes = 1 << 20
)

// compare reads the callbacks and compares them on all processors.
func (d *diffRun) compare() (*compare.Report, error) {
	lines, err := d.open()
	if err != nil {
		return nil, err
	}
	defer lines.Close()
	workers := runtime.GOMAXPROCS(0)
	batches := make(chan lineBatch, workers)
	reports := make([]*compare.Report, workers)
	g, ctx := errgroup.WithContext(d.app.ctx)
	g.Go(func() error {
		defer close(batches)
		return lines.deal(ctx, batches)
	})
	for i := range reports {
		reports[i] = &compare.Report{Samples: d.cmd.Samples}
		g.Go(func() error {
			for b := range batches {
				for n, line := range b.lines {
					if err := d.line(reports[i], lines.name, b.first+n, line); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	total := &compare.Report{Samples: d.cmd.Samples}
	for _, r := range reports {
		total.Merge(r)
	}
	return total, nil
}

// deal reads lines until the end, or until somebody gives up.
func (l *recordedLines) deal(ctx context.Context, batches chan<- lineBatch) error {
	in := bufio.NewReaderSize(l, 256<<10)
	b := lineBatch{first: 1}
	size := 0
	for {
		line, err := in.ReadBytes('\n')
		ended := errors.Is(err, io.EOF)
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			return hinted(fmt.Errorf("reading %s: %w", l.name, err), "the gateway's log says why it ended early")
		case err != nil && !ended:
			return fmt.Errorf("reading %s: %w", l.name, err)
		}
		b.lines = append(b.lines, line)
		size += len(line)
		if !ended && len(b.lines) < batchLines && size < batchBytes {
			continue
		}
		select {
		case batches <- b:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if ended {
			return nil
		}
		b, size = lineBatch{first: b.first + len(b.lines)}, 0
	}
}

// Why a recorded callback is not compared.
const (
	notBody     = "recorded without a body"
	notReplay   = "replays: nobody was asked"
	notRepeat   = "repeats of others (dedup)"
	notLoop     = "in a loop: refused before any rule"
	notReadable = "not readable as callbacks"
	notDecided  = "in trouble when they came"
	notRecorded = "recorded without a verdict"
)

// line compares one recorded callback.
func (d *diffRun) line(report *compare.Report, file string, n int, line []byte) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	place := fmt.Sprintf("%s:%d", file, n)
	record, err := journal.ParseExport(line)
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	c := &record.Callback
	cb, reason := d.decode(c)
	if reason != "" {
		report.Skip(reason)
		return nil
	}
	recorded, err := compare.ReadRecord(c)
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	at := c.At
	if at.IsZero() { // a person wrote the line
		at = d.begun
	}
	base, baseUnheard := recorded.Outcome, []string(nil)
	unsure := d.candidate.Unsure(cb)
	if d.base != nil {
		base, baseUnheard = d.base.Rehearse(cb, at, recorded.Votes, d.assumed)
		unsure = append(unsure, d.base.Unsure(cb)...)
	}
	candidate, unheard := d.candidate.Rehearse(cb, at, recorded.Votes, d.assumed)
	for _, sink := range baseUnheard {
		if !slices.Contains(unheard, sink) {
			unheard = append(unheard, sink)
		}
	}
	report.Assume(unheard)
	report.Doubt(doubts(unsure))
	s := compare.Sample{ID: c.ID, At: at.UTC(), Command: shortCommand(cb.Name), GroupID: c.GroupID, SenderID: c.SenderID}
	if s.ID == "" {
		s.ID = place
	}
	report.Add(int64(n), s, compare.Differences(&base, &candidate))
	return nil
}

// decode returns the callback of a record, or why it is not compared.
func (d *diffRun) decode(c *journal.Callback) (cb *openim.Callback, reason string) {
	if reason := d.notCompared(c); reason != "" {
		return nil, reason
	}
	cb, err := openim.Decode(router.RecordedRequest(c))
	if err != nil {
		return nil, notReadable
	}
	return cb, ""
}

func (d *diffRun) notCompared(c *journal.Callback) string {
	switch {
	case c.ReplayOf != "":
		return notReplay
	case c.RepeatOf != "":
		return notRepeat
	case c.Trouble == "loop":
		return notLoop
	case c.Body == nil && c.Command == "":
		return notReadable
	case c.Body == nil:
		return notBody
	case d.base == nil && c.Trouble != "":
		return notDecided
	case d.base == nil && c.Verdict == "":
		return notRecorded
	}
	return ""
}

// doubts names each rule once.
func doubts(unsure []*rules.Rule) []string {
	var reasons []string
	for _, r := range unsure {
		reason := "rule " + r.Name + " reads headers, which the journal does not keep"
		if !slices.Contains(reasons, reason) {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}
