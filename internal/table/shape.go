package table

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"callboard/internal/queue"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
	"callboard/sinks"
)

// A shaping makes what a sink gets of a delivery, at each attempt: from what was recorded, by the rules of today.
type shaping struct {
	sink   string
	shaper *rules.Shaper
	log    *slog.Logger
	told   atomic.Bool // whether the log says that something was left out
}

// newShaping returns nil for a sink that gets deliveries as they came.
func newShaping(s *rules.Sink, log *slog.Logger) *shaping {
	if !s.Shaper.Shapes() {
		return nil
	}
	return &shaping{sink: s.Name, shaper: s.Shaper, log: log}
}

// same reports whether two shapings of sinks with the same settings come to the same.
func (s *shaping) same(other *shaping) bool {
	if s == nil || other == nil {
		return s == other
	}
	return s.shaper.Same(other.shaper)
}

// apply makes body and headers of a delivery. Its error means that the body cannot be made.
func (s *shaping) apply(q *queue.Delivery, d *sinks.Delivery) error {
	cb, err := openim.Decode(openim.Request{Path: "/" + strings.TrimPrefix(q.Source+"/"+q.Command, "/"), Body: q.Body})
	if err != nil {
		return fmt.Errorf("reading what was recorded: %w", err)
	}
	shaped, err := s.shaper.Shape(cb, q.At)
	if err != nil {
		return err
	}
	d.Body, d.Headers = shaped.Body, router.HeadersOf(shaped)
	if len(shaped.Notes) > 0 {
		level := slog.LevelDebug
		if !s.told.Swap(true) { // once is enough: it is mostly the same for all
			level = slog.LevelWarn
		}
		s.log.Log(context.Background(), level, "delivery shaped in part", "sink", s.sink, "callback", q.ID, "notes", strings.Join(shaped.Notes, "; "))
	}
	return nil
}
