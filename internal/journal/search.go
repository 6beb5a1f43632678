package journal

import (
	"context"
	"fmt"
	"math"
	"strings"
)

// A search reads the journal as it was at one moment: chunks by their ids, and copies of what was not yet written.
type search struct {
	store  *store
	chunks []source // by ascending id, what is not yet written last
	buf    []byte   // memory for decompressing
	failed error    // of the first chunk that could not be read
	broken int      // chunks that could not be read
}

// A source is a chunk to be read.
type source struct {
	meta
	inMemory []byte // its records, nil for a chunk in the store
}

// begin takes the picture; wanted chooses chunks. The search has to end.
func (j *Journal) begin(wanted func(*meta) bool) (*search, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil, ErrClosed
	}
	j.drainLocked()
	s := &search{store: j.store}
	for i := range j.written {
		if wanted(&j.written[i]) {
			s.chunks = append(s.chunks, source{meta: j.written[i]})
		}
	}
	for _, c := range append(j.waiting[:len(j.waiting):len(j.waiting)], j.open) {
		if !c.empty() && wanted(&c.meta) {
			c.shared = true
			s.chunks = append(s.chunks, source{c.meta, c.records[:len(c.records):len(c.records)]})
		}
	}
	j.searches++
	return s, nil
}

func (j *Journal) end(*search) {
	j.mu.Lock()
	j.searches--
	j.mu.Unlock()
}

// lookAhead is how many chunks' terms are read with one query.
const lookAhead = 128

// choose calls yield with those of chunks, in their order, that may hold all terms, until it returns false.
func (s *search) choose(ctx context.Context, chunks []source, terms []term, yield func(*source) bool) error {
	for len(chunks) > 0 {
		batch := chunks[:min(len(chunks), lookAhead)]
		chunks = chunks[len(batch):]
		holds, err := s.holding(ctx, batch, terms)
		if err != nil {
			return err
		}
		for i := range batch {
			if len(terms) > 0 && batch[i].inMemory == nil && !holds[batch[i].id] {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if !yield(&batch[i]) {
				return nil
			}
		}
	}
	return nil
}

// holding returns which chunks of the store hold all terms.
func (s *search) holding(ctx context.Context, batch []source, terms []term) (map[int64]bool, error) {
	first, last := int64(math.MaxInt64), int64(0)
	for i := range batch {
		if batch[i].inMemory == nil {
			first, last = min(first, batch[i].id), max(last, batch[i].id)
		}
	}
	if len(terms) == 0 || first > last {
		return nil, nil
	}
	holds := make(map[int64]bool, len(batch))
	err := s.store.terms(ctx, first, last, func(id int64, packed []byte) {
		if holdsTerms(packed, terms) {
			holds[id] = true
		}
	})
	if err != nil {
		return nil, fmt.Errorf("searching the journal: %w", err)
	}
	return holds, nil
}

// read calls f with the records of a chunk; they are valid until the next read. A chunk that cannot be read is left out, and
// told at the end.
func (s *search) read(ctx context.Context, c *source, f func(tag int, record []byte) (goOn bool, err error)) {
	records, err := c.inMemory, error(nil)
	if records == nil {
		if records, err = s.store.records(ctx, c.id, s.buf); err == nil {
			s.buf = records
		}
	}
	if err == nil {
		err = eachRecord(records, f)
	}
	if err != nil && ctx.Err() == nil {
		s.broken++
		if s.failed == nil {
			s.failed = fmt.Errorf("reading chunk %d of the journal (%d callbacks, %d attempts): %w", c.id, c.callbacks, c.attempts, err)
		}
	}
}

// err is what went wrong, while the rest was found.
func (s *search) err() error {
	if s.broken > 1 {
		return fmt.Errorf("%w; %d more chunks cannot be read", s.failed, s.broken-1)
	}
	return s.failed
}

// ulidTime returns the milliseconds that a ULID begins with: 48 bits in ten characters (github.com/ulid/spec). An id of
// another kind has none.
func ulidTime(id string) (ms int64, ok bool) {
	if len(id) != 26 {
		return 0, false
	}
	for _, c := range strings.ToLower(id[:10]) {
		digit := strings.IndexRune("0123456789abcdefghjkmnpqrstvwxyz", c)
		if digit < 0 {
			return 0, false
		}
		ms = ms<<5 | int64(digit)
	}
	return ms, true
}
