package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/router"
)

// net/http closes a connection without an answer when its request arrives after Shutdown has begun.
func TestStopAnswersWhoeverGotAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := testkit.NewNetwork()
		c := serveCmd{AnswerWithin: 4 * time.Second, IdleTimeout: time.Minute, DrainDelay: time.Second, ShutdownTimeout: 15 * time.Second}
		gateway := router.New(router.Options{})
		var draining atomic.Bool
		draining.Store(true)
		callbacks := c.callbacksServer(closingWhen(&draining, gateway), slog.New(slog.DiscardHandler))
		listener := network.Listen("gateway:80")
		var serving sync.WaitGroup
		serving.Go(func() {
			if err := serve("callbacks", callbacks, listener); err != nil {
				t.Error(err)
			}
		})
		begun := time.Now()
		serving.Go(func() {
			if err := c.stop(callbacks, listener, gateway, nil, new(http.Server)); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(c.DrainDelay - time.Millisecond)
		conn, err := network.DialContext(t.Context(), "mem", "gateway:80")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		time.Sleep(2 * time.Millisecond)
		if _, err := network.DialContext(t.Context(), "mem", "gateway:80"); err == nil {
			t.Error("a connection was taken after the drain delay")
		}
		wantAnswer(t, conn)
		serving.Wait()
		if took := time.Since(begun); took > c.DrainDelay+time.Second {
			t.Errorf("stopping took %v", took)
		}
	})
}

func TestAJournalThatHangsDoesNotHoldUpTheEndForEver(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration // after it was told to end
		want  error
	}{
		"it writes what it has": {time.Second, nil},
		"its disk is away":      {time.Hour, errJournalHangs},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithCancel(t.Context())
				time.AfterFunc(time.Hour, end)
				begun := time.Now()
				err := endsWithin(ctx, journalPatience, func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(c.takes)
					return nil
				})
				if took := time.Since(begun) - time.Hour; !errors.Is(err, c.want) || took != min(c.takes, journalPatience) {
					t.Errorf("ended %v after it was told to: %v, want %v", took, err, c.want)
				}
				time.Sleep(c.takes) // what was left behind must not outlive the bubble
			})
		})
	}
}

// wantAnswer sends a callback on a connection and expects an allow that closes it.
func wantAnswer(t *testing.T, conn net.Conn) {
	t.Helper()
	if _, err := io.WriteString(conn, "POST /callbackX HTTP/1.1\r\nHost: gateway\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(resp.Body)
	if reading := openim.ReadReply(reply, nil, openim.V37); err != nil || reading.Refused || !resp.Close {
		t.Errorf("reply %s, %v: %s; closing: %v", reply, err, reading.Why, resp.Close)
	}
}
