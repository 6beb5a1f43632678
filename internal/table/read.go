package table

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

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
	return t.read(dir)
}

// read reads the tree's rules files.
func (t tree) read(dir string) ([]rules.File, error) {
	if len(t.files) == 0 {
		return nil, fmt.Errorf("reading rules: %s: %w", dir, errNoFiles)
	}
	files := make([]rules.File, len(t.files))
	for i, e := range t.files {
		// The one file that the user named may be anything; among the files of a folder, a pipe would block for ever.
		if e.name != dir && !e.info.Mode().IsRegular() {
			return nil, fmt.Errorf("reading rules: %s: not a regular file", e.name)
		}
		data, err := readAtMost(e.name, maxFile)
		if err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
		files[i] = rules.File{Name: e.name, Data: data}
	}
	return files, nil
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

// digestOf covers names, contents, and where one ends and the next begins.
func digestOf(files []rules.File) digest {
	h := sha256.New()
	for _, f := range files {
		for _, part := range [][]byte{[]byte(f.Name), f.Data} {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
			h.Write(part)
		}
	}
	return digest(h.Sum(nil))
}
