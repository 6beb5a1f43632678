package sinks_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"callboard/openim"
	"callboard/sinks"
)

// A closer counts how often it is told to close what is idle.
type closer struct {
	transportFunc
	closed int
}

func (c *closer) CloseIdleConnections() { c.closed++ }

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
		if transport.closed != 0 {
			t.Errorf("closed %d times while it was in use", transport.closed)
		}
		time.Sleep(3 * time.Minute)
		if transport.closed != 1 {
			t.Errorf("closed %d times after three idle minutes, want once", transport.closed)
		}
		time.Sleep(time.Hour)
		use()
		time.Sleep(3 * time.Minute)
		if transport.closed != 2 {
			t.Errorf("closed %d times after it was used and idle again, want twice", transport.closed)
		}
		s.Close()
		use()
		if transport.closed != 4 {
			t.Errorf("closed %d times: a closed sink keeps nothing, want 4", transport.closed)
		}
	})
}
