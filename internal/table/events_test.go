package table

import (
	"os"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The tests here use real files and real events; the poll is an hour away.

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
