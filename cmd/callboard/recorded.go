package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"callboard/internal/journal"
)

// An input is a callback for explain or send.
type input struct {
	body     []byte
	recorded *journal.Callback // nil: it is a bare body
	place    string            // for messages: the file, and the line where there may be several
}

// inputs reads a file, or standard input for "-": one callback's body, or recorded callbacks as callbacks export writes them,
// one a line, of which it holds one at a time. What the first line is decides.
func (a *app) inputs(name string) iter.Seq2[input, error] {
	return func(yield func(input, error) bool) {
		file := io.NopCloser(a.stdin)
		if name != "-" {
			f, err := os.Open(name)
			if err != nil {
				yield(input{}, fmt.Errorf("reading the callback: %w", err))
				return
			}
			file = f
		}
		defer file.Close()
		lines := bufio.NewReaderSize(file, 64<<10)
		first, err := lines.ReadBytes('\n')
		if err == nil || errors.Is(err, io.EOF) {
			if isRecord(first) {
				a.records(io.MultiReader(bytes.NewReader(first), lines), name, yield)
				return
			}
			var rest []byte
			rest, err = io.ReadAll(lines)
			first = append(first, rest...)
		}
		if err != nil {
			err = fmt.Errorf("reading %s: %w", name, err)
		}
		yield(input{body: first, place: name}, err)
	}
}

// isRecord reports whether a line is a recorded callback rather than the body of one, which has other names.
func isRecord(line []byte) bool {
	var shape struct {
		Command    *string
		Body       *json.RawMessage
		BodyBase64 *string `json:"body_base64"`
		Verdict    *string
	}
	err := json.Unmarshal(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")), &shape)
	return err == nil && shape.Command != nil && (shape.Body != nil || shape.BodyBase64 != nil || shape.Verdict != nil)
}

// records reads recorded callbacks. Those without a body are skipped, with a note.
func (a *app) records(r io.Reader, name string, yield func(input, error) bool) {
	lines := bufio.NewReaderSize(r, 64<<10)
	some := false
	ended := false
	for n := 1; !ended; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			yield(input{}, fmt.Errorf("reading %s: %w", name, err))
			return
		}
		ended = errors.Is(err, io.EOF)
		if len(bytes.TrimSpace(line)) == 0 { // the end, or a sign of life
			continue
		}
		place := fmt.Sprintf("%s:%d", name, n)
		record, err := journal.ParseExport(line)
		if err != nil {
			yield(input{}, fmt.Errorf("%s: %w", place, err))
			return
		}
		cb := &record.Callback
		if cb.Body == nil {
			fmt.Fprintf(a.stderr, "note: %s: callback %s was recorded without its body\n", place, cb.ID)
			continue
		}
		some = true
		if !yield(input{cb.Body, cb, place}, nil) {
			return
		}
	}
	if !some {
		yield(input{}, fmt.Errorf("%s has no callback with a body", name))
	}
}
