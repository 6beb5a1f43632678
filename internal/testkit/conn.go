package testkit

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// buffered is how many bytes a stream holds before its writer waits, so that a flood meets
// back pressure as it does on a real network.
const buffered = 64 << 10

// A stream is one direction of a connection. Waiting is on a condition, which a synctest bubble
// counts as durably blocked.
type stream struct {
	mu      sync.Mutex
	changed *sync.Cond

	// All below is guarded by mu.
	data          []byte
	ended         bool  // the writer closed: what is left can be read, then EOF
	broken        error // both sides fail at once with it
	resetAfter    int   // written bytes until the connection is reset; negative is never
	readDeadline  deadline
	writeDeadline deadline
}

// A deadline wakes those who wait when its time comes.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func newStream() *stream {
	s := &stream{resetAfter: -1}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (s *stream) setDeadline(d *deadline, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if !at.IsZero() && !d.passed() {
		d.timer = time.AfterFunc(time.Until(at), s.wake)
	}
	s.changed.Broadcast()
}

func (s *stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed.Broadcast()
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.broken != nil:
			return 0, s.broken
		case s.readDeadline.passed():
			return 0, os.ErrDeadlineExceeded
		case len(s.data) > 0 || len(p) == 0:
			n := copy(p, s.data)
			s.data = s.data[n:]
			s.changed.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

// write returns how much was written and whether that used up resetAfter.
func (s *stream) write(p []byte) (written int, reset bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.broken != nil:
			return written, false, s.broken
		case s.ended:
			return written, false, syscall.EPIPE
		case s.writeDeadline.passed():
			return written, false, os.ErrDeadlineExceeded
		case s.resetAfter == 0:
			return written, true, syscall.ECONNRESET
		case len(p) == 0:
			return written, false, nil
		}
		n := min(len(p), buffered-len(s.data))
		if s.resetAfter > 0 {
			n = min(n, s.resetAfter)
			s.resetAfter -= n
		}
		if n == 0 {
			s.changed.Wait()
			continue
		}
		s.data = append(s.data, p[:n]...)
		p, written = p[n:], written+n
		s.changed.Broadcast()
	}
}

// finish ends the stream: nil as when the writer closes, an error at once for both sides.
func (s *stream) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if err != nil && s.broken == nil {
		s.broken = err
	}
	s.changed.Broadcast()
}

// A conn is one end of a connection.
type conn struct {
	in, out       *stream
	local, remote net.Addr
	closeOnce     sync.Once
	onClose       func()

	mu       sync.Mutex
	lingerOf int // guarded by mu: zero makes Close a reset, as in TCP
	closed   bool
}

// newConns makes the two ends of a connection. ended is called when the first of them closes.
func newConns(client, server net.Addr, ended func()) (near, far *conn) {
	there, back := newStream(), newStream()
	once := sync.OnceFunc(ended)
	near = &conn{in: back, out: there, local: client, remote: server, onClose: once, lingerOf: -1}
	far = &conn{in: there, out: back, local: server, remote: client, onClose: once, lingerOf: -1}
	return near, far
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.opError("read", err)
}

func (c *conn) Write(p []byte) (int, error) {
	n, reset, err := c.out.write(p)
	if reset {
		c.reset()
	}
	return n, c.opError("write", err)
}

func (c *conn) opError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		err = net.ErrClosed
	}
	return &net.OpError{Op: op, Net: "mem", Source: c.local, Addr: c.remote, Err: err}
}

// SetLinger(0) makes Close reset the connection, like its namesake of net.TCPConn.
func (c *conn) SetLinger(sec int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lingerOf = sec
	return nil
}

func (c *conn) Close() error {
	c.closeOnce.Do(func() {
		c.mu.Lock()
		c.closed = true
		abort := c.lingerOf == 0
		c.mu.Unlock()
		if abort {
			c.reset()
		} else {
			c.in.finish(syscall.EPIPE) // first, so that this side reads nothing of what the other does about it
			c.out.finish(nil)
		}
		c.onClose()
	})
	return nil
}

// reset breaks both directions at once; nothing that was written can be read any more.
func (c *conn) reset() {
	c.out.finish(syscall.ECONNRESET)
	c.in.finish(syscall.ECONNRESET)
	c.onClose()
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readDeadline, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeDeadline, t)
	return nil
}
