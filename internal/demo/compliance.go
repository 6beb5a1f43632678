package demo

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"callboard/router"
)

// A complianceService gets what rules notify it of, later and durably. It knows a delivery by its webhook-id, as any
// receiver should, so that one that comes twice counts once. The player says when it is out.
type complianceService struct {
	out    atomic.Bool
	queued atomic.Int64 // callbacks whose notification was accepted

	mu       sync.Mutex      // guards what follows
	ids      map[string]bool // webhook-id → seen
	refused  int             // attempts while it was out
	complete bool            // whether the last thing shown was that it has everything
}

func (s *complianceService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out.Load() {
		s.refused++
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	if s.ids == nil {
		s.ids = make(map[string]bool)
	}
	s.ids[r.Header.Get("webhook-id")] = true
}

// accepted counts a callback that is to reach the service.
func (s *complianceService) accepted(t *router.Trace) {
	if !t.Queued {
		return
	}
	for _, target := range t.Notified {
		if target.Sink == "compliance" {
			s.queued.Add(1)
		}
	}
}

// counts returns how many callbacks the service should have, how many it has, and how often it turned one away.
func (s *complianceService) counts() (want, got, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.queued.Load()), len(s.ids), s.refused
}

// set puts the service out of order or back, and shows it when that is news.
func (s *complianceService) set(out bool, show *screen) {
	if s.out.Swap(out) == out {
		return
	}
	want, got, refused := s.counts()
	if out {
		show.print(line(clock(time.Now()), "COMPLIANCE IS OUT OF ORDER: what it should get waits on disk, the chat goes on"))
		return
	}
	show.print(line(clock(time.Now()), fmt.Sprintf("COMPLIANCE IS BACK: %d deliveries wait for it; it turned away %d attempts", want-got, refused)))
	s.mu.Lock()
	s.complete = false
	s.mu.Unlock()
}

// tell shows, once, that the service has caught up.
func (s *complianceService) tell(show *screen) {
	want, got, refused := s.counts()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.complete || got < want || refused == 0 || s.out.Load() {
		return
	}
	s.complete = true
	show.print(line(clock(time.Now()), fmt.Sprintf("COMPLIANCE HAS CAUGHT UP: %d of %d delivered, nothing lost", got, want)))
}

// settle waits until the service has everything that was accepted for it.
func (s *complianceService) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*patience)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		want, got, _ := s.counts()
		if got >= want {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("compliance has %d of %d deliveries: %w", got, want, ErrUnexpected)
		}
	}
}
