package table

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxEntries bounds a rules folder, so that --rules / is an error and not a walk over the machine.
const maxEntries = 10_000

// A tree is what a folder looks like without reading its files: enough to notice most changes, and to
// know what to watch.
type tree struct {
	files      []entry           // rules files, in the order of tables
	referenced []entry           // other files that the rules name (secrets, certificates)
	dirs       map[string]string // what to watch, links resolved → the one name in it that counts, "" for all
	settled    bool              // whether a further change would surely change a time stamp
	newest     time.Time         // modification of the file changed last
	at         time.Time         // when it was looked at
}

// An entry is one file, links followed.
type entry struct {
	name string      // below the folder as the user gave it
	info fs.FileInfo // nil when a referenced file is not there
}

// settleTime is the coarsest time stamp of the file systems met (NFS and FAT count in seconds): two writes
// within it may leave the same one.
const settleTime = 2 * time.Second

// scan lists what is under dir, a folder or a single file. On error the tree still tells what to watch.
func scan(dir string, referenced []string) (tree, error) {
	s := scanner{dirs: map[string]string{}, visited: map[string]bool{}, wanted: isRulesFile}
	at := time.Now()
	err := s.root(dir)
	t := tree{files: s.files, dirs: s.dirs, at: at}
	for _, path := range referenced {
		info, _ := os.Stat(path)
		t.referenced = append(t.referenced, entry{path, info})
		s.watchPath(path)
	}
	for _, list := range [][]entry{t.files, t.referenced} {
		for _, e := range list {
			if e.info != nil && e.info.ModTime().After(t.newest) {
				t.newest = e.info.ModTime()
			}
		}
	}
	t.settled = at.Sub(t.newest) > settleTime
	if err != nil {
		return t, fmt.Errorf("reading rules: %w", err)
	}
	return t, nil
}

// sameAs reports whether nothing about names, sizes, times, and identities has changed since old. A tree without
// files is never the same: there is nothing to go by.
func (t tree) sameAs(old tree) bool {
	return len(t.files) > 0 && sameEntries(t.files, old.files) && sameEntries(t.referenced, old.referenced)
}

func sameEntries(a, b []entry) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].name != b[i].name || !sameInfo(a[i].info, b[i].info) {
			return false
		}
	}
	return true
}

func sameInfo(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

// A scanner is one walk over a rules folder.
type scanner struct {
	files   []entry
	dirs    map[string]string
	visited map[string]bool // real path of a file or folder → seen: links must not bring it in twice
	wanted  func(name string) bool
	entries int
}

func (s *scanner) root(dir string) error {
	s.watchPath(dir)
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		s.files = []entry{{dir, info}}
		// A write to a file mounted here by itself comes with an event for the file, but none for this folder.
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			s.watch(real, "")
		}
		return err
	}
	return s.folder(dir)
}

// folder adds the rules files below path, each folder's names sorted.
func (s *scanner) folder(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	if s.visited[real] {
		return nil
	}
	s.visited[real] = true
	s.watch(real, "")
	list, err := os.ReadDir(real)
	if err != nil {
		return err
	}
	if s.entries += len(list); s.entries > maxEntries {
		return fmt.Errorf("%s: more than %d entries, which no rules folder should have", path, maxEntries)
	}
	for _, e := range list {
		if err := s.entry(path, real, e); err != nil {
			return err
		}
	}
	return nil
}

// entry adds one name of a folder: a rules file, what a link leads to, or everything in a folder.
func (s *scanner) entry(path, real string, e fs.DirEntry) error {
	// A dot also begins the folders behind a mounted ConfigMap (..data), whose files are linked to from beside them,
	// and what editors leave lying around.
	if strings.HasPrefix(e.Name(), ".") || e.Name() == "lost+found" {
		return nil
	}
	name := filepath.Join(path, e.Name())
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return s.folder(name)
	case !s.wanted(e.Name()):
		return nil
	case err != nil:
		return err
	}
	target := filepath.Join(real, e.Name())
	if e.Type()&fs.ModeSymlink != 0 {
		if target, err = filepath.EvalSymlinks(name); err != nil {
			return err
		}
		s.watch(filepath.Dir(target), filepath.Base(target))
	}
	if !s.visited[target] {
		s.visited[target] = true
		s.files = append(s.files, entry{name, info})
	}
	return nil
}

func isRulesFile(name string) bool {
	stem, isYAML := yamlStem(name)
	return isYAML && !strings.HasSuffix(stem, "_test")
}

// yamlStem returns the name of a YAML file without its ending.
func yamlStem(name string) (stem string, isYAML bool) {
	if stem, isYAML = strings.CutSuffix(name, ".yaml"); isYAML {
		return stem, true
	}
	return strings.CutSuffix(name, ".yml")
}

// watchPath watches the name of path in its directory, and the name in its directory that it links to.
func (s *scanner) watchPath(path string) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return // the working directory is gone: the walk says so
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return // nothing to watch there; the poll sees it come
	}
	name := filepath.Base(abs)
	real, err := filepath.EvalSymlinks(abs)
	if err == nil && real != filepath.Join(parent, name) {
		s.watch(filepath.Dir(real), filepath.Base(real))
		name = "" // what a link passes through may be any of its neighbours: ..data
	}
	s.watch(parent, name)
}

// watch adds a directory in which name counts, or every name when it is "".
func (s *scanner) watch(dir, name string) {
	if old, found := s.dirs[dir]; found && old != name {
		name = ""
	}
	s.dirs[dir] = name
}
