package sinks_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"callboard/openim"
	"callboard/sinks"
)

// A closer counts how often it is told to close what is idle.
type closer struct {
	transportFunc
	closed atomic.Int32
}

func (c *closer) CloseIdleConnections() { c.closed.Add(1) }

func TestConnectionsOfAnIdleSinkAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &closer{transportFunc: func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 204, Body: http.NoBody, Request: r}, nil
		}}
		s, err := sinks.New(sinks.Options{Name: "sink", URL: "http://sink/", Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		use := func() {
			if a := s.Ask(t.Context(), sinks.Request{}).Answer; a.Vote != openim.Abstain {
				t.Fatalf("answer %+v", a)
			}
		}
		for range 10 { // in use all the time, now and then
			use()
			time.Sleep(time.Minute)
			s.Deliver(t.Context(), sinks.Delivery{})
			time.Sleep(20 * time.Second)
		}
		if transport.closed.Load() != 0 {
			t.Errorf("closed %d times while it was in use", transport.closed.Load())
		}
		time.Sleep(4 * time.Minute)
		if transport.closed.Load() != 1 {
			t.Errorf("closed %d times after four idle minutes, want once", transport.closed.Load())
		}
		time.Sleep(time.Hour)
		use()
		time.Sleep(4 * time.Minute)
		if transport.closed.Load() != 2 {
			t.Errorf("closed %d times after it was used and idle again, want twice", transport.closed.Load())
		}
		s.Close()
		use()
		if transport.closed.Load() != 4 {
			t.Errorf("closed %d times: a closed sink keeps nothing, want 4", transport.closed.Load())
		}
	})
}
