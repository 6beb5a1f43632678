package sqlite

import (
	"encoding/binary"
	"fmt"

	"callboard/internal/queue"
)

// The targets column: a version, then for each target
//
//	0xFF  sink id  key  number of rules  rules
//
// with numbers as varints and texts led by their length. 0xFF stands nowhere in UTF-8, so that a look for 0xFF and a sink id,
// which SQLite does without unpacking (marker), finds few events that do not have the sink; unpacking has the last word.
const (
	targetsVersion = 1
	targetMark     = 0xFF
)

// directory knows sinks by number. It does not change.
type directory struct {
	ids   map[string]int // name → id
	names []string       // id → name
}

// with returns a directory that knows one sink more.
func (d *directory) with(name string) *directory {
	ids := make(map[string]int, len(d.ids)+1)
	for k, v := range d.ids {
		ids[k] = v
	}
	ids[name] = len(d.names)
	return &directory{ids: ids, names: append(d.names[:len(d.names):len(d.names)], name)}
}

// marker is what the column holds of each event that has the sink.
func marker(sink int) []byte { return binary.AppendUvarint([]byte{targetMark}, uint64(sink)) }

// appendTargets packs targets whose sinks d all knows.
func appendTargets(b []byte, d *directory, targets []queue.Target) []byte {
	b = append(b, targetsVersion)
	for i := range targets {
		t := &targets[i]
		b = append(b, targetMark)
		b = binary.AppendUvarint(b, uint64(d.ids[t.Sink]))
		b = appendText(b, t.Key)
		b = binary.AppendUvarint(b, uint64(len(t.Rules)))
		for _, r := range t.Rules {
			b = appendText(b, r)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// unpackTargets is the inverse of appendTargets. texts keeps one copy of each text.
func unpackTargets(b []byte, d *directory, texts texts) ([]queue.Target, error) {
	r := unpacker{b: b}
	r.version()
	var targets []queue.Target
	for r.more() {
		t := queue.Target{}
		if id := r.sink(); id < len(d.names) {
			t.Sink = d.names[id]
		} else {
			r.bad = true
		}
		t.Key = string(r.text())
		if n := r.number(); n > 0 && n <= uint64(len(r.b)) { // each takes a byte at least
			t.Rules = make([]string, n)
			for i := range t.Rules {
				t.Rules[i] = texts.of(r.text())
			}
		} else if n > 0 {
			r.bad = true
		}
		targets = append(targets, t)
	}
	return targets, r.err()
}

// eachSink calls f with the sink ids of a targets column until f returns false.
func eachSink(b []byte, f func(sink int) bool) error {
	r := unpacker{b: b}
	r.version()
	for r.more() {
		id := r.sink()
		r.text()
		for n := r.number(); n > 0 && !r.bad; n-- {
			r.text()
		}
		if !r.bad && !f(id) {
			return nil
		}
	}
	return r.err()
}

// An unpacker reads from the front of b. Once bad, it stays so and reads zeros.
type unpacker struct {
	b   []byte
	bad bool
}

func (r *unpacker) more() bool { return !r.bad && len(r.b) > 0 }

func (r *unpacker) err() error {
	if r.bad {
		return fmt.Errorf("unpacking targets: %w", errDamaged)
	}
	return nil
}

func (r *unpacker) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *unpacker) version() { r.bad = r.byte() != targetsVersion || r.bad }

func (r *unpacker) sink() int {
	r.bad = r.byte() != targetMark || r.bad
	id := r.number()
	if id > 1<<31-1 {
		r.bad = true
		return 0
	}
	return int(id)
}

func (r *unpacker) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *unpacker) text() []byte {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	t := r.b[:n]
	r.b = r.b[n:]
	return t
}

// texts keeps one copy of texts that come again and again in what one call reads: names of rules, commands, sources.
type texts map[string]string

func (t texts) of(b []byte) string {
	if s, ok := t[string(b)]; ok {
		return s
	}
	s := string(b)
	t[s] = s
	return s
}
