// Package demo is `callboard demo`: the real gateway, three small services to ask and one to notify, and an
// IMServer's stream of callbacks, in one process over real connections.
//
// Run plays it. What is played is in samples.go, who is asked in sinks.go, what runs in stage.go.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"
)

// ErrUnexpected is what Run returns (wrapped) with Once when a callback was not answered as expected.
var ErrUnexpected = errors.New("not answered as expected")

// Options configures Run. The zero value is ready to use.
type Options struct {
	// Rules is the rules folder. "" means examples/quickstart of the repository that the working
	// directory is in, and outside of it a copy in a temporary folder that is named at the start.
	Rules string
	// Listen is where callbacks are taken. "" means 127.0.0.1:8080. A taken port is replaced by a free one.
	Listen string
	// Admin is where the console is. "" means 127.0.0.1:8081. A taken port is replaced by a free one.
	Admin string
	// Once plays each sample once and compares what comes of it; otherwise they are played until ctx ends.
	Once bool
	// Interval is the time between two callbacks of the stream. Zero means 1.2 seconds.
	Interval time.Duration
	// Out is what people look at. Nil means os.Stdout.
	Out io.Writer
	// Log receives what the gateway logs. Nil discards.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:8080"
	}
	if o.Admin == "" {
		o.Admin = "127.0.0.1:8081"
	}
	if o.Interval == 0 {
		o.Interval = 1200 * time.Millisecond
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Run plays the demo until ctx ends, or each sample once with Once, and ends everything that it
// started. It returns nil when ctx ended the stream, ErrUnexpected when a sample of Once was not
// answered as expected, and other errors when the demo could not be played.
func Run(ctx context.Context, o Options) error {
	o = o.withDefaults()
	show := &screen{out: o.Out}
	s, err := setUp(o, show)
	if err != nil {
		return err
	}
	if o.Once {
		return errors.Join(s.once(ctx), s.tearDown())
	}
	s.greet(o)
	s.stream(ctx, o.Interval)
	err = s.tearDown()
	s.farewell()
	return err
}

// once plays each sample once and compares.
func (s *stage) once(ctx context.Context) error {
	unexpected := 0
	for _, sample := range samples {
		s.risk.set(sample.risk)
		s.compliance.set(sample.withoutCompliance, s.show)
		p, err := s.player.play(ctx, sample)
		if err != nil {
			return err
		}
		mark, wrong := "ok", p.check()
		if wrong != "" {
			mark = "FAILED"
			unexpected++
		}
		s.show.performed(mark, p, wrong)
	}
	if unexpected > 0 {
		return fmt.Errorf("%d of %d callbacks: %w", unexpected, len(samples), ErrUnexpected)
	}
	s.show.printf("all %d callbacks were answered as expected\n", len(samples))
	if err := s.compliance.settle(ctx); err != nil {
		return err
	}
	want, got, refused := s.compliance.counts()
	s.show.printf("compliance has %d of %d deliveries, although it turned away %d attempts\n", got, want, refused)
	return nil
}

// stream plays the samples over and over until ctx ends.
func (s *stage) stream(ctx context.Context, interval time.Duration) {
	next := time.NewTicker(interval)
	defer next.Stop()
	for n := 0; ; n++ {
		s.news.tell(s.keeper.Status(), s.show)
		sample := samples[n%len(samples)]
		s.risk.set(sample.risk)
		s.compliance.set(sample.withoutCompliance, s.show)
		s.compliance.tell(s.show)
		p, err := s.player.play(ctx, sample)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.show.print(line(clock(time.Now()), err.Error()))
		default:
			s.show.performed(clock(p.trace.Received), p, "")
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			return
		}
	}
}

// greet says what runs where, and what to try.
func (s *stage) greet(o Options) {
	s.show.printf(`callboard demo: an IMServer, the gateway, three services for it to ask and one to notify, all in this process

  rules      %s
  callbacks  %s
  admin      %s
  services   moderation %s
             risk       %s
             archive    %s
             compliance %s   (notified: what it misses waits for it)

`, s.folder.path, s.callbacks, s.admin, s.services["MODERATION_URL"], s.services["RISK_URL"], s.services["ARCHIVE_URL"],
		s.services["COMPLIANCE_URL"])
	if o.Rules == "" {
		s.show.printf(`Edit the rules while this runs: change 20403's message in %s
and save; the next callback shows that it was taken, and bob's next attempt shows the message.
`, s.folder.file("announcements.yaml"))
	}
	s.show.printf(`Send one of your own: callboard send --url %s --command beforeSendGroupMsg
See what waits:       callboard sinks list --admin %s
Ctrl-C ends it.

`, s.callbacks, strings.TrimPrefix(s.admin, "http://"))
}

// farewell says what has been.
func (s *stage) farewell() {
	want, got, _ := s.compliance.counts()
	s.show.printf("\n%d callbacks played; the archive was told of %d; compliance has %d of %d deliveries\n",
		s.player.played, s.archive.kept.Load(), got, want)
	if s.folder.copied() {
		s.show.printf("the rules are still in %s\n", s.folder.path)
	}
}
