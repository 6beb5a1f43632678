package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callboard/internal/queue"
)

func appendEvents(t testing.TB, s queue.Store, n, size int) error {
	t.Helper()
	b := &queue.Batch{}
	for i := range n {
		b.Events = append(b.Events, &queue.Event{ID: fmt.Sprintf("id-%d", i), Targets: []queue.Target{{Sink: "a"}}, Body: make([]byte, size)})
	}
	return s.Commit(t.Context(), b)
}

// A log whose end was never written out, or was scribbled over, has all up to there.
func TestTornWriteAheadLog(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		for name, tear := range map[string]func(wal []byte, acknowledged int) []byte{
			"cut":       func(wal []byte, at int) []byte { return wal[:at+5000] },
			"scribbled": func(wal []byte, at int) []byte { copy(wal[at+3000:], "scribble"); return wal },
			"zeroed":    func(wal []byte, at int) []byte { clear(wal[at+24:]); return wal },
			"with junk": func(wal []byte, _ int) []byte { return append(wal, strings.Repeat("junk", 5000)...) },
		} {
			t.Run(name, func(t *testing.T) {
				folder := t.TempDir()
				s := openStore(t, Options{Path: filepath.Join(folder, "queue.db"), Driver: driver})
				if err := appendEvents(t, s, 10, 2000); err != nil {
					t.Fatal(err)
				}
				before, err := os.Stat(s.o.Path + "-wal")
				if err != nil {
					t.Fatal(err)
				}
				if err := appendEvents(t, s, 10, 2000); err != nil { // the batch that was under way
					t.Fatal(err)
				}
				torn := filepath.Join(folder, "torn.db")
				copyCrashed(t, s, torn)
				wal, err := os.ReadFile(torn + "-wal")
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(torn+"-wal", tear(wal, int(before.Size())), 0o600); err != nil {
					t.Fatal(err)
				}
				s = openStore(t, Options{Path: torn, Driver: driver})
				events, upTo, err := s.Read(t.Context(), "a", 0, 100, 1<<20)
				want := 10
				if name == "with junk" {
					want = 20
				}
				if len(events) != want || upTo != uint64(want) || err != nil {
					t.Errorf("%d events, up to %d, %v; want %d", len(events), upTo, err, want)
				}
				if err := appendEvents(t, s, 1, 100); err != nil {
					t.Errorf("going on: %v", err)
				}
			})
		}
	})
}

// What is wrong with a file is said with its path and with what to do.
func TestFilesThatCannotBeUsed(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		sqlFile := func(statements string) func(t *testing.T, path string) {
			return func(t *testing.T, path string) {
				db, err := sql.Open("sqlite", path)
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				if _, err := db.Exec(statements); err != nil {
					t.Fatal(err)
				}
			}
		}
		for name, c := range map[string]struct {
			make func(t *testing.T, path string)
			want string
		}{
			"no database": {
				func(t *testing.T, path string) { writeFile(t, path, strings.Repeat("hello ", 5000)) },
				"damaged",
			},
			"another application's":                     {sqlFile("CREATE TABLE t (a)"), "another application"},
			"another application's by its number":       {sqlFile("PRAGMA application_id = 7"), "another application"},
			"of a newer release":                        {sqlFile(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 2", applicationID)), "newer release"},
			"a folder":                                  {func(t *testing.T, path string) { mkdir(t, path) }, "is a directory"},
			"without tables though it should have them": {sqlFile(fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 1", applicationID)), "no such table"},
		} {
			t.Run(name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "queue.db")
				c.make(t, path)
				s, err := Open(t.Context(), Options{Path: path, Driver: driver})
				if err == nil {
					s.Close()
					t.Fatal("it opened")
				}
				if !strings.Contains(err.Error(), c.want) || name != "without tables though it should have them" && !strings.Contains(err.Error(), path) {
					t.Errorf("Open: %v\nwant the path and %q", err, c.want)
				}
			})
		}
	})
}

func TestNothingIsAcceptedIntoAFileThatIsGone(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		folder := filepath.Join(t.TempDir(), "data")
		mkdir(t, folder)
		path := filepath.Join(folder, "queue.db")
		s := openStore(t, Options{Path: path, Driver: driver})
		if err := appendEvents(t, s, 1, 100); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if info, err := os.Stat(path + suffix); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("queue.db%s: %v, %v; want it to be this user's only", suffix, info.Mode(), err)
			}
		}
		away := folder + "-away"
		if err := os.Rename(folder, away); err != nil {
			t.Fatal(err)
		}
		if err := appendEvents(t, s, 1, 100); err == nil || !strings.Contains(err.Error(), path+" has been removed") {
			t.Errorf("in a folder that is gone: %v", err)
		}
		mkdir(t, folder)
		writeFile(t, path, "another one")
		if err := appendEvents(t, s, 1, 100); err == nil || !strings.Contains(err.Error(), "another file has taken the place") {
			t.Errorf("beside another file: %v", err)
		}
		if err := errors.Join(os.RemoveAll(folder), os.Rename(away, folder)); err != nil {
			t.Fatal(err)
		}
		if err := appendEvents(t, s, 1, 100); err != nil {
			t.Errorf("after it was put back: %v", err)
		}
	})
}

func TestFolderThatCannotBeUsed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "no", "queue.db")
	if _, err := Open(t.Context(), Options{Path: missing}); err == nil || !strings.Contains(err.Error(), filepath.Dir(missing)+" does not exist") {
		t.Errorf("in a missing folder: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, "")
	if _, err := Open(t.Context(), Options{Path: filepath.Join(file, "queue.db")}); err == nil {
		t.Error("a file was taken for a folder")
	}
	readOnly := t.TempDir()
	if err := os.Chmod(readOnly, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // for whom modes say nothing; a mount does
		mountTmpfs(t, readOnly, "ro")
	}
	_, err := Open(t.Context(), Options{Path: filepath.Join(readOnly, "queue.db")})
	if err == nil || !strings.Contains(err.Error(), readOnly) || !strings.Contains(err.Error(), "writable") {
		t.Errorf("in a read-only folder: %v", err)
	}
}

// Pages that were overwritten are noticed when they are read, and said.
func TestDamagedFile(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		path := filepath.Join(t.TempDir(), "queue.db")
		s := openStore(t, Options{Path: path, Driver: driver})
		for range 20 {
			if err := appendEvents(t, s, 20, 2000); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 8192; i < len(b); i += 64 {
			b[i] ^= 0x5a
		}
		writeFile(t, path, string(b))
		err = func() error {
			s, err := Open(t.Context(), Options{Path: path, Driver: driver})
			if err != nil {
				return err
			}
			defer s.Close()
			_, lerr := s.Load(t.Context())
			_, _, rerr := s.Read(t.Context(), "a", 0, 1000, 1<<30)
			return errors.Join(lerr, rerr)
		}()
		if err == nil || !strings.Contains(err.Error(), path+" is damaged") || !strings.Contains(err.Error(), "backup") {
			t.Errorf("a scribbled file: %v", err)
		}
	})
}

// A full disk refuses what is new, keeps what was accepted, and takes more once there is room.
func TestFullDisk(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		folder := t.TempDir()
		mountTmpfs(t, folder, "size=2m")
		s := openStore(t, Options{Path: filepath.Join(folder, "queue.db"), Driver: driver})
		defer s.Close() // before the folder goes
		accepted := fillUp(t, s)
		if err := appendEvents(t, s, 1, 100_000); !errors.Is(err, queue.ErrFull) {
			t.Errorf("on a full disk Commit = %v, want %v", err, queue.ErrFull)
		}
		events, _, err := s.Read(t.Context(), "a", 0, 10_000, 1<<30)
		if len(events) != accepted || err != nil {
			t.Errorf("%d events of %d are there, %v", len(events), accepted, err)
		}
		if out, err := exec.Command("mount", "-o", "remount,size=8m", folder).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		s.reserve.tried = time.Time{} // else it waits a second
		if err := appendEvents(t, s, 1, 100_000); err != nil {
			t.Errorf("with room again: %v", err)
		}
	})
}

// What is settled has room on a full disk, and makes room for what is new.
func TestOnAFullDiskWhatIsSettledMakesRoom(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		folder := t.TempDir()
		mountTmpfs(t, folder, "size=6m")
		s := openStore(t, Options{Path: filepath.Join(folder, "queue.db"), Driver: driver, reserve: 1 << 20})
		defer s.Close() // before the folder goes
		s.stop()        // checkpoints come by hand
		s.background.Wait()
		for range 20 { // not faster than checkpoints
			if err := appendEvents(t, s, 10, 10_000); err != nil {
				break
			}
			_ = s.checkpoint(t.Context())
		}
		accepted := fillUp(t, s)
		head := s.head
		for floor := head / 10; floor <= head; floor += head / 10 {
			if err := s.Commit(t.Context(), &queue.Batch{Sinks: []queue.Cursor{{Sink: "a", Floor: floor}}}); err != nil {
				t.Fatalf("settling up to %d after %d events: %v", floor, accepted, err)
			}
			for more := true; more; {
				var err error
				if more, err = s.Trim(t.Context(), 1000); err != nil {
					t.Fatalf("trimming: %v", err)
				}
			}
			if err := s.checkpoint(t.Context()); err != nil {
				t.Fatalf("checkpointing: %v", err)
			}
		}
		s.reserve.tried = time.Time{}
		if err := appendEvents(t, s, 1, 10_000); err != nil {
			t.Errorf("after trimming: %v", err)
		}
	})
}

// A file that may not grow is full in the same way; that needs no disk of its own.
func TestFullFile(t *testing.T) {
	onEachDriver(t, func(t *testing.T, driver string) {
		s := openStore(t, Options{Path: filepath.Join(t.TempDir(), "queue.db"), Driver: driver})
		if _, err := s.writer.ExecContext(t.Context(), `PRAGMA max_page_count = 200`); err != nil {
			t.Fatal(err)
		}
		accepted := fillUp(t, s)
		settle := &queue.Batch{Sinks: []queue.Cursor{{Sink: "a", Floor: uint64(accepted)}}}
		if err := s.Commit(t.Context(), settle); err != nil {
			t.Fatalf("settling when full: %v", err)
		}
		for more := true; more; {
			var err error
			if more, err = s.Trim(t.Context(), 1000); err != nil {
				t.Fatalf("trimming when full: %v", err)
			}
		}
		s.reserve.tried = time.Time{}
		if err := appendEvents(t, s, 1, 10_000); err != nil {
			t.Errorf("after trimming: %v", err)
		}
	})
}

// fillUp appends until the store is full and tells how many events it accepted.
func fillUp(t *testing.T, s *store) (accepted int) {
	t.Helper()
	for range 10_000 {
		err := appendEvents(t, s, 1, 10_000)
		if errors.Is(err, queue.ErrFull) {
			if accepted == 0 || !strings.Contains(err.Error(), s.o.Path) {
				t.Fatalf("after %d events: %v", accepted, err)
			}
			return accepted
		}
		if err != nil {
			t.Fatalf("Commit: %v", err)
		}
		accepted++
	}
	t.Fatal("it never gets full")
	return 0
}

func mountTmpfs(t *testing.T, folder, options string) {
	t.Helper()
	if out, err := exec.CommandContext(context.Background(), "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", folder).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}
