package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"callboard/examples"
)

// A folder is where the demo's rules are.
type folder struct {
	path string
	temp string // the temporary folder that holds it, "" when it was there before
}

// copied reports whether the folder came out of the binary.
func (f folder) copied() bool { return f.temp != "" }

// remove removes a folder that came out of the binary.
func (f folder) remove() error { return os.RemoveAll(f.temp) }

// file names a file of the folder.
func (f folder) file(name string) string { return filepath.Join(f.path, name) }

// findRules returns the rules folder: the one asked for, or the repository's around the working
// directory, or a copy of the one in the binary.
func findRules(asked string) (folder, error) {
	if asked != "" {
		if _, err := os.Stat(asked); err != nil {
			return folder{}, fmt.Errorf("looking for the rules: %w", err)
		}
		return folder{path: asked}, nil
	}
	if found, ok := repositoryRules(); ok {
		return folder{path: found}, nil
	}
	dir, err := os.MkdirTemp("", "callboard-demo-")
	if err != nil {
		return folder{}, fmt.Errorf("making a folder for the rules: %w", err)
	}
	f := folder{path: filepath.Join(dir, "quickstart"), temp: dir}
	if err := os.CopyFS(dir, examples.Files()); err != nil {
		return folder{}, errors.Join(fmt.Errorf("writing the rules: %w", err), f.remove())
	}
	return f, nil
}

// repositoryRules looks for examples/quickstart of this module in the working directory and above
// it, and names it as seen from there.
func repositoryRules() (string, bool) {
	wd, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for dir := wd; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module callboard\n") {
			path := filepath.Join(dir, "examples", "quickstart")
			if rel, err := filepath.Rel(wd, path); err == nil {
				path = rel
			}
			info, err := os.Stat(path)
			return path, err == nil && info.IsDir()
		}
		if err == nil || !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return "", false
		}
	}
}
