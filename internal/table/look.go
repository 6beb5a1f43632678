package table

import (
	"cmp"
	"time"
)

// scan scans the folder with watches set before anything is looked at, so that no change falls between.
func (k *Keeper) scan(w *watcher) (tree, error) {
	t, err := scan(k.o.Dir, k.judged.paths())
	if w.sync(t.dirs) {
		return scan(k.o.Dir, k.judged.paths())
	}
	return t, err
}

// changed reports whether the folder may have changed since it was read last, and restores lost watches.
func (k *Keeper) changed(w *watcher) bool {
	k.looking.Lock()
	defer k.looking.Unlock()
	t, err := k.scan(w)
	return err != nil || !t.sameAs(k.seen) || !k.seen.settled
}

// look takes the folder's contents if there is news. It reports whether to look again after another quiet moment;
// spent means that there have been many already.
func (k *Keeper) look(w *watcher, spent bool) (again bool) {
	k.looking.Lock()
	defer k.looking.Unlock()
	t, err := k.scan(w)
	if err == nil && t.sameAs(k.seen) && k.seen.settled {
		return false
	}
	// Where there are no events, a file may be growing still.
	if age := time.Since(t.newest); age >= 0 && age < k.o.Debounce && !spent {
		return true
	}
	if !k.waited && k.shrunk(t, err) {
		k.waited = true
		return true
	}
	_, again, _ = k.take(t, err, k.contents)
	return again
}

// lookNow takes the folder's contents because somebody asked for it, and says so when that is no news. It reports
// whether to look again after a quiet moment.
func (k *Keeper) lookNow(w *watcher) (again bool) {
	k.looking.Lock()
	defer k.looking.Unlock()
	t, err := k.scan(w)
	news, again, err := k.take(t, err, nil)
	switch {
	case news:
	case err != nil:
		k.o.Log.Error("rules not reloaded", "err", err, "serving", k.serving())
	default:
		k.o.Log.Info("rules unchanged", "dir", k.o.Dir, "revision", k.serving())
	}
	return again
}

// serving names the serving table for the log.
func (k *Keeper) serving() string { return cmp.Or(k.Status().Revision, "nothing") }

// shrunk reports whether files that had contents are gone or empty: true in the midst of many ways to write one.
func (k *Keeper) shrunk(t tree, err error) bool {
	if err != nil || len(t.files) == 0 {
		return len(k.judged.full) > 0
	}
	present := make(map[string]bool, len(t.files))
	for _, e := range t.files {
		present[e.name] = e.info.Size() > 0
	}
	for name := range k.judged.full {
		if !present[name] {
			return true
		}
	}
	return false
}

// take reads the files and makes their table the serving one, or says what is wrong with them. It reports whether they
// are news and whether another look is needed, and returns an error when they are not what serves. Files that old has
// are not read where they look as they did; somebody who asks for a look gets all of them read.
func (k *Keeper) take(t tree, err error, old contents) (news, again bool, _ error) {
	var read contents
	if err == nil {
		read, err = t.read(k.o.Dir, old)
	}
	k.seen, k.waited = t, false
	if err != nil {
		k.seen = tree{} // look again at the next poll
		return k.unreadable(err), false, err
	}
	k.setStatus(func(s *Status) { s.CheckedAt = time.Now() })
	k.contents = read
	sum := read.digest()
	if k.judged.sum == sum && !k.judged.stale(k.o.Rules.ReadFile) {
		return k.readable(), false, k.judged.err
	}
	before := k.judged.referenced
	k.judge(read.files(), sum)
	return true, k.judged.namesMoreThan(before), k.judged.err
}

// unreadable notes that the folder cannot be read. It reports whether that is news.
func (k *Keeper) unreadable(err error) (news bool) {
	if k.Status().Err == err.Error() {
		return false
	}
	k.setStatus(func(s *Status) { s.Current, s.Err, s.Diagnostics = false, err.Error(), nil })
	k.metrics.unreadable()
	k.o.Log.Error("rules cannot be read", "err", err, "serving", k.serving())
	return true
}

// readable notes that the folder's contents, known already, can be read again. It reports whether that is news.
func (k *Keeper) readable() (news bool) {
	if k.Status().Err == "" {
		return false
	}
	k.setStatus(func(s *Status) {
		s.Current, s.Err, s.Diagnostics = k.judged.err == nil, "", k.judged.diagnostics
	})
	k.metrics.readable(k.judged.err == nil)
	k.o.Log.Info("rules can be read again, with the contents they had", "dir", k.o.Dir, "serving", k.serving())
	return true
}
