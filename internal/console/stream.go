package console

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"callboard/internal/journal"
)

// JSONLines is the media type of one JSON value a line.
const JSONLines = "application/jsonl"

// A Missed stands between the lines of tail where the reader was too slow for some.
type Missed struct {
	Missed int `json:"missed"`
}

const (
	drainLook = time.Second      // how often a stream looks whether the server drains
	heartbeat = 15 * time.Second // the longest silence of tail: then comes an empty line, by which gone clients are noticed
	slowest   = 30 * time.Second // for a client to take what is written, else the stream ends
)

type tailInput struct {
	CallbackMatch
	Full bool `query:"full" doc:"With traces and bodies, as export has them."`
}

type exportInput struct {
	CallbackFilter
}

func (c *console) addStreams(api huma.API) {
	tail := get("/api/callbacks/tail", "tail-callbacks", "Follow callbacks as they happen, as JSON Lines")
	tail.Description = "Ends when the gateway shuts down. An empty line is a sign of life; {\"missed\": n} says that the reader was too slow for n."
	export := get("/api/callbacks/export", "export-callbacks", "Export recorded callbacks as JSON Lines, oldest first")
	export.Description = "Lines are what POST /api/replay takes. The connection is cut where reading fails on the way."
	for _, op := range []*huma.Operation{&tail, &export} {
		op.Responses = map[string]*huma.Response{"200": {
			Description: "One recorded callback a line",
			Content:     map[string]*huma.MediaType{JSONLines: {}},
		}}
	}
	huma.Register(api, tail, c.tailCallbacks)
	huma.Register(api, export, c.exportCallbacks)
}

// tailCallbacks streams until the client goes or the server drains.
func (c *console) tailCallbacks(_ context.Context, in *tailInput) (*huma.StreamResponse, error) {
	if c.Journal == nil {
		return nil, errNoJournal
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		s := newStream(hc)
		ctx, end := context.WithCancel(hc.Context())
		var life sync.WaitGroup
		defer life.Wait()
		defer end()
		life.Go(func() {
			defer end()
			s.live(ctx, c.Draining)
		})
		err := c.Journal.Follow(ctx, in.filter(), func(cb *journal.Callback, missed int) bool {
			if missed > 0 && s.write(Missed{missed}) != nil {
				return false
			}
			if !in.Full {
				short := brief(cb)
				cb = &short
			}
			return s.record(cb) == nil && s.flush() == nil
		})
		if err != nil && ctx.Err() == nil && !errors.Is(err, journal.ErrClosed) {
			c.Log.Error("following callbacks failed", "err", err)
		}
	}}, nil
}

// exportCallbacks holds one callback at a time.
func (c *console) exportCallbacks(_ context.Context, in *exportInput) (*huma.StreamResponse, error) {
	if c.Journal == nil {
		return nil, errNoJournal
	}
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		s := newStream(hc)
		var gone error
		err := c.Journal.Find(hc.Context(), f, true, func(cb *journal.Callback) bool {
			gone = s.record(cb)
			return gone == nil
		})
		if err = errors.Join(err, gone, s.flush()); err != nil {
			c.Log.Warn("exporting callbacks ended early", "err", err)
			panic(http.ErrAbortHandler) // so that the client does not take it for the end
		}
	}}, nil
}

// A stream writes JSON Lines.
type stream struct {
	rc *http.ResponseController

	mu    sync.Mutex
	w     *bufio.Writer // guarded by mu
	wrote time.Time     // guarded by mu

	line []byte // of the last record, used again; only for record
}

// newStream sends the header, so that the client knows that it is being served.
func newStream(hc huma.Context) *stream {
	_, w := humago.Unwrap(hc)
	withoutDeadlines(w)
	hc.SetHeader("Content-Type", JSONLines)
	hc.SetHeader("X-Content-Type-Options", "nosniff")
	hc.SetStatus(http.StatusOK)
	s := &stream{rc: http.NewResponseController(w), wrote: time.Now()}
	s.w = bufio.NewWriterSize(impatient{w, s.rc}, 32<<10)
	_ = s.flush()
	return s
}

// record writes a callback as a line; it may stay in the buffer. It must not be called concurrently.
func (s *stream) record(cb *journal.Callback) (err error) {
	if s.line, err = journal.AppendExport(s.line[:0], cb); err != nil {
		return err
	}
	s.line = append(s.line, '\n')
	return s.writeLine(s.line)
}

// write writes a value as a line; it may stay in the buffer.
func (s *stream) write(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.writeLine(append(line, '\n'))
}

func (s *stream) writeLine(line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrote = time.Now()
	_, err := s.w.Write(line)
	return err
}

// flush sends what is in the buffer.
func (s *stream) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flushLocked()
}

func (s *stream) flushLocked() error {
	if err := s.w.Flush(); err != nil {
		return err
	}
	return s.rc.Flush()
}

// live gives signs of life until ctx ends, the client is gone or the server drains.
func (s *stream) live(ctx context.Context, draining func() bool) {
	tick := time.NewTicker(drainLook)
	defer tick.Stop()
	for !draining() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if s.beat() != nil {
				return
			}
		}
	}
}

// beat sends an empty line after a long silence.
func (s *stream) beat() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.wrote) < heartbeat {
		return nil
	}
	s.wrote = time.Now()
	if err := s.w.WriteByte('\n'); err != nil {
		return err
	}
	return s.flushLocked()
}

// An impatient writer gives each write its own deadline: a client that stops reading must not hold on to the journal.
type impatient struct {
	w  io.Writer
	rc *http.ResponseController
}

// Write writes.
func (i impatient) Write(p []byte) (int, error) {
	_ = i.rc.SetWriteDeadline(time.Now().Add(slowest)) // a recorder in a test has none
	return i.w.Write(p)
}
