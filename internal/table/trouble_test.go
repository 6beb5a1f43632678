package table

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The tests here use real files and real events; the poll is an hour away.

func TestADeletedFolderLeavesItsTableServingUntilItIsBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rules")
	write(t, dir+"/a.yaml", "a")
	k := keep(t, dir, "a")
	before := k.Status()

	must(t, os.RemoveAll(dir))
	k.waitLog("rules cannot be read")
	if s := k.Status(); s.Current || s.Err == "" || s.Revision != before.Revision || s.Rules != 1 {
		t.Errorf("without a folder the status is %+v", s)
	}

	write(t, dir+"/a.yaml", "a")
	k.waitLog("rules can be read again, with the contents they had")
	if s := k.Status(); !s.Current || s.Err != "" || !s.LoadedAt.Equal(before.LoadedAt) {
		t.Errorf("with its folder back the status is %+v, before it was %+v", s, before)
	}
	write(t, dir+"/a.yaml", "b")
	k.wait("b")
}

func TestAnInvalidEditLeavesTheOldTableServing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.yaml", "a")
	k := keep(t, dir, "a")
	before := k.Status()

	write(t, dir+"/a.yaml", "a\nbad one\nodd two")
	for _, want := range []string{"bad one", "odd two"} {
		r := k.waitLog("rules diagnostic")
		if attr(r, "problem") != want || attr(r, "file") != dir+"/a.yaml" {
			t.Errorf("logged %v, want %q", r, want)
		}
	}
	k.waitLog("rules rejected")
	s := k.Status()
	if s.Current || s.Revision != before.Revision || len(s.Diagnostics) != 2 || s.Diagnostics[0].Line != 2 || s.Err != "" {
		t.Errorf("after an invalid edit the status is %+v", s)
	}
	if tables := k.published(); len(tables) > 0 {
		t.Errorf("an invalid edit published %q", tables)
	}

	write(t, dir+"/a.yaml", "a\none")
	k.wait("a", "one")
	if s := k.Status(); !s.Current || len(s.Diagnostics) != 0 || s.Revision == before.Revision {
		t.Errorf("after it was mended the status is %+v", s)
	}
}

func TestAFileThatCannotBeReadLeavesTheOldTableServing(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"a file without permission": func(path string) error {
			if os.Geteuid() == 0 {
				return errSkip
			}
			return os.Chmod(path, 0)
		},
		"a link to itself": func(path string) error { return errors.Join(os.Remove(path), os.Symlink("b.yaml", path)) },
		"a pipe":           func(path string) error { return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir+"/a.yaml", "a")
			write(t, dir+"/b.yaml", "b")
			k := keep(t, dir, "a", "b")
			before := k.Status()
			if err := spoil(dir + "/b.yaml"); errors.Is(err, errSkip) {
				t.Skip(err)
			} else {
				must(t, err)
			}
			k.Reload() // a lone change of permission is no event
			k.waitLog("rules cannot be read")
			s := k.Status()
			if s.Current || !strings.Contains(s.Err, dir+"/b.yaml") || s.Revision != before.Revision || s.Rules != 2 {
				t.Errorf("status is %+v", s)
			}
			if tables := k.published(); len(tables) > 0 {
				t.Errorf("published %q", tables)
			}
			replace(t, dir+"/b.yaml", "new")
			k.wait("a", "new")
			if s := k.Status(); !s.Current || s.Err != "" {
				t.Errorf("after it was mended the status is %+v", s)
			}
		})
	}
}

var errSkip = errors.New("root may read everything; run it as another user")
