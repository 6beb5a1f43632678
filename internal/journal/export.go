package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Export is a callback as one line of JSON that explain, send and replay read: the record with its body.
type Export struct {
	Callback
	// Body is the callback as JSON, nil when it is none or was not kept. Callback.Body has it byte for byte in any case.
	Body json.RawMessage `json:"body,omitempty"`
	// BodyBase64 is a body that is no JSON.
	BodyBase64 []byte `json:"body_base64,omitempty"`
}

// AppendExport appends a callback as one line, without the line feed, which ParseExport reads. A body that is JSON stays as it
// is, except that one written over several lines loses the white space between its tokens.
func AppendExport(dst []byte, c *Callback) ([]byte, error) {
	e := Export{Callback: *c}
	inline := json.Valid(c.Body) && utf8.Valid(c.Body)
	if !inline {
		e.BodyBase64 = c.Body
	}
	w := bytes.NewBuffer(dst)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return dst, fmt.Errorf("writing callback %s: %w", c.ID, err)
	}
	line := bytes.TrimSuffix(w.Bytes(), []byte("\n"))
	if !inline {
		return line, nil
	}
	// Not through the encoder, which would write it anew.
	line = append(line[:len(line)-1], `,"body":`...)
	if bytes.ContainsAny(c.Body, "\r\n") {
		w := bytes.NewBuffer(line)
		if err := json.Compact(w, c.Body); err != nil {
			return dst, fmt.Errorf("writing callback %s: %w", c.ID, err)
		}
		line = w.Bytes()
	} else {
		line = append(line, c.Body...)
	}
	return append(line, '}'), nil
}

// ParseExport reads one line that AppendExport wrote, or that a person wrote by hand: what it does not know it ignores, only
// command is required, or the verdict of a callback that could not be read. Callback.Body is set from whichever body the line
// has, nil when it has none.
func ParseExport(line []byte) (*Export, error) {
	line = bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))) // a byte order mark: editors leave them
	if len(line) == 0 {
		return nil, errors.New("the line is empty")
	}
	if line[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	e := new(Export)
	read := struct { // Trace apart, to get its JSON and not what that means in Go
		*Export
		Trace json.RawMessage `json:"trace"`
	}{Export: e}
	if err := json.Unmarshal(line, &read); err != nil {
		return nil, explain(err)
	}
	if e.Command == "" && e.Verdict == "" { // what could not be read has a verdict, but no command
		return nil, errors.New(`no "command": is it a line of callboard callbacks export?`)
	}
	if len(read.Trace) > 0 && !isNull(read.Trace) {
		e.Trace = read.Trace
	}
	if isNull(e.Body) {
		e.Body = nil
	}
	switch {
	case e.Body != nil && e.BodyBase64 != nil:
		return nil, errors.New(`both "body" and "body_base64"`)
	case e.Body != nil:
		e.Callback.Body = e.Body
	default:
		e.Callback.Body = e.BodyBase64
	}
	return e, nil
}

func isNull(text json.RawMessage) bool { return string(text) == "null" }

// explain words what encoding/json says for people who know JSON but not Go.
func explain(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// The field comes with the structs that it is embedded in.
		field := strings.NewReplacer("Export.", "", "Callback.", "").Replace(wrong.Field)
		return fmt.Errorf("%q cannot be a JSON %s", field, wrong.Value)
	}
	if broken, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("broken JSON at byte %d: %w", broken.Offset, broken)
	}
	return fmt.Errorf("reading an exported callback: %w", err)
}
