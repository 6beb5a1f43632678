package rules

import (
	"strings"
	"time"
)

// A Batch says how deliveries go together in one request. The zero value: each goes by itself.
type Batch struct {
	Max      int           // deliveries in a request, 0: each goes by itself
	MaxBytes int64         // of their bodies together; 0: see package queue
	Wait     time.Duration // how long one that is not full waits for more
	Format   BatchFormat
	Item     BatchItem
}

// A BatchFormat is how a request holds several deliveries.
type BatchFormat uint8

// The formats.
const (
	Array BatchFormat = iota
	NDJSON
)

// A BatchItem is what of a delivery stands in a batch.
type BatchItem uint8

// What there is.
const (
	Body     BatchItem = iota // of the callback, byte for byte
	Envelope                  // an object around it, with what headers say of a lone delivery
)

const (
	mostInBatch      = 1000
	mostBatchBytes   = 8 << 20
	leastBatchBytes  = 1 << 10
	longestBatchWait = time.Minute
	defaultBatchMax  = 100
	defaultBatchWait = 50 * time.Millisecond
)

var (
	formatWords = []string{"array", "ndjson"}
	itemWords   = []string{"body", "envelope"}
	batchWords  = []string{"off"}
)

var batchKeys = keys[Batch]{
	what: "batch",
	known: []key[Batch]{
		{"max", func(d *decoder, n *node, b *Batch) { d.count(n, "max", 1, mostInBatch, &b.Max) }},
		{"wait", func(d *decoder, n *node, b *Batch) { d.duration(n, "wait", longestBatchWait, &b.Wait) }},
		{"bytes", func(d *decoder, n *node, b *Batch) { d.bytes(n, "bytes", leastBatchBytes, mostBatchBytes, &b.MaxBytes) }},
		{"format", func(d *decoder, n *node, b *Batch) {
			choice(d, n, "format", formatWords, []BatchFormat{Array, NDJSON}, &b.Format)
		}},
		{"item", func(d *decoder, n *node, b *Batch) {
			choice(d, n, "item", itemWords, []BatchItem{Body, Envelope}, &b.Item)
		}},
	},
}

func (d *decoder) batch(n *node, s *sinkDraft) {
	n = d.resolve(n)
	if n.kind == scalarNode {
		text, ok := d.scalar(n, "batch")
		if ok && text != batchWords[0] {
			d.fail(d.place(n), idUnknownWord, "off, or how many go together, as in {max: 100, wait: 50ms}", "batch cannot be %q", n.text)
			return
		}
		s.Batch = Batch{}
		return
	}
	if s.Batch.Max == 0 { // else it comes from defaults
		s.Batch.Max, s.Batch.Wait = defaultBatchMax, defaultBatchWait
	}
	readMapping(d, n, batchKeys, &s.Batch)
}

// checkBatchURL finds placeholders in the URL of a sink that gets batches.
func (s *sinkDraft) checkBatchURL() {
	if s.Batch.Max == 0 || !strings.Contains(s.URL, "{command}") && !strings.Contains(s.URL, "{source}") {
		return
	}
	at := s.at
	if own, ok := s.has["batch"]; ok {
		at = own
	}
	s.from.fail(at, idBatchURL, "leave the placeholder out, and take command and source from `item: envelope`; or write batch: off",
		"sink %q gets batches, and its url has a placeholder for what differs between the callbacks of one", s.Name)
}

// warnOfBatchHeaders warns of computed headers that deliveries of a sink do not have: a batch has one set of headers.
func (s *sinkDraft) warnOfBatchHeaders() {
	if s.Batch.Max == 0 || s.Batch.Item == Envelope || len(s.SetHeaders) == 0 {
		return
	}
	at := s.at
	if own, ok := s.has["batch"]; ok {
		at = own
	}
	var names []string
	for _, h := range s.SetHeaders {
		names = append(names, h.Name)
	}
	s.from.warn(at, idBatchHeaders, "write item: envelope, which has a place for them, or set fields of the body instead",
		"sink %q gets batches of bodies alone, so its deliveries go without the computed headers %s", s.Name, strings.Join(names, ", "))
}

// warnIdleAnswer warns of settings for reading the answers of a sink that is only notified.
func (s *sinkDraft) warnIdleAnswer() {
	switch {
	case s.Batch.Max > 0:
		s.warnIdle("the answer to a batch is read as results only", "dialect")
	case !s.NeedsReply:
		s.warnIdle("its answer is read only with success: reply", "dialect", "max_answer")
	}
}
