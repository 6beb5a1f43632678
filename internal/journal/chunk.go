package journal

import (
	"fmt"
	"math"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"
)

// meta is what the journal remembers of each chunk. Times are in milliseconds.
type meta struct {
	id           int64
	since, until int64 // first and last At of its callbacks; since > until when it has none
	newest       int64 // last At of all its records
	callbacks    int
	attempts     int
	raw          int  // bytes of its records
	damaged      bool // whether reading it has failed; not stored
}

// A chunk is records on their way to the store.
type chunk struct {
	meta
	records []byte // message Chunk, only ever appended to
	terms   []term
	born    time.Time // when the first record came
	cost    int       // what it holds of Options.Buffer
	shared  bool      // whether a search may still read records
}

// reset makes the chunk empty, using its memory again where nobody else does.
func (c *chunk) reset() {
	records := c.records[:0]
	if c.shared {
		records = nil
	}
	*c = chunk{records: records, terms: c.terms[:0]}
	c.since, c.until, c.newest = math.MaxInt64, math.MinInt64, math.MinInt64
}

func (c *chunk) empty() bool { return len(c.records) == 0 }

func (c *chunk) addCallback(cb *Callback, record []byte) {
	at := cb.At.UnixMilli()
	c.since, c.until, c.newest = min(c.since, at), max(c.until, at), max(c.newest, at)
	c.callbacks++
	c.terms = cb.appendTerms(c.terms)
	c.add(tagCallback, record)
}

func (c *chunk) addAttempt(a *Attempt, record []byte) {
	c.newest = max(c.newest, a.At.UnixMilli())
	c.attempts++
	if a.CallbackID != "" {
		c.terms = append(c.terms, hashTerm(cID, a.CallbackID))
	}
	c.add(tagAttempt, record)
}

func (c *chunk) add(tag protowire.Number, record []byte) {
	if c.empty() {
		c.born = time.Now()
	}
	c.records = appendBytes(c.records, tag, record)
	c.raw = len(c.records)
}

// join adds the records of a chunk that was read back; its terms are the caller's to add.
func (c *chunk) join(m meta, records []byte) {
	c.since, c.until, c.newest = min(c.since, m.since), max(c.until, m.until), max(c.newest, m.newest)
	c.callbacks += m.callbacks
	c.attempts += m.attempts
	c.records = append(c.records, records...)
	c.raw = len(c.records)
}

// maxDecoded bounds what a damaged chunk can make us allocate: a chunk is about a megabyte, and a callback at most a few.
const maxDecoded = 256 << 20

// newCompressor makes what a journal writes with. Compressing costs half of what recording costs, and makes the file a tenth
// of what it would be.
func newCompressor() *zstd.Encoder {
	// It fails for wrong options only.
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	return e
}

// decompressor is safe for concurrent use.
var decompressor, _ = zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxDecoded))

// eachRecord calls f with the records of a chunk until it returns false or an error.
func eachRecord(records []byte, f func(tag int, record []byte) (goOn bool, err error)) error {
	var failed error
	err := eachField(records, func(tag protowire.Number, _ int64, record []byte) bool {
		goOn, err := f(int(tag), record)
		if err != nil {
			failed = fmt.Errorf("reading a record: %w", err)
		}
		return goOn && err == nil
	})
	if failed != nil {
		return failed
	}
	return err
}
