package journal

import "sync"

// An item is a callback or an attempt on its way in.
type item struct {
	callback *Callback
	attempt  *Attempt
	cost     int // bytes of Options.Buffer that it holds until it is written
}

// hurry is how many bytes may gather before the writer comes at once.
const hurry = 1 << 20

// An inbox takes records from those who must not wait. Its lock is held for a few instructions only.
type inbox struct {
	limit int
	some  chan struct{} // holds at most one: there is something
	many  chan struct{} // holds at most one: there is much

	mu       sync.Mutex
	items    []item
	spare    []item // memory for the next items
	gathered int    // cost of items
	bytes    int    // cost of all that is not yet written
	closed   bool
}

func (b *inbox) init(limit int) {
	b.limit = limit
	b.some, b.many = make(chan struct{}, 1), make(chan struct{}, 1)
}

// put reports whether there was room.
func (b *inbox) put(it item) bool {
	b.mu.Lock()
	if b.closed || b.bytes+it.cost > b.limit {
		b.mu.Unlock()
		return false
	}
	first := len(b.items) == 0
	b.items = append(b.items, it)
	b.bytes += it.cost
	before := b.gathered
	b.gathered += it.cost
	much := before < hurry && b.gathered >= hurry
	b.mu.Unlock()
	if first {
		signal(b.some)
	}
	if much {
		signal(b.many)
	}
	return true
}

// take hands over what has gathered. The caller clears it before the next take.
func (b *inbox) take() []item {
	b.mu.Lock()
	defer b.mu.Unlock()
	items := b.items
	b.items, b.spare, b.gathered = b.spare[:0], items, 0
	return items
}

// free gives room back.
func (b *inbox) free(cost int) {
	b.mu.Lock()
	b.bytes -= cost
	b.mu.Unlock()
}

// used is the cost of all that is not yet written.
func (b *inbox) used() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes
}

// close makes put refuse everything.
func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
