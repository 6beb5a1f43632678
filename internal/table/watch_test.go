package table

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The tests here use real files and real events; the poll is an hour away.

// configMap writes files as the kubelet does: into a folder of their own, behind ..data, linked to one by one.
func configMap(t testing.TB, dir, version string, files map[string]string) {
	t.Helper()
	own := "..2026_" + version
	for name, data := range files {
		write(t, filepath.Join(dir, own, name), data)
	}
	old, _ := os.Readlink(filepath.Join(dir, "..data"))
	link(t, own, filepath.Join(dir, "..data"))
	entries, err := os.ReadDir(filepath.Join(dir, own))
	must(t, err)
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); !exists(path) {
			must(t, os.Symlink(filepath.Join("..data", e.Name()), path))
		}
	}
	if old != "" {
		must(t, os.RemoveAll(filepath.Join(dir, old)))
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestEveryWayToChangeAFolderIsNoticed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before func(t testing.TB, dir string)
		change func(t testing.TB, dir string)
		want   []string
	}{
		"written in place": {
			change: func(t testing.TB, dir string) { write(t, dir+"/a.yaml", "new") },
			want:   []string{"new"},
		},
		"appended to": {
			change: func(t testing.TB, dir string) {
				f, err := os.OpenFile(dir+"/a.yaml", os.O_APPEND|os.O_WRONLY, 0)
				must(t, err)
				_, err = f.WriteString("\nnew")
				must(t, err)
				must(t, f.Close())
			},
			want: []string{"old", "new"},
		},
		"replaced by rename": {
			change: func(t testing.TB, dir string) { replace(t, dir+"/a.yaml", "new") },
			want:   []string{"new"},
		},
		"replaced by rename, with the old one's time and size": {
			change: func(t testing.TB, dir string) {
				info, err := os.Stat(dir + "/a.yaml")
				must(t, err)
				write(t, dir+"/.new", "new")
				must(t, os.Chtimes(dir+"/.new", info.ModTime(), info.ModTime()))
				must(t, os.Rename(dir+"/.new", dir+"/a.yaml"))
			},
			want: []string{"new"},
		},
		"moved to a backup and written anew, as by vim": {
			change: func(t testing.TB, dir string) {
				must(t, os.Rename(dir+"/a.yaml", dir+"/a.yaml~"))
				write(t, dir+"/a.yaml", "new")
				must(t, os.Remove(dir+"/a.yaml~"))
			},
			want: []string{"new"},
		},
		"joined by another file": {
			change: func(t testing.TB, dir string) { write(t, dir+"/b.yaml", "new") },
			want:   []string{"old", "new"},
		},
		"joined by a folder": {
			change: func(t testing.TB, dir string) { write(t, dir+"/team/b.yaml", "new") },
			want:   []string{"old", "new"},
		},
		"changed in a folder below": {
			before: func(t testing.TB, dir string) { write(t, dir+"/a/a.yaml", "below") },
			change: func(t testing.TB, dir string) { write(t, dir+"/a/a.yaml", "new") },
			want:   []string{"new", "old"},
		},
		"a file renamed": {
			before: func(t testing.TB, dir string) { write(t, dir+"/b.yaml", "b") },
			change: func(t testing.TB, dir string) { must(t, os.Rename(dir+"/a.yaml", dir+"/z.yaml")) },
			want:   []string{"b", "old"},
		},
		"a file deleted": {
			before: func(t testing.TB, dir string) { write(t, dir+"/b.yaml", "b") },
			change: func(t testing.TB, dir string) { must(t, os.Remove(dir+"/a.yaml")) },
			want:   []string{"b"},
		},
		"a file emptied": {
			before: func(t testing.TB, dir string) { write(t, dir+"/b.yaml", "b") },
			change: func(t testing.TB, dir string) { must(t, os.Truncate(dir+"/a.yaml", 0)) },
			want:   []string{"b"},
		},
		"a link's target written in place": {
			before: func(t testing.TB, dir string) {
				write(t, dir+"/../elsewhere/a.yaml", "linked")
				link(t, "../elsewhere/a.yaml", dir+"/b.yaml")
			},
			change: func(t testing.TB, dir string) { write(t, dir+"/../elsewhere/a.yaml", "new") },
			want:   []string{"old", "new"},
		},
		"a link's target replaced": {
			before: func(t testing.TB, dir string) {
				write(t, dir+"/../elsewhere/a.yaml", "linked")
				link(t, "../elsewhere/a.yaml", dir+"/b.yaml")
			},
			change: func(t testing.TB, dir string) { replace(t, dir+"/../elsewhere/a.yaml", "new") },
			want:   []string{"old", "new"},
		},
		"a linked folder's file written": {
			before: func(t testing.TB, dir string) {
				write(t, dir+"/../elsewhere/a.yaml", "linked")
				link(t, "../elsewhere", dir+"/team")
			},
			change: func(t testing.TB, dir string) { write(t, dir+"/../elsewhere/a.yaml", "new") },
			want:   []string{"old", "new"},
		},
		"the folder moved away and made anew": {
			change: func(t testing.TB, dir string) {
				must(t, os.Rename(dir, dir+".old"))
				write(t, dir+"/a.yaml", "new")
			},
			want: []string{"new"},
		},
		"a prepared folder moved in its place": {
			change: func(t testing.TB, dir string) {
				write(t, dir+".new/a.yaml", "new")
				must(t, os.Rename(dir, dir+".old"))
				must(t, os.Rename(dir+".new", dir))
			},
			want: []string{"new"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "rules")
			write(t, dir+"/a.yaml", "old")
			if test.before != nil {
				test.before(t, dir)
			}
			k := keep(t, dir, namesIn(t, dir)...)
			test.change(t, dir)
			k.wait(test.want...)
			if s := k.Status(); !s.Current || s.Rules != len(test.want) {
				t.Errorf("status is %+v", s)
			}
			// Still listening after that?
			write(t, dir+"/a.yaml", "newer")
			k.wait(append([]string{}, namesIn(t, dir)...)...)
		})
	}
}

// namesIn returns the rules that words in dir make.
func namesIn(t testing.TB, dir string) []string {
	t.Helper()
	files, err := ReadDir(dir)
	must(t, err)
	names := []string{}
	for _, f := range files {
		if len(f.Data) > 0 {
			names = append(names, string(f.Data))
		}
	}
	return names
}

func TestAConfigMapSwapIsNoticed(t *testing.T) {
	dir := t.TempDir()
	configMap(t, dir, "1", map[string]string{"a.yaml": "one", "b.yaml": "b"})
	k := keep(t, dir, "one", "b")
	configMap(t, dir, "2", map[string]string{"a.yaml": "two", "b.yaml": "b"})
	k.wait("two", "b")
	configMap(t, dir, "3", map[string]string{"a.yaml": "three", "b.yaml": "b"})
	k.wait("three", "b")
}

func TestOneFileOfAConfigMapIsNoticed(t *testing.T) {
	dir := t.TempDir()
	configMap(t, dir, "1", map[string]string{"a.yaml": "one"})
	k := keep(t, filepath.Join(dir, "a.yaml"), "one")
	configMap(t, dir, "2", map[string]string{"a.yaml": "two"})
	k.wait("two")
	configMap(t, dir, "3", map[string]string{"a.yaml": "three"})
	k.wait("three")
}

func TestALinkedFolderThatIsSwitchedIsNoticed(t *testing.T) {
	root := t.TempDir()
	for _, version := range []string{"1", "2", "3"} {
		write(t, filepath.Join(root, "releases", version, "a.yaml"), "release "+version)
	}
	current := filepath.Join(root, "current")
	link(t, "releases/1", current)
	k := keep(t, current, "release 1")
	for _, version := range []string{"2", "3"} {
		link(t, "releases/"+version, current)
		k.wait("release " + version)
	}
	write(t, filepath.Join(root, "releases/3/a.yaml"), "mended")
	k.wait("mended")
}

func TestALinkOnTheWayToAFileIsFollowed(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/v1/a.yaml", "one")
	write(t, root+"/v2/a.yaml", "two")
	link(t, "v1", root+"/latest")
	link(t, "latest/a.yaml", root+"/a.yaml")
	k := keep(t, root+"/a.yaml", "one")
	link(t, "v2", root+"/latest")
	k.wait("two")
}

func TestAWatchIsRenewedWhenItsFolderIsAnotherOne(t *testing.T) {
	w := newWatcher(newKept(t, t.TempDir(), nil).o.Log)
	if w.fs == nil {
		t.Skip("this system has no file events to give")
	}
	defer w.close()
	root := t.TempDir()
	write(t, root+"/one/rules/a.yaml", "a")
	wanted := map[string]string{root + "/one/rules": ""}
	if !w.sync(wanted) || w.sync(wanted) {
		t.Fatal("a folder is to be watched once")
	}
	// No event tells that a folder above was replaced.
	must(t, os.Rename(root+"/one", root+"/old"))
	write(t, root+"/one/rules/a.yaml", "a")
	if !w.sync(wanted) {
		t.Fatal("the folder's successor is not watched")
	}
	write(t, root+"/one/rules/a.yaml", "b")
	select {
	case <-w.hints:
	case <-time.After(time.Minute):
		t.Error("no hint from the folder's successor")
	}
	must(t, w.fs.Remove(root+"/one/rules")) // as the system does when the folder is deleted
	if !w.sync(wanted) {
		t.Error("a lost watch is not renewed")
	}
	if w.sync(map[string]string{}); len(w.fs.WatchList()) > 0 {
		t.Errorf("still watched: %q", w.fs.WatchList())
	}
}

func TestASingleFileIsFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.yaml")
	write(t, path, "one")
	k := keep(t, path, "one")
	write(t, path, "two")
	k.wait("two")
	replace(t, path, "three")
	k.wait("three")
	write(t, path, "four")
	k.wait("four")
}

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

func TestManyRapidEditsEndWithTheLast(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.yaml", "edit 0")
	k := newKept(t, dir, func(o *Options) { o.Debounce = 100 * time.Millisecond })
	k.mustLoad("edit 0")
	k.start(func(ctx context.Context) {
		if err := k.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})

	const edits = 200
	for i := range edits {
		data := fmt.Sprintf("edit %d", i+1)
		if i%2 == 0 {
			write(t, dir+"/a.yaml", data)
		} else {
			replace(t, dir+"/a.yaml", data)
		}
	}
	k.wait(fmt.Sprintf("edit %d", edits))
	if n := k.loads.Load(); n > edits/4 {
		t.Errorf("%d edits were loaded %d times", edits, n)
	}
}

func TestASecretThatIsReplacedIsNoticed(t *testing.T) {
	root := t.TempDir()
	secret := filepath.Join(root, "secrets", "token")
	write(t, secret, "one")
	link(t, secret, filepath.Join(root, "linked", "token"))
	dir := filepath.Join(root, "rules")
	write(t, dir+"/a.yaml", "a")
	k := keep(t, dir, "a")
	for _, path := range []string{secret, filepath.Join(root, "linked", "token")} {
		write(t, secret, "one")
		write(t, dir+"/a.yaml", "secret "+path)
		k.wait("secret one")
		replace(t, secret, "two")
		k.wait("secret two")
		write(t, secret, "three")
		k.wait("secret three")
		write(t, dir+"/a.yaml", "a")
		k.wait("a")
	}
}

func TestOverflowIsAHintToLook(t *testing.T) {
	w := newWatcher(newKept(t, t.TempDir(), nil).o.Log)
	if w.fs == nil {
		t.Skip("this system has no file events to give")
	}
	defer w.close()
	w.fs.Errors <- fsnotify.ErrEventOverflow
	select {
	case <-w.hints:
	case <-time.After(time.Minute):
		t.Error("an overflow was no hint")
	}
}

func TestEventsThatCount(t *testing.T) {
	w := &watcher{dirs: map[string]watched{"/srv": {only: "rules"}, "/srv/rules": {}}}
	for _, test := range []struct {
		name string
		op   fsnotify.Op
		want bool
	}{
		{"/srv/rules/a.yaml", fsnotify.Write, true},
		{"/srv/rules/..data", fsnotify.Create, true},
		{"/srv/rules", fsnotify.Rename, true},
		{"/srv", fsnotify.Remove, true},
		{"/srv/rules/a.yaml", fsnotify.Chmod, false},
		{"/srv/rules/a.yaml", fsnotify.Chmod | fsnotify.Write, true},
		{"/srv/log.txt", fsnotify.Write, false},
	} {
		if got := w.counts(fsnotify.Event{Name: test.name, Op: test.op}); got != test.want {
			t.Errorf("counts(%s %s) = %v, want %v", test.op, test.name, got, test.want)
		}
	}
}
