package testkit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// A Network joins listeners and dialers in memory. Hosts are any names; "sink" and "sink:80" are
// the same. Make it inside the bubble that uses it. It is safe for concurrent use.
type Network struct {
	mu    sync.Mutex
	hosts map[string]*host // address with port → what is known of it; guarded by mu
	dials int              // guarded by mu: gives each client end its port
}

// A host is one address. Its fields are guarded by the network's mutex.
type host struct {
	listener   *listener // nil while nobody listens
	refuse     bool
	hang       bool
	resetAfter int // negative is never
	dialed     int
	open       int
}

// NewNetwork makes an empty network.
func NewNetwork() *Network { return &Network{hosts: map[string]*host{}} }

// Listen takes an address. Closing the listener frees it.
func (n *Network) Listen(address string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hostLocked(address)
	if h.listener != nil {
		panic("testkit: " + address + " is taken")
	}
	h.listener = &listener{network: n, host: h, addr: addr(withPort(address)), queue: make(chan net.Conn, 4096), done: make(chan struct{})}
	return h.listener
}

// DialContext connects to an address, as the field of http.Transport of that name does. Nobody
// listening, or Refuse, gives ECONNREFUSED; Hang makes it wait for ctx.
func (n *Network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	near, far, l, err := n.connect(address)
	if err == nil && near == nil {
		<-ctx.Done()
		err = ctx.Err()
	}
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: "mem", Addr: addr(withPort(address)), Err: err}
	}
	select {
	case l.queue <- far:
		return near, nil
	case <-l.done:
		near.reset()
		return nil, &net.OpError{Op: "dial", Net: "mem", Addr: l.addr, Err: refused()}
	}
}

// connect makes the ends of a new connection, or none and no error when the dial is to hang.
func (n *Network) connect(address string) (near, far *conn, l *listener, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hostLocked(address)
	h.dialed++
	switch {
	case h.hang:
		return nil, nil, nil, nil
	case h.refuse || h.listener == nil:
		return nil, nil, nil, refused()
	}
	n.dials++
	h.open++
	near, far = newConns(addr("client:"+strconv.Itoa(n.dials)), h.listener.addr, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		h.open--
	})
	far.out.resetAfter = h.resetAfter
	return near, far, h.listener, nil
}

// Transport returns a new transport over the network that keeps every idle connection.
func (n *Network) Transport() *http.Transport {
	return &http.Transport{DialContext: n.DialContext, MaxIdleConnsPerHost: 1 << 20}
}

// Serve answers on an address with h until the test (or its bubble) ends; then it closes every
// connection, which ends the contexts of the handlers that still run.
func (n *Network) Serve(t testing.TB, address string, h http.Handler) {
	t.Helper()
	var serving sync.WaitGroup
	server := &http.Server{Handler: h}
	l := n.Listen(address)
	serving.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving %s: %v", address, err)
		}
	})
	t.Cleanup(func() {
		server.Close()
		serving.Wait()
	})
}

// Dialed returns how often an address was dialed, refused and hanging dials included.
func (n *Network) Dialed(address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hostLocked(address).dialed
}

// Open returns how many connections to an address are open now.
func (n *Network) Open(address string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.hostLocked(address).open
}

// Refuse makes dials to an address fail, or succeed again.
func (n *Network) Refuse(address string, refuse bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hostLocked(address).refuse = refuse
}

// Hang makes dials to an address wait until their context ends, or succeed again.
func (n *Network) Hang(address string, hang bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hostLocked(address).hang = hang
}

// ResetAfter resets each later connection to an address once its server has written so many
// bytes. Negative means never.
func (n *Network) ResetAfter(address string, bytes int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hostLocked(address).resetAfter = bytes
}

func (n *Network) hostLocked(address string) *host {
	address = withPort(address)
	h := n.hosts[address]
	if h == nil {
		h = &host{resetAfter: -1}
		n.hosts[address] = h
	}
	return h
}

// A listener hands out the server ends of new connections.
type listener struct {
	network *Network
	host    *host
	addr    addr
	queue   chan net.Conn
	done    chan struct{}
	closing sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "mem", Addr: l.addr, Err: net.ErrClosed}
	}
}

// Close also resets the connections that nobody accepted.
func (l *listener) Close() error {
	l.closing.Do(func() {
		l.network.mu.Lock()
		l.host.listener = nil
		l.network.mu.Unlock()
		close(l.done)
		for {
			select {
			case c := <-l.queue:
				c.(*conn).reset()
			default:
				return
			}
		}
	})
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }

type addr string

func (addr) Network() string  { return "mem" }
func (a addr) String() string { return string(a) }

func withPort(address string) string {
	if strings.Contains(address, ":") {
		return address
	}
	return address + ":80"
}

func refused() error { return os.NewSyscallError("connect", syscall.ECONNREFUSED) }
