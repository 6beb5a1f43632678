package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"callboard/router"
)

// lastRequests is how long the connections that were taken last may take to send their request. Once Shutdown has
// begun, net/http closes a connection without an answer when a request arrives on it.
const lastRequests = 250 * time.Millisecond

// stop ends the listeners: /readyz has turned already, load balancers get time to see it, callbacks
// and then deliveries in flight get time to finish.
func (c serveCmd) stop(callbacks *http.Server, listener net.Listener, gateway *router.Gateway, kept *storage, admin *http.Server) error {
	time.Sleep(c.DrainDelay)
	var errs []error
	if err := listener.Close(); err != nil {
		errs = append(errs, fmt.Errorf("closing the callbacks listener: %w", err))
	}
	time.Sleep(lastRequests)
	ctx, cancel := context.WithTimeout(context.Background(), c.ShutdownTimeout)
	defer cancel()
	if err := callbacks.Shutdown(ctx); err != nil {
		errs = append(errs, fmt.Errorf("finishing callbacks in flight: %w", err), callbacks.Close())
	}
	if err := gateway.Drain(ctx); err != nil {
		errs = append(errs, fmt.Errorf("finishing requests to sinks: %w", err))
	}
	if kept != nil {
		kept.stop(ctx)
	}
	return errors.Join(append(errs, admin.Close())...)
}

// closingWhen lets h answer with Connection: close once draining: clients then leave by themselves,
// and none meets a connection that closes under it.
func closingWhen(draining *atomic.Bool, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if draining.Load() {
			w.Header().Set("Connection", "close")
		}
		h.ServeHTTP(w, r)
	})
}
