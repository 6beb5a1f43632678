package table

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callboard/rules"
)

func TestReadDirTakesRulesFilesInOrder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rules")
	for _, name := range []string{
		"b.yaml", "a.yml", "a_test.yaml", "a_test.yml", "notes.txt", ".hidden.yaml", ".git/c.yaml", "b.yaml~", ".b.yaml.swp",
		"team/z.yaml", "team/inner/y.yaml", "lost+found/x.yaml",
	} {
		write(t, filepath.Join(dir, name), name)
	}
	t.Chdir(filepath.Dir(dir))

	for _, given := range []string{"rules", "./rules/", dir} {
		got, err := ReadDir(given)
		must(t, err)
		var want []rules.File
		for _, name := range []string{"a.yml", "b.yaml", "team/inner/y.yaml", "team/z.yaml"} {
			want = append(want, rules.File{Name: filepath.Join(given, name), Data: []byte(name)})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ReadDir(%q): -want +got\n%s", given, diff)
		}
	}
}

func TestReadDirTakesASingleFileOfAnyName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules_test.conf")
	write(t, path, "x")
	got, err := ReadDir(path)
	if want := []rules.File{{Name: path, Data: []byte("x")}}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("ReadDir = %v, %v, want %v", got, err, want)
	}
}

func TestReadDirReadsAFileOnceHoweverManyLinksLeadToIt(t *testing.T) {
	dir := t.TempDir()
	configMap(t, dir, "1", map[string]string{"a.yaml": "a", "team/b.yaml": "b"})
	link(t, "a.yaml", filepath.Join(dir, "z.yaml"))
	link(t, ".", filepath.Join(dir, "loop"))
	link(t, "nowhere", filepath.Join(dir, "not-rules"))

	got, err := ReadDir(dir)
	must(t, err)
	want := []rules.File{
		{Name: filepath.Join(dir, "a.yaml"), Data: []byte("a")},
		{Name: filepath.Join(dir, "team/b.yaml"), Data: []byte("b")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestReadDirRefuses(t *testing.T) {
	for name, make := range map[string]func(dir string) error{
		"a folder that is not there": os.Remove,
		"a folder without rules":     func(string) error { return nil },
		"a link to nothing":          func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "a.yaml")) },
		"a link to itself":           func(dir string) error { return os.Symlink("a.yaml", filepath.Join(dir, "a.yaml")) },
		"a pipe, which would block":  func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "a.yaml"), 0o600) },
		"a file that is too large":   func(dir string) error { return sparse(filepath.Join(dir, "a.yaml"), maxFile+1) },
		"a folder that is no rules folder": func(dir string) error {
			for i := range maxEntries + 1 {
				if err := os.Symlink("x", filepath.Join(dir, strconv.Itoa(i))); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, make(dir))
			files, err := ReadDir(dir)
			if err == nil || !strings.Contains(err.Error(), dir) {
				t.Errorf("ReadDir = %d files, %v, want an error with the path", len(files), err)
			}
		})
	}
}

func sparse(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

func TestReferencedFilesAreBoundedAndRegular(t *testing.T) {
	dir := t.TempDir()
	must(t, sparse(filepath.Join(dir, "large"), maxReferenced+1))
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	write(t, filepath.Join(dir, "secret"), "s3cret\n")
	for _, name := range []string{"large", "pipe", "absent", "."} {
		if _, err := readReferenced(filepath.Join(dir, name)); err == nil {
			t.Errorf("reading %s: no error", name)
		}
	}
	if data, err := readReferenced(filepath.Join(dir, "secret")); string(data) != "s3cret\n" || err != nil {
		t.Errorf("reading secret = %q, %v", data, err)
	}
}

func TestDigestTellsWhereAFileEnds(t *testing.T) {
	one := []rules.File{{Name: "a", Data: []byte("bc")}}
	for _, other := range [][]rules.File{
		nil,
		{{Name: "ab", Data: []byte("c")}},
		{{Name: "a", Data: []byte("b")}, {Name: "", Data: []byte("c")}},
	} {
		if digestOf(one) == digestOf(other) {
			t.Errorf("%v and %v have one digest", one, other)
		}
	}
}
