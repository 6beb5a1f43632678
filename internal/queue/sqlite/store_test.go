package sqlite

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"callboard/internal/queue"
	"callboard/internal/queue/queuetest"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		commitUntilKilled()
		return
	}
	// Each check of the suite's model opens files and syncs them many times; -rapid.checks asks for more.
	if err := flag.Set("rapid.checks", "5"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// drivers are those that the store runs on.
var drivers = map[string]string{"ncruces": "", "modernc": "sqlite"}

func onEachDriver(t *testing.T, test func(t *testing.T, driver string)) {
	for name, driver := range drivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, driver)
		})
	}
}

func TestStore(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		queuetest.Run(t, func(t testing.TB) queuetest.Maker { return maker(t, driver) })
	})
}

// maker makes stores in a folder whose name SQLite could take for more than a name.
func maker(t testing.TB, driver string) queuetest.Maker {
	n := 0
	path := filepath.Join(t.TempDir(), "queue 100%25?x#y&z.db")
	return queuetest.Maker{
		Open: func(t testing.TB) queue.Store { return openStore(t, Options{Path: path, Driver: driver}) },
		Crash: func(t testing.TB, s queue.Store) {
			n++
			to := filepath.Join(filepath.Dir(path), string(rune('a'+n))+".db")
			copyCrashed(t, s.(*store), to)
			path = to
		},
	}
}

func openStore(t testing.TB, o Options) *store {
	t.Helper()
	if o.reserve == 0 {
		o.reserve = leastReserve
	}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.(*store)
}

// copyCrashed copies the files as a kill at this moment would leave them, and ends the store that it left them from.
func copyCrashed(t testing.TB, s *store, to string) {
	t.Helper()
	s.stop()
	s.background.Wait()
	for _, suffix := range []string{"", "-wal"} {
		if err := copyFile(s.o.Path+suffix, to+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}
