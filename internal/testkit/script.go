package testkit

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Step is one answer of a scripted sink. The zero value answers 200 with an empty body at once.
type Step struct {
	Status  int               // zero means 200
	Header  map[string]string // beside what net/http sets
	Body    string
	Delay   time.Duration // before the status line
	Late    time.Duration // between the header and the body
	Trickle time.Duration // between any two bytes of the body
	Repeat  int           // sends the body so many times; zero means once
	Hangs   bool          // never answers
	Resets  bool          // resets the connection instead of answering
	Garbage bool          // Body is written bare, without HTTP around it, and the connection closed
}

// Answer answers with a status and a body.
func Answer(status int, body string) Step { return Step{Status: status, Body: body} }

// Allow answers as IMServer's documentation would: all five fields zero.
func Allow() Step {
	return Answer(200, `{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}`)
}

// Refuse answers with a refusal as IMServer v3.7 and later read it.
func Refuse(code int, message string) Step {
	return Answer(200, fmt.Sprintf(`{"actionCode":0,"errCode":%d,"errMsg":%q,"errDlt":"","nextCode":1}`, code, message))
}

// NoContent answers 204.
func NoContent() Step { return Step{Status: http.StatusNoContent} }

// Redirect answers 302 to a URL.
func Redirect(to string) Step { return Step{Status: 302, Header: map[string]string{"Location": to}} }

// Hang never answers.
func Hang() Step { return Step{Hangs: true} }

// Reset resets the connection.
func Reset() Step { return Step{Resets: true} }

// Garbage writes text that is not HTTP and closes the connection.
func Garbage(text string) Step { return Step{Garbage: true, Body: text} }

// Huge answers 200 with a body of n bytes.
func Huge(n int) Step { return Step{Body: strings.Repeat(" ", 1024), Repeat: (n + 1023) / 1024} }

// After is the step, so much later.
func (s Step) After(d time.Duration) Step {
	s.Delay += d
	return s
}

// A Received is one request that a sink got.
type Received struct {
	Method, Path, RawQuery string
	Host, Proto            string
	Header                 http.Header
	Body                   string
	From                   string // the connection's other end
	At                     time.Time
}

// A Sink is an http.Handler that answers by script and remembers what it was asked. It is safe for
// concurrent use.
type Sink struct {
	mu        sync.Mutex
	script    []Step     // guarded by mu
	got       []Received // guarded by mu
	abandoned int        // guarded by mu
	busy, top int        // guarded by mu
}

// Script makes a sink that takes one step a request; the last step is repeated. Without steps it allows.
func Script(steps ...Step) *Sink {
	if len(steps) == 0 {
		steps = []Step{Allow()}
	}
	return &Sink{script: steps}
}

// Got returns the requests so far, in the order of their arrival.
func (s *Sink) Got() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received(nil), s.got...)
}

// Abandoned returns how many requests ended before their answer was sent, because the caller left.
func (s *Sink) Abandoned() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.abandoned
}

// Peak returns the most requests that were in progress at one moment.
func (s *Sink) Peak() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.top
}

// ServeHTTP reads the request to its end and takes the next step of the script.
func (s *Sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller left while sending
	}
	step := s.next(Received{
		Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Host: r.Host, Proto: r.Proto,
		Header: r.Header.Clone(), Body: string(body), From: r.RemoteAddr, At: time.Now(),
	})
	finished := step.play(r.Context(), w)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	if !finished {
		s.abandoned++
	}
}

func (s *Sink) next(r Received) Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, r)
	s.busy++
	s.top = max(s.top, s.busy)
	return s.script[min(len(s.got), len(s.script))-1]
}

// play answers and reports whether it got to the end of the step.
func (s Step) play(ctx context.Context, w http.ResponseWriter) bool {
	if s.Hangs {
		<-ctx.Done()
		return false
	}
	if !wait(ctx, s.Delay) {
		return false
	}
	if s.Resets || s.Garbage {
		return s.playRaw(w)
	}
	for name, value := range s.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(cmp.Or(s.Status, http.StatusOK))
	flush := http.NewResponseController(w).Flush
	if s.Late > 0 && (flush() != nil || !wait(ctx, s.Late)) {
		return false
	}
	for range max(s.Repeat, 1) {
		if s.Trickle == 0 {
			if _, err := io.WriteString(w, s.Body); err != nil {
				return false
			}
			continue
		}
		for i := range len(s.Body) {
			w.Write([]byte{s.Body[i]})
			if flush() != nil || !wait(ctx, s.Trickle) {
				return false
			}
		}
	}
	return true
}

// playRaw answers past net/http.
func (s Step) playRaw(w http.ResponseWriter) bool {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	defer c.Close()
	if s.Resets {
		if l, ok := underlying(c).(interface{ SetLinger(int) error }); ok {
			l.SetLinger(0) // makes Close a reset
		}
		return true
	}
	_, err = io.WriteString(c, s.Body)
	return err == nil
}

// underlying returns the connection below TLS.
func underlying(c net.Conn) net.Conn {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return c
}

// wait waits d and reports whether ctx lasted.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
