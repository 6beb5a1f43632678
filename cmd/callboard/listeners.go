package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// listen opens a listener. Its error says which flag to change.
func listen(name, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err == nil {
		return l, nil
	}
	flag := map[string]string{"callbacks": "--listen", "admin": "--admin"}[name]
	hint := fmt.Sprintf("%s takes host:port, as in :8080 or 127.0.0.1:8080", flag)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = fmt.Sprintf("another process has that port: stop it, or give another one with %s; port 0 takes a free one", flag)
	case errors.Is(err, syscall.EACCES):
		hint = fmt.Sprintf("ports below 1024 need privileges: give another one with %s", flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = fmt.Sprintf("this machine does not have that address: give one of its own, or only :port, with %s", flag)
	}
	return nil, hinted(fmt.Errorf("opening the %s listener: %w", name, err), hint)
}

const (
	headerTimeout = 5 * time.Second  // for the headers of a request to arrive
	writeMargin   = 5 * time.Second  // for the answer to leave, beyond the body's and the callback's time
	adminTimeout  = 30 * time.Second // for an admin request as a whole
	maxHeaders    = 64 << 10         // bytes of an admin request

	// Bytes of a callback. The operationID header is the one of the user's own request, of which IMServer's API takes
	// net/http's default, 1 MiB; the answer 431 would be a refusal.
	maxCallbackHeaders = 2 * http.DefaultMaxHeaderBytes
)

// callbacksServer stands slow clients: whoever sends slower than IMServer would wait, or does not read
// its answer, is cut off.
func (c serveCmd) callbacksServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:                      h,
		DisableGeneralOptionsHandler: true,                                     // OPTIONS * gets the gateway's answer as everything does
		ReadTimeout:                  clientCap,                                // for headers too: a time-out of their own would cost each callback another timer
		WriteTimeout:                 clientCap + c.AnswerWithin + writeMargin, // runs from the headers on
		IdleTimeout:                  c.IdleTimeout,
		MaxHeaderBytes:               maxCallbackHeaders,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

func (c serveCmd) adminServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       adminTimeout,
		WriteTimeout:      adminTimeout,
		MaxHeaderBytes:    maxHeaders,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
