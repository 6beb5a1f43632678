package table

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What looks as it did is not read again, unless it was written so lately that another write might not show.
func TestOnlyFilesThatLookDifferentAreReadAgain(t *testing.T) {
	long, now := time.Now().Add(-time.Hour), time.Now()
	for name, test := range map[string]struct {
		written time.Time // before it was read first
		change  func(t *testing.T, path string)
		readsIt bool
	}{
		"an old file written over with its old time stamp": {long, func(t *testing.T, path string) {
			write(t, path, "two")
			must(t, os.Chtimes(path, long, long))
		}, false},
		"an old file with a new time stamp": {long, func(t *testing.T, path string) { write(t, path, "two") }, true},
		"an old file of another size": {long, func(t *testing.T, path string) {
			write(t, path, "two and more")
			must(t, os.Chtimes(path, long, long))
		}, true},
		"an old file replaced by another": {long, func(t *testing.T, path string) {
			write(t, path+".new", "two")
			must(t, os.Chtimes(path+".new", long, long))
			must(t, os.Rename(path+".new", path))
		}, true},
		"a file just written, written over within the same moment": {now, func(t *testing.T, path string) {
			write(t, path, "two")
			must(t, os.Chtimes(path, now, now))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a.yaml")
			write(t, path, "one")
			must(t, os.Chtimes(path, test.written, test.written))
			read := func(old contents) contents {
				t.Helper()
				tree, err := scan(dir, nil)
				must(t, err)
				c, err := tree.read(dir, old)
				must(t, err)
				return c
			}
			first := read(nil)
			test.change(t, path)
			if got := string(read(first)[0].Data) != "one"; got != test.readsIt {
				t.Errorf("the change is seen: %t, want %t", got, test.readsIt)
			}
			if got := string(read(nil)[0].Data); got == "one" {
				t.Error("the change is not seen when all is read")
			}
		})
	}
}
