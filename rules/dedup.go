package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"callboard/openim"
	"callboard/rules/when"
)

// The bounds of a window: below, hardly a repeat would fall into it; all keys of it are in memory.
const (
	shortestWindow = time.Second
	longestWindow  = 24 * time.Hour
)

// A dedupDraft is the dedup of a file.
type dedupDraft struct {
	Dedup
	from *decoder
	at   place
	key  *node
}

var dedupKeys = keys[dedupDraft]{
	what: "dedup",
	known: []key[dedupDraft]{
		{"window", func(d *decoder, n *node, f *dedupDraft) { d.window(n, "window", f) }},
		{"key", func(d *decoder, n *node, f *dedupDraft) {
			if f.key = d.keyNode(n, "key"); f.key != nil {
				f.Key = strings.TrimSpace(f.key.text)
			}
		}},
	},
}

func (d *decoder) window(n *node, what string, f *dedupDraft) {
	d.durationWithin(n, what, shortestWindow, longestWindow, &f.Window)
}

// dedup reads the dedup of a file: a mapping, or its window alone.
func (d *decoder) dedup(n *node) *dedupDraft {
	n = d.resolve(n)
	f := &dedupDraft{from: d, at: d.place(n)}
	if n.kind == scalarNode {
		d.window(n, "dedup", f)
		return f
	}
	has, ok := readMapping(d, n, dedupKeys, f)
	if _, given := has["window"]; ok && !given {
		d.fail(f.at, idMissingKey, "as in `dedup: {window: 10m}`", "dedup has no window")
	}
	return f
}

// checkDedup compiles the key of dedup, which one file may have.
func (l *loader) checkDedup() {
	for i, f := range l.dedups {
		if i > 0 {
			first := l.dedups[0]
			f.from.fail(f.at, idDuplicateDedup, "it is for all callbacks: keep one of them", "dedup is already set at %s:%d", first.from.name, first.at.line)
		}
		if f.key != nil {
			f.Dedup.key = f.from.compileKey(f.key, nil, "")
		}
	}
}

// dedup returns what the files say about it, or else the options.
func (l *loader) dedup() *Dedup {
	if len(l.dedups) == 0 {
		if l.window == 0 {
			return nil
		}
		return &Dedup{Window: l.window}
	}
	d := l.dedups[0].Dedup
	if d.key != nil {
		d.env = when.NewEnv(nil, d.key)
	}
	return &d
}

// DedupKey returns what the same callback would have in common with cb when it comes again, as the table's dedup says. ok
// is false when there is no such thing: dedup is off, its expression gives "" or fails, or, without an expression, the
// callback has neither a serverMsgID nor an operationID. Callbacks of different commands or sources never share a key. It
// reads cb lazily, so cb must not be used by others meanwhile.
func (s *Set) DedupKey(cb *openim.Callback) (key string, ok bool) {
	if s.Dedup == nil {
		return "", false
	}
	id := s.Dedup.identity(cb)
	if id == "" {
		return "", false
	}
	name := cb.Name
	if cb.Command != nil {
		name = cb.Command.Name // which has older names, too
	}
	return cb.Source + "\x00" + name + "\x00" + id, true
}

// identity tells a callback from others of its command.
func (d *Dedup) identity(cb *openim.Callback) string {
	if d.key != nil {
		scope := d.env.Bind(cb, time.Time{}) // keys do not read the time
		defer scope.Release()
		key, err := scope.Key(d.key)
		if err != nil {
			return ""
		}
		return shortKey(key)
	}
	if id := cb.Value("serverMsgID", openim.String).(string); id != "" {
		return "message " + shortKey(id)
	}
	operation := cb.OperationID()
	if operation == "" { // then two users may do the same in the same words
		return ""
	}
	sum := sha256.Sum256(cb.Body)
	return "operation " + shortKey(operation) + " " + hex.EncodeToString(sum[:])
}
