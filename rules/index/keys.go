package index

// What a key is made of, so that those of different kinds differ.
const (
	equalKey uint64 = iota + 1
	prefixKey
	suffixKey
	gramKey
	shapeKey
)

// mix spreads the bits of two numbers over one.
func mix(a, b uint64) uint64 {
	a = (a ^ b) * 0x9e3779b97f4a7c15
	a ^= a >> 32
	a *= 0xd6e8feb86659fd93
	return a ^ a>>29
}

func keyOf(kind uint64, subject int, value uint64) uint64 {
	return mix(kind<<32|uint64(subject), value)
}

// A keyTable maps keys to lists of numbers. Two keys that happen to be the same share their lists, which only makes
// candidates.
type keyTable struct {
	slots []slot // a power of two of them, at most three quarters used
	nodes []node
	used  int
}

type slot struct {
	key  uint64
	head uint32 // 1 + the first node; 0: the slot is free
}

type node struct {
	number uint32
	next   uint32 // as head
}

// newKeyTable makes room for about n keys.
func newKeyTable(n int) keyTable {
	size := 8
	for size*3/4 < n {
		size *= 2
	}
	return keyTable{slots: make([]slot, size), nodes: make([]node, 0, n)}
}

// slot returns the slot of a key, free when the key is new.
func (t *keyTable) slot(key uint64) *slot {
	mask := uint64(len(t.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.key == key && s.head != 0 || s.head == 0 {
			return s
		}
	}
}

// add puts a number into the list of a key.
func (t *keyTable) add(key uint64, number uint32) {
	if t.used >= len(t.slots)*3/4 {
		t.grow()
	}
	s := t.slot(key)
	if s.head == 0 {
		s.key = key
		t.used++
	}
	t.nodes = append(t.nodes, node{number, s.head})
	s.head = uint32(len(t.nodes))
}

func (t *keyTable) grow() {
	old := t.slots
	t.slots = make([]slot, max(8, 2*len(old)))
	for _, s := range old {
		if s.head != 0 {
			*t.slot(s.key) = s
		}
	}
}

// first returns the list of a key, as head.
func (t *keyTable) first(key uint64) uint32 {
	if len(t.slots) == 0 {
		return 0
	}
	return t.slot(key).head
}
