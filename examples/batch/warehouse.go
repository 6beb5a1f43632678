package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// maxBatch is more than batch.bytes of the rules, for the envelopes.
const maxBatch = 16 << 20

// A warehouse is the service. It is safe for concurrent use.
type warehouse struct {
	mu  sync.Mutex // guards what follows
	out io.Writer
	had map[string]bool // delivery id → written. A real service keeps it in the table that it writes to
}

func newWarehouse(out io.Writer) *warehouse { return &warehouse{out: out, had: map[string]bool{}} }

// An envelope is one delivery of a batch, with what the warehouse reads of its callback.
type envelope struct {
	ID   string          `json:"id"`
	Body json.RawMessage `json:"body"`
}

// A result is the answer to one delivery. Its status is what the answer to a lone delivery would have been.
type result struct {
	ID     string `json:"id"`
	Status int    `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// ServeHTTP takes a batch: what can be written is written in one go, or nothing is. The answer names only what was not taken.
func (w *warehouse) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var batch []envelope
	if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxBatch)).Decode(&batch); err != nil {
		http.Error(rw, "not a batch", http.StatusBadRequest) // Callboard tries again in halves, down to the one that is to blame
		return
	}
	refused, err := w.write(batch)
	if err != nil {
		rw.Header().Set("Retry-After", "30")
		http.Error(rw, "the warehouse cannot write", http.StatusServiceUnavailable) // all come again
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(map[string][]result{"results": refused}) // where it is lost, all come again and are known
}

// write writes the messages that have not been written yet, and returns what is wrong with others.
func (w *warehouse) write(batch []envelope) (refused []result, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	refused = []result{}
	var lines bytes.Buffer
	written := map[string]bool{}
	for _, e := range batch {
		var message struct{ GroupID, SendID, Content string }
		switch {
		case w.had[e.ID]: // a repeat is done already, and says so by not being named
		case json.Unmarshal(e.Body, &message) != nil || message.GroupID == "":
			refused = append(refused, result{e.ID, http.StatusUnprocessableEntity, "no message of a group"})
		default:
			fmt.Fprintf(&lines, "%s %s: %q\n", message.GroupID, message.SendID, message.Content)
			written[e.ID] = true
		}
	}
	if _, err := w.out.Write(lines.Bytes()); err != nil {
		return nil, err
	}
	for id := range written {
		w.had[id] = true
	}
	return refused, nil
}
