package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"callboard/internal/journal"
	"callboard/internal/queue"
	"callboard/internal/queue/sqlite"
	"callboard/router"
)

// The files of a data folder, beside its lock.
const (
	queueFile   = "queue.db"
	journalFile = "journal.db"
)

// storageFlags say what is kept in the data folder, and how much.
type storageFlags struct {
	Data            string        `default:"data" env:"CALLBOARD_DATA" placeholder:"DIR" completion:"file" help:"Data folder, which one process owns: deliveries that are not done yet, and the journal. Empty (--data=): none, and rules that notify are rejected."`
	QueueMaxBytes   byteSize      `default:"10GiB" env:"CALLBOARD_QUEUE_MAX_BYTES" placeholder:"SIZE" help:"What deliveries that are not done may use on disk; beyond it, callbacks to be notified are trouble until there is room again. 0: no bound."`
	QueueMaxAge     time.Duration `default:"720h" env:"CALLBOARD_QUEUE_MAX_AGE" help:"How long a delivery may wait for whatever reason before it becomes a dead letter, and a dead letter before it is removed. 0: for ever."`
	JournalMaxAge   time.Duration `default:"72h" env:"CALLBOARD_JOURNAL_MAX_AGE" help:"How long the journal keeps callbacks and attempts. 0: no journal."`
	JournalMaxBytes byteSize      `default:"10GiB" env:"CALLBOARD_JOURNAL_MAX_BYTES" placeholder:"SIZE" help:"What the journal may use on disk; the oldest goes first."`
	JournalBodies   string        `default:"on" enum:"on,off" env:"CALLBOARD_JOURNAL_BODIES" help:"Whether the journal keeps message contents: bodies, replies, what sinks answered. Replays need them."`
}

func (f storageFlags) validate() error {
	if f.QueueMaxBytes < 0 || f.QueueMaxAge < 0 || f.JournalMaxAge < 0 || f.JournalMaxBytes <= 0 {
		return errors.New("--queue-max-bytes, --queue-max-age and --journal-max-age must be at least 0, --journal-max-bytes more")
	}
	return nil
}

// A storage is an open data folder: its queue, and its journal unless that is off.
type storage struct {
	dir        *dataDir
	queue      *queue.Queue
	journal    *journal.Journal
	withBodies bool

	endQueue   context.CancelFunc // no more attempts are begun
	endJournal context.CancelFunc
	queueDone  chan struct{}
	journaling sync.WaitGroup
}

// openStorage takes the data folder and loads what waits in it. Nothing is delivered before start.
func (f storageFlags) openStorage(ctx context.Context, log *slog.Logger, r prometheus.Registerer) (s *storage, err error) {
	dir, err := openDataDir(f.Data)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, dir.Close())
		}
	}()
	if dir.made { // where a volume should have been, everything would seem well
		log.Warn("the data folder was not there and has been made: nothing waits in it", "path", f.Data)
	}
	s = &storage{dir: dir, withBodies: f.JournalBodies == "on"}
	begun := time.Now()
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(f.Data, queueFile), Log: log})
	if err != nil {
		return nil, err
	}
	o := queue.Options{
		Store:      store,
		MaxBytes:   int64(f.QueueMaxBytes),
		MaxAge:     f.QueueMaxAge,
		OnAttempt:  s.attempted,
		Log:        log,
		Registerer: r,
	}
	if s.queue, err = queue.New(ctx, o); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if f.JournalMaxAge > 0 {
		s.journal, err = journal.Open(ctx, journal.Options{
			Path:          filepath.Join(f.Data, journalFile),
			MaxAge:        f.JournalMaxAge,
			MaxBytes:      int64(f.JournalMaxBytes),
			WithoutBodies: !s.withBodies,
			Log:           log,
			Registerer:    r,
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("opening the journal: %w", err), store.Close())
		}
	}
	usage := s.queue.Usage()
	log.Info("data folder open", "path", f.Data, "events", usage.Events, "bytes", usage.Bytes,
		"journal", s.journal != nil, "took", time.Since(begun).Round(time.Millisecond))
	return s, nil
}

// start lets the queue deliver and the journal write. Where one of them ends by itself, g ends with its error.
func (s *storage) start(g *errgroup.Group, grace time.Duration) {
	ctx, end := context.WithCancel(context.Background())
	s.endQueue = end
	s.queueDone = make(chan struct{})
	g.Go(func() error {
		defer close(s.queueDone)
		return s.queue.Run(ctx, grace)
	})
	if s.journal == nil {
		return
	}
	journaling, end := context.WithCancel(context.Background())
	s.endJournal = end
	s.journaling.Add(1)
	g.Go(func() error {
		defer s.journaling.Done()
		return endsWithin(journaling, journalPatience, s.journal.Run)
	})
}

// journalPatience is how long the end waits for a journal whose disk does not answer.
const journalPatience = 5 * time.Second

var errJournalHangs = errors.New("the journal's disk does not answer: its last entries are lost")

// endsWithin returns what run does, but leaves it behind when it takes longer than patience after ctx has ended.
func endsWithin(ctx context.Context, patience time.Duration, run func(context.Context) error) error {
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		return errJournalHangs
	}
}

// stop ends the queue, which gets until ctx ends for the attempts in flight, and then the journal that it reports to.
func (s *storage) stop(ctx context.Context) {
	s.endQueue()
	select {
	case <-s.queueDone:
	case <-ctx.Done():
	}
	s.queue.CutOff()
	<-s.queueDone
	if s.journal != nil {
		s.endJournal()
		s.journaling.Wait()
	}
}

// close gives the folder up.
func (s *storage) close() error { return s.dir.Close() }

// traced is the gateway's OnTrace.
func (s *storage) traced(t *router.Trace) { s.journal.Callback(t.Record(s.withBodies)) }

// attempted is the queue's OnAttempt.
func (s *storage) attempted(a queue.Attempt) {
	if s.journal == nil {
		return
	}
	d, o := &a.Delivery, &a.Outcome
	record := &journal.Attempt{
		DeliveryID:  queue.DeliveryID(d.ID, d.Sink),
		CallbackID:  d.ID,
		Sink:        d.Sink,
		Command:     d.Command,
		OperationID: d.OperationID,
		At:          a.At,
		Duration:    o.Duration,
		Attempt:     d.Attempt,
		Status:      o.Status,
		State:       "done",
		Reason:      o.Reason,
		Batch:       a.Batch,
		Place:       a.Place,
	}
	if a.State != 0 {
		record.State = a.State.String()
	}
	if s.withBodies {
		record.Answer = string(o.Answer)
	}
	s.journal.Attempt(record)
}

// replayer sends records of the journal through the gateway again.
func replayer(g *router.Gateway) func(ctx context.Context, c *journal.Callback, sinks []string, dryRun bool) ([]string, error) {
	return func(ctx context.Context, c *journal.Callback, sinks []string, dryRun bool) ([]string, error) {
		return g.Replay(ctx, router.RecordedRequest(c), c.ID, sinks, dryRun)
	}
}
