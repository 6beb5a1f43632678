package ruletest

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"time"

	"callboard/internal/journal"
	"callboard/openim"
)

// recordings are the files of recorded callbacks that tests name, each read once.
type recordings struct {
	readFile func(name string) ([]byte, error)
	files    map[string]*recording
}

type recording struct {
	callbacks []*recordedCallback
	err       error
}

// A recordedCallback is one line of a file that callbacks export has written.
type recordedCallback struct {
	*journal.Callback
	At time.Time
}

// find returns a recorded callback: the one of an id, or the only one.
func (r *recordings) find(file, id string) (*recordedCallback, error) {
	f := r.files[file]
	if f == nil {
		f = r.read(file)
		r.files[file] = f
	}
	switch {
	case f.err != nil:
		return nil, f.err
	case id == "" && len(f.callbacks) == 1:
		return f.callbacks[0], nil
	case id == "":
		return nil, fmt.Errorf("%s has %d callbacks: say which by id", file, len(f.callbacks))
	}
	for _, cb := range f.callbacks {
		if cb.ID == id {
			return cb, nil
		}
	}
	return nil, fmt.Errorf("%s has no callback %s", file, id)
}

func (r *recordings) read(file string) *recording {
	data, err := r.readFile(file)
	if err != nil {
		return &recording{err: fmt.Errorf("reading recorded callbacks: %w", err)}
	}
	f := new(recording)
	for n, line := range bytes.Split(data, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		e, err := journal.ParseExport(line)
		if err != nil {
			return &recording{err: fmt.Errorf("%s:%d: %w", file, n+1, err)}
		}
		if e.Callback.Body != nil {
			f.callbacks = append(f.callbacks, &recordedCallback{&e.Callback, e.At})
		}
	}
	return f
}

// request is the callback as the request that it came as: of the headers, those that count.
func (c *recordedCallback) request() openim.Request {
	header := http.Header{}
	if c.OperationID != "" {
		header.Set("operationID", c.OperationID)
	}
	if c.Hops > 0 {
		header.Set("Callboard-Hops", strconv.Itoa(c.Hops))
	}
	at := c.Path
	if at == "" && c.Command != "" {
		name := c.Command
		if known, ok := openim.Lookup(name); ok {
			name = known.Name
		}
		at = path.Join("/", c.Source, name)
	}
	return openim.Request{Path: at, RawQuery: c.Query, Header: header, Body: c.Body}
}
