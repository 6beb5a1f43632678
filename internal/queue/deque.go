package queue

// A deque is a ring that grows, and gives memory back when it is empty. The zero value is ready to use.
type deque[T any] struct {
	ring  []T // its length is a power of two
	first int
	n     int
}

// smallRing is the most that an empty deque keeps.
const smallRing = 64

func (d *deque[T]) len() int { return d.n }

// at returns the one at a place from the front.
func (d *deque[T]) at(i int) T { return d.ring[(d.first+i)&(len(d.ring)-1)] }

func (d *deque[T]) pushBack(v T) {
	d.grow()
	d.ring[(d.first+d.n)&(len(d.ring)-1)] = v
	d.n++
}

func (d *deque[T]) pushFront(v T) {
	d.grow()
	d.first = (d.first - 1) & (len(d.ring) - 1)
	d.ring[d.first] = v
	d.n++
}

// popFront takes the first one, which must exist.
func (d *deque[T]) popFront() T {
	var none T
	v := d.ring[d.first]
	d.ring[d.first] = none
	d.first = (d.first + 1) & (len(d.ring) - 1)
	d.n--
	if d.n == 0 && len(d.ring) > smallRing {
		*d = deque[T]{}
	}
	return v
}

func (d *deque[T]) grow() {
	if d.n < len(d.ring) {
		return
	}
	ring := make([]T, max(8, 2*len(d.ring)))
	for i := range d.n {
		ring[i] = d.at(i)
	}
	d.ring, d.first = ring, 0
}
