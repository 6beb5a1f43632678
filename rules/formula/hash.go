package formula

import (
	"hash/maphash"
	"math"
	"sync"
)

// seed is the process's own, so that no sender can choose ids that share a hash.
var seed = maphash.MakeSeed()

// Hash returns a number for a value: the same for values that an atom takes for equal. It reports false of what equals no
// literal.
func Hash(value any) (uint64, bool) {
	switch v := value.(type) {
	case string:
		return HashText(v), true
	case int:
		return HashInt(v), true
	case bool:
		return hashBool(v), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return HashInt(int(v)), true
		}
	}
	return 0, false
}

// HashText is Hash of a text.
func HashText(s string) uint64 { return maphash.String(seed, s) }

// HashInt is Hash of an integer.
func HashInt(n int) uint64 {
	h := (uint64(n) ^ 0x1b873593) * 0x9e3779b97f4a7c15
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>29
}

func hashBool(b bool) uint64 {
	if b {
		return 0x2545f4914f6cdd1d
	}
	return 0x9e6c63d0876a9a47
}

// A Subject is a number for a Field in one View: the same for equal ones, small, and good for the life of the process.
type Subject uint32

type subject struct {
	field Field
	view  View
}

var (
	subjectsMu sync.RWMutex
	subjects   = map[subject]Subject{} // guarded by subjectsMu
)

func subjectOf(f Field, v View) Subject {
	key := subject{f, v}
	subjectsMu.RLock()
	n, ok := subjects[key]
	subjectsMu.RUnlock()
	if ok {
		return n
	}
	subjectsMu.Lock()
	defer subjectsMu.Unlock()
	if n, ok = subjects[key]; !ok {
		n = Subject(len(subjects))
		subjects[key] = n
	}
	return n
}

// prepare works out what an index asks of every atom, once.
func (a *Atom) prepare() *Atom {
	a.subject = subjectOf(a.Field, a.View)
	if n := a.Len(); n > 0 {
		a.hashes = make([]uint64, 0, n)
	}
	for _, t := range a.Texts {
		a.hashes = append(a.hashes, HashText(t))
	}
	for _, n := range a.Ints {
		a.hashes = append(a.hashes, HashInt(n))
	}
	for _, b := range a.Bools {
		a.hashes = append(a.hashes, hashBool(b))
	}
	return a
}

// Subject returns the number of what the atom is about.
func (a *Atom) Subject() Subject { return a.subject }

// Hashes returns Hash of each literal: texts, integers, booleans. The slice must not be changed.
func (a *Atom) Hashes() []uint64 { return a.hashes }
