package journal

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
)

// Find calls yield with the callbacks that f chooses until it returns false: newest first, or oldest first, by At and then
// by id. What was recorded before the call is found, written or not; what expires meanwhile may be left out. Where a part
// of the file cannot be read, Find goes on with the rest and returns an error at the end.
func (j *Journal) Find(ctx context.Context, f Filter, oldestFirst bool, yield func(*Callback) bool) error {
	q := f.query()
	s, err := j.begin(func(m *meta) bool { return m.callbacks > 0 && m.since < q.until && m.until >= q.since })
	if err != nil {
		return err
	}
	defer j.end(s)

	o := order{oldestFirst}
	slices.SortStableFunc(s.chunks, func(a, b source) int { return cmp.Compare(o.first(&a), o.first(&b)) })
	var hits []hit // found, not yet yielded: the first last
	goOn := true
	// emit yields the hits that come before everything that is still to be read.
	emit := func(next int64) {
		slices.SortFunc(hits, func(a, b hit) int { return o.compare(&b, &a) })
		for goOn && len(hits) > 0 && o.place(hits[len(hits)-1].at) < next {
			h := hits[len(hits)-1]
			hits = hits[:len(hits)-1]
			c, err := decodeCallback(h.record)
			goOn = err == nil && yield(c)
		}
		for i := range hits {
			hits[i].keep()
		}
	}
	err = s.choose(ctx, s.chunks, q.terms, func(c *source) bool {
		if emit(o.first(c)); !goOn {
			return false
		}
		s.read(ctx, c, func(tag int, record []byte) (bool, error) {
			if tag == tagCallback {
				h, ok, err := q.look(record)
				if err != nil {
					return false, err
				}
				if ok {
					hits = append(hits, h)
				}
			}
			return true, nil
		})
		return true
	})
	if err != nil {
		return err
	}
	if emit(math.MaxInt64); !goOn {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.err()
}

// A hit is a callback that was found, still encoded.
type hit struct {
	at     int64
	id     string
	record []byte
	kept   bool // whether record is a copy
}

// keep makes the record outlive the chunk that it is in.
func (h *hit) keep() {
	if !h.kept {
		h.record, h.kept = slices.Clone(h.record), true
	}
}

// An order places times so that what comes first is smaller.
type order struct{ oldestFirst bool }

func (o order) place(at int64) int64 {
	if o.oldestFirst {
		return at
	}
	return -at
}

// first is the place of the first callback of a chunk.
func (o order) first(c *source) int64 {
	if o.oldestFirst {
		return c.since
	}
	return -c.until
}

func (o order) compare(a, b *hit) int {
	if byTime := cmp.Compare(o.place(a.at), o.place(b.at)); byTime != 0 {
		return byTime
	}
	if o.oldestFirst {
		return cmp.Compare(a.id, b.id)
	}
	return cmp.Compare(b.id, a.id)
}

// Get returns one callback by id, with the attempts at its deliveries in the order of time. It returns ErrNotFound.
func (j *Journal) Get(ctx context.Context, id string) (*Callback, []Attempt, error) {
	// Nothing about a callback is recorded before it came, by a clock that is somewhat right. If it was not, all is searched.
	if ms, ok := ulidTime(id); ok {
		c, attempts, err := j.get(ctx, id, ms-time.Minute.Milliseconds())
		if c != nil || err != nil {
			return c, attempts, err
		}
	}
	c, attempts, err := j.get(ctx, id, math.MinInt64)
	if c == nil && err == nil {
		err = ErrNotFound
	}
	return c, attempts, err
}

// get looks at chunks that have something of that time or later.
func (j *Journal) get(ctx context.Context, id string, from int64) (callback *Callback, attempts []Attempt, err error) {
	s, err := j.begin(func(m *meta) bool { return m.newest >= from })
	if err != nil {
		return nil, nil, err
	}
	defer j.end(s)
	err = s.choose(ctx, s.chunks, []term{hashTerm(cID, id)}, func(c *source) bool {
		s.read(ctx, c, func(tag int, record []byte) (bool, error) {
			switch {
			case tag == tagCallback && hasID(record, cID, id):
				callback, err = decodeCallback(record)
			case tag == tagAttempt && hasID(record, aCallback, id):
				var a Attempt
				a, err = decodeAttempt(record)
				attempts = append(attempts, a)
			}
			return true, err
		})
		return true
	})
	slices.SortStableFunc(attempts, func(a, b Attempt) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Sink, b.Sink), cmp.Compare(a.Attempt, b.Attempt))
	})
	if err == nil && callback == nil {
		err = s.err() // else there is enough to show
	}
	return callback, attempts, err
}
