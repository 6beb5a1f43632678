package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"callboard/rules"
)

const (
	maxFile       = 2 * rules.MaxFile // of one rules file; rules.Load says which is too large, this keeps memory safe
	maxReferenced = 4 << 20           // of a file that rules name
)

// errNoFiles is a folder without rules files. It is not an empty table: that has to be asked for with "rules: []".
var errNoFiles = errors.New("no rules files (*.yaml, *.yml) there")

// ReadDir reads the rules files of a folder (or the one file) in the order that tables use: *.yaml and
// *.yml but not *_test.yaml, subfolders included, links followed, names beginning with a dot left out. Each file is
// read once, however many links lead to it, and named below dir as it was given.
func ReadDir(dir string) ([]rules.File, error) {
	t, err := scan(dir, nil)
	if err != nil {
		return nil, err
	}
	c, err := t.read(dir, nil)
	return c.files(), err
}

// contents are the rules files of a folder as they were read.
type contents []content

// A content is what was in one file.
type content struct {
	rules.File
	sum  digest      // of the data
	info fs.FileInfo // before it was read
	firm bool        // whether a change since then would surely show in info
}

func (c contents) files() []rules.File {
	files := make([]rules.File, len(c))
	for i := range c {
		files[i] = c[i].File
	}
	return files
}

// digest covers names, contents, and where one ends and the next begins.
func (c contents) digest() digest {
	h := sha256.New()
	for i := range c {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(c[i].Name))))
		h.Write([]byte(c[i].Name))
		h.Write(c[i].sum[:])
	}
	return digest(h.Sum(nil))
}

// read reads the tree's rules files, save those that old has and that have surely not changed since.
func (t tree) read(dir string, old contents) (contents, error) {
	if len(t.files) == 0 {
		return nil, fmt.Errorf("reading rules: %s: %w", dir, errNoFiles)
	}
	known := make(map[string]content, len(old))
	for _, c := range old {
		known[c.Name] = c
	}
	read := make(contents, len(t.files))
	for i, e := range t.files {
		if c, found := known[e.name]; found && c.firm && sameInfo(c.info, e.info) {
			read[i] = c
			continue
		}
		// The one file that the user named may be anything; among the files of a folder, a pipe would block for ever.
		if e.name != dir && !e.info.Mode().IsRegular() {
			return nil, fmt.Errorf("reading rules: %s: not a regular file", e.name)
		}
		data, err := readAtMost(e.name, maxFile)
		if err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
		read[i] = content{
			File: rules.File{Name: e.name, Data: data}, sum: sha256.Sum256(data),
			info: e.info, firm: isFirm(e.info, len(data), t.at),
		}
		if c, found := known[e.name]; found && bytes.Equal(c.Data, data) {
			read[i].Data = c.Data // so that it is not in memory twice
		}
	}
	return read, nil
}

// isFirm reports whether any change of a file after at shows in its size, time stamp or identity.
func isFirm(info fs.FileInfo, size int, at time.Time) bool {
	return info.Mode().IsRegular() && info.Size() == int64(size) && at.Sub(info.ModTime()) > settleTime
}

// readReferenced reads a file that rules name with ${file:…}.
func readReferenced(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	return readAtMost(path, maxReferenced)
}

func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("more than %d MiB", limit>>20)}
	}
	return data, nil
}

// A digest stands for the contents of files. The zero digest stands for nothing read.
type digest [sha256.Size]byte
