package table

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// A watcher turns events in directories into hints. The zero watcher has no events; nil neither.
type watcher struct {
	log    *slog.Logger
	fs     *fsnotify.Watcher
	hints  chan struct{} // holds at most one
	pumped sync.WaitGroup
	warned bool // that a directory cannot be watched

	mu   sync.Mutex
	dirs map[string]watched // by directory, links resolved
}

// A watched directory.
type watched struct {
	only string      // the one name that counts, "" for all
	info fs.FileInfo // as it was when watching began
}

// newWatcher makes a watcher; without events when the system has none left to give.
func newWatcher(log *slog.Logger) *watcher {
	w := &watcher{log: log, dirs: map[string]watched{}}
	var err error
	if w.fs, err = fsnotify.NewWatcher(); err != nil {
		w.fs = nil
		log.Warn("watching for file events is not possible, polling only", "err", err)
		return w
	}
	w.hints = make(chan struct{}, 1)
	w.pumped.Go(w.pump)
	return w
}

func (w *watcher) close() {
	if w.fs == nil {
		return
	}
	if err := w.fs.Close(); err != nil {
		w.log.Warn("closing the file watcher failed", "err", err)
	}
	w.pumped.Wait()
}

// pump turns events into hints until the watcher is closed.
func (w *watcher) pump() {
	for {
		select {
		case ev, open := <-w.fs.Events:
			if !open {
				return
			}
			if !w.counts(ev) {
				continue
			}
		case err, open := <-w.fs.Errors:
			if !open {
				return
			}
			// Above all a queue that ran over: events are lost, so something changed.
			w.log.Debug("file watcher failed, looking at everything", "err", err)
		}
		select {
		case w.hints <- struct{}{}:
		default:
		}
	}
}

// counts reports whether an event may concern the rules.
func (w *watcher) counts(ev fsnotify.Event) bool {
	if ev.Op == fsnotify.Chmod {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	d, found := w.dirs[filepath.Dir(ev.Name)]
	return !found || d.only == "" || d.only == filepath.Base(ev.Name)
}

// sync makes wanted (see tree.dirs) the watched directories. It reports whether it began to watch one: what happened
// there before is not known.
func (w *watcher) sync(wanted map[string]string) (began bool) {
	if w == nil || w.fs == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	alive := w.fs.WatchList() // the system ends the watch of a directory that is deleted or moved away
	for dir := range w.dirs {
		if _, found := wanted[dir]; !found {
			w.drop(dir)
		}
	}
	for dir, only := range wanted {
		info, err := os.Stat(dir)
		if err != nil {
			w.drop(dir)
			continue
		}
		old, found := w.dirs[dir]
		if found && slices.Contains(alive, dir) && os.SameFile(old.info, info) {
			w.dirs[dir] = watched{only, old.info}
			continue
		}
		w.drop(dir)
		if err := w.fs.Add(dir); err != nil {
			w.warn(dir, err)
			continue
		}
		w.dirs[dir] = watched{only, info}
		began = true
	}
	return began
}

// drop ends the watch of a directory, w.mu held.
func (w *watcher) drop(dir string) {
	if _, found := w.dirs[dir]; found {
		delete(w.dirs, dir)
		_ = w.fs.Remove(dir) // fails when the system has ended it already
	}
}

// warn says once that a directory cannot be watched; more would follow at every look.
func (w *watcher) warn(dir string, err error) {
	if w.warned || errors.Is(err, fs.ErrNotExist) {
		return
	}
	w.warned = true
	w.log.Warn("a directory cannot be watched, polling it", "dir", dir, "err", err)
}
