package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A sinkRole is a service that takes everything, unless it is told to fail. It counts, and where the operation id is a
// time in nanoseconds it notes how old a delivery is.
type sinkRole struct {
	taken   atomic.Int64
	failing atomic.Bool

	mu   sync.Mutex
	ages []time.Duration
}

func (s *sinkRole) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /", s.take)
	mux.HandleFunc("POST /fail", func(http.ResponseWriter, *http.Request) { s.failing.Store(true) })
	mux.HandleFunc("GET /taken", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s.taken.Load()) })
	mux.HandleFunc("GET /ages", s.percentiles)
	return mux
}

func (s *sinkRole) take(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	s.taken.Add(1)
	if s.failing.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if sent, err := strconv.ParseInt(r.Header.Get("operationID"), 10, 64); err == nil {
		s.mu.Lock()
		s.ages = append(s.ages, time.Since(time.Unix(0, sent)))
		s.mu.Unlock()
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, allow)
}

// percentiles answers p50 and p99 in microseconds, and forgets.
func (s *sinkRole) percentiles(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(w, "%d %d", percentile(s.ages, 50).Microseconds(), percentile(s.ages, 99).Microseconds())
	s.ages = nil
}

func percentile(d []time.Duration, p int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[(len(d)-1)*p/100]
}
