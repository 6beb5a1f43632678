package table

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The tests here use real files and real events; the poll is an hour away.

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

func TestAFileReplacedByAFolderIsWhatIsInIt(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.yaml", "a")
	write(t, dir+"/b.yaml", "b")
	k := keep(t, dir, "a", "b")
	must(t, os.Remove(dir+"/a.yaml"))
	write(t, dir+"/a.yaml/inner.yaml", "inner")
	k.wait("inner", "b")
	must(t, os.RemoveAll(dir+"/a.yaml"))
	write(t, dir+"/a.yaml", "a again")
	k.wait("a again", "b")
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
