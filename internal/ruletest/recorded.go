package ruletest

import (
	"bytes"
	"fmt"

	"callboard/internal/journal"
)

// recordings are the files of recorded callbacks that tests name, each read once.
type recordings struct {
	readFile func(name string) ([]byte, error)
	files    map[string]*recording
}

type recording struct {
	callbacks []*journal.Callback
	err       error
}

// find returns a recorded callback: the one of an id, or the only one.
func (r *recordings) find(file, id string) (*journal.Callback, error) {
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
			f.callbacks = append(f.callbacks, &e.Callback)
		}
	}
	return f
}
