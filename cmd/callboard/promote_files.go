package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// A fileChange is a file that two folders do not have alike.
type fileChange struct {
	name            string // below both
	base, candidate []byte // nil where it is not
}

// changedFiles compares the YAML files of two folders: rules, and what stands beside them.
func changedFiles(base, candidate string) ([]fileChange, error) {
	was, err := yamlFiles(base)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", base, err)
	}
	now, err := yamlFiles(candidate)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", candidate, err)
	}
	var changes []fileChange
	for _, name := range sortedNames(was, now) {
		if a, b := was[name], now[name]; a == nil || b == nil || !bytes.Equal(a, b) {
			changes = append(changes, fileChange{name, a, b})
		}
	}
	return changes, nil
}

// yamlFiles reads the YAML files of a folder and its subfolders, by their names below it. Names that begin with a dot are left
// out, as serve does.
func yamlFiles(dir string) (map[string][]byte, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return nil, errors.Join(err, errors.New("it is no folder"))
	}
	files := map[string][]byte{}
	tree := os.DirFS(real)
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		hidden := name != "." && strings.HasPrefix(path.Base(name), ".")
		switch {
		case err != nil:
			return err
		case hidden && entry.IsDir():
			return fs.SkipDir
		case hidden || entry.IsDir() || path.Ext(name) != ".yaml" && path.Ext(name) != ".yml":
			return nil
		}
		if info, err := fs.Stat(tree, name); err != nil || !info.Mode().IsRegular() {
			return err
		}
		data, err := fs.ReadFile(tree, name)
		if err == nil {
			files[name] = append([]byte{}, data...) // not nil, also when it is empty
		}
		return err
	})
	return files, err
}

// writePatch prints changes as git apply and patch -p1 take them.
func writePatch(w io.Writer, changes []fileChange) error {
	for _, f := range changes {
		old, current := patchName("a/"+f.name), patchName("b/"+f.name)
		mode := ""
		if f.base == nil {
			old, mode = "/dev/null", "new file mode 100644\n"
		}
		if f.candidate == nil {
			current, mode = "/dev/null", "deleted file mode 100644\n"
		}
		text := diff.Diff(old, f.base, current, f.candidate)
		_, body, _ := bytes.Cut(text, []byte("\n")) // its first line is of no use to git
		if _, err := fmt.Fprintf(w, "diff --git %s %s\n%s%s", quoted("a/"+f.name), quoted("b/"+f.name), mode, body); err != nil {
			return err
		}
	}
	return nil
}

// patchName is a name as the lines --- and +++ have it: a tab ends one with spaces, as patch wants it.
func patchName(name string) string {
	if strings.Contains(name, " ") {
		return quoted(name) + "\t"
	}
	return quoted(name)
}

// quoted quotes a name as git does where it has to.
func quoted(name string) string {
	if strings.ContainsAny(name, "\"\\\t\n") {
		return strconv.Quote(name)
	}
	return name
}
