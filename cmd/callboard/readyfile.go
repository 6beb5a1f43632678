package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// A readyFile tells scripts and supervisors that both listeners are open, and where.
type readyFile struct {
	PID       int    `json:"pid"`
	Callbacks string `json:"callbacks"` // address of the callbacks listener
	Admin     string `json:"admin"`     // address of the admin listener
}

// write makes the file appear whole, by renaming.
func (r readyFile) write(path string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing the ready file: %w", err)
	}
	temporary := path + ".tmp"
	if err := os.WriteFile(temporary, append(text, '\n'), 0o644); err != nil {
		return hinted(fmt.Errorf("writing the ready file: %w", err), "--ready-file names a file in a folder that this user may write to")
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(fmt.Errorf("writing the ready file: %w", err), os.Remove(temporary))
	}
	return nil
}

// removeReadyFile removes the file, which may be gone.
func removeReadyFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the ready file: %w", err)
	}
	return nil
}
