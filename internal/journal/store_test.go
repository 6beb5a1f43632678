package journal

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// fillUp records callbacks of a millisecond each, and writes them.
func fillUp(t testing.TB, j *Journal, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		c := sample(noon.Add(time.Duration(n)*time.Millisecond), n)
		j.Callback(c)
		if n%500 == 499 {
			write(t, j)
		}
	}
	write(t, j)
}

func TestMessageContentsStayOut(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		o.WithoutBodies = true
		j := open(t, o)
		j.Callback(&Callback{ID: "a", At: noon, GroupID: "visible", Body: []byte("hidden message"), Trace: map[string]int{"n": 1}})
		j.Attempt(&Attempt{CallbackID: "a", At: noon, Answer: "hidden answer", Status: 200})
		c, as, err := j.Get(t.Context(), "a")
		if err != nil || c.Body != nil || len(as) != 1 || as[0].Answer != "" || as[0].Status != 200 || c.GroupID != "visible" {
			t.Errorf("%+v, %+v, %v", c, as, err)
		}
		j.mu.Lock()
		if bytes.Contains(j.open.records, []byte("hidden")) || !bytes.Contains(j.open.records, []byte("visible")) {
			t.Errorf("on its way to the file: %q", j.open.records)
		}
		j.mu.Unlock()
	})
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are others there")
	}
	eachDriver(t, func(t *testing.T, o Options) {
		open(t, o)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			info, err := os.Stat(o.Path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if mode := info.Mode().Perm(); mode != 0o600 {
				t.Errorf("%s has mode %o", filepath.Base(info.Name()), mode)
			}
		}
	})
}

func TestAgeBoundsTheJournal(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		o.MaxAge = time.Hour
		j := open(t, o)
		for _, minutes := range []int{-61, -59, -62, -1} { // the clock went back once
			j.Callback(&Callback{ID: fmt.Sprint(minutes), At: time.Now().Add(time.Duration(minutes) * time.Minute)})
			write(t, j)
		}
		j.keepHouse(t)
		if got := strings.Join(ids(find(t, j, Filter{}, true)), " "); got != "-59 -1" {
			t.Errorf("%s are kept, want -59 -1", got)
		}
	})
}

func (j *Journal) keepHouse(t testing.TB) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for range 10_000 {
		if !j.keepHouseLocked(context.Background()) {
			return
		}
	}
	t.Error("keeping house does not end")
}

func TestSizeBoundsTheFile(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		o.MaxBytes = 2 << 20
		j := open(t, o)
		for n := 0; n < 12_000; n += 1000 { // some 4 MiB
			fillUp(t, j, n, n+1000)
			j.keepHouse(t)
		}
		kept := find(t, j, Filter{}, true)
		shut(t, j) // empties the write-ahead log
		if size := fileSize(t, o.Path); size > o.MaxBytes*5/4 || size < o.MaxBytes/2 {
			t.Errorf("the file has %d bytes, want about %d", size, o.MaxBytes)
		}
		if len(kept) < 2000 || kept[len(kept)-1].ID != ulid(noon.Add(11_999*time.Millisecond), 11_999) {
			t.Errorf("%d callbacks are kept, want the newest", len(kept))
		}
		for i := 1; i < len(kept); i++ {
			if kept[i].At.Sub(kept[i-1].At) != time.Millisecond {
				t.Fatalf("there is a gap before %v", kept[i].At)
			}
		}
		// A lower bound takes effect, and gives the room back.
		o.MaxBytes = 1 << 20
		j = open(t, o)
		j.keepHouse(t)
		if n := len(find(t, j, Filter{}, true)); n == 0 || n > len(kept)*3/4 {
			t.Errorf("%d of %d callbacks are kept with half the room", n, len(kept))
		}
		shut(t, j)
		if size := fileSize(t, o.Path); size > o.MaxBytes*2 {
			t.Errorf("the file has %d bytes, want about %d", size, o.MaxBytes)
		}
	})
}

// What a killed process had written is there: the files are copied as they are at that moment.
func TestAKilledProcessLosesNothingWritten(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		j := open(t, o)
		fillUp(t, j, 0, 1000)
		j.Callback(&Callback{ID: "not written", At: noon})
		dir := t.TempDir()
		for _, suffix := range []string{"", "-wal"} {
			text, err := os.ReadFile(o.Path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "copy.db"+suffix), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o.Path = filepath.Join(dir, "copy.db")
		copied := open(t, o)
		if n := len(find(t, copied, Filter{}, true)); n != 1000 {
			t.Errorf("%d callbacks, want 1000", n)
		}
	})
}

// damage overwrites a part of the file.
func damage(t *testing.T, path string, at int64, text []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(text, at); err != nil {
		t.Fatal(err)
	}
}

func asides(t *testing.T, o Options) []string {
	t.Helper()
	found, err := filepath.Glob(o.Path + ".damaged-*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestADamagedFileIsMovedAside(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		var log bytes.Buffer
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		j := open(t, o)
		fillUp(t, j, 0, 100)
		shut(t, j)
		damage(t, o.Path, 0, []byte("this is no database, whatever it was before"))
		j = open(t, o)
		if n := len(find(t, j, Filter{}, true)); n != 0 {
			t.Errorf("%d callbacks in a new journal", n)
		}
		if found := asides(t, o); len(found) != 1 || !strings.Contains(log.String(), found[0]) || !strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("moved aside: %v; the log says %s", found, log.String())
		}
		fillUp(t, j, 0, 10)
	})
}

func TestAFileThatTurnsOutToBeDamagedIsMovedAside(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		j := open(t, o)
		fillUp(t, j, 0, 2000)
		shut(t, j)
		db := raw(t, o)
		var page, size int64
		err := db.QueryRow("SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE name='records'").Scan(&page, &size)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		damage(t, o.Path, (page-1)*size, bytes.Repeat([]byte{0xee}, int(size)))

		j = open(t, o)
		j.Callback(&Callback{ID: "first of the new one", At: noon})
		write(t, j)
		if got := ids(find(t, j, Filter{}, true)); len(got) != 1 {
			t.Errorf("%v, want the one that is new", got)
		}
		if found := asides(t, o); len(found) != 1 {
			t.Errorf("moved aside: %v", found)
		}
	})
}

func TestADamagedChunkLeavesTheRest(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		j := open(t, o)
		fillUp(t, j, 0, 2000)
		lost := j.written[1].callbacks
		if _, err := j.store.w.Exec("UPDATE records SET zstd = substr(zstd, 1, 1000) WHERE chunk = ?", j.written[1].id); err != nil {
			t.Fatal(err)
		}
		n := 0
		err := j.Find(t.Context(), Filter{}, false, func(*Callback) bool { n++; return true })
		if n != 2000-lost || err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d callbacks", lost)) {
			t.Errorf("%d callbacks and %v, want %d and what is missing", n, err, 2000-lost)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		refuse := func(name, want string, o Options) {
			t.Helper()
			j, err := Open(t.Context(), o)
			if err == nil {
				shut(t, j)
			}
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), o.Path) {
				t.Errorf("%s: %v, want an error with %q", name, err, want)
			}
		}
		at := func(path string) Options { o := o; o.Path = path; return o }
		refuse("a missing folder", "no such file", at(filepath.Join(t.TempDir(), "none", "journal.db")))
		refuse("a folder", "is a directory", at(t.TempDir()))

		j := open(t, o)
		shut(t, j)
		db := raw(t, o)
		defer db.Close()
		exec := func(statement string) {
			t.Helper()
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		exec("PRAGMA user_version=7")
		refuse("a newer version", "newer Callboard wrote it (format 7, this one knows 1): run that one, or move the file away", o)
		exec("PRAGMA application_id=1")
		refuse("another program's database", "something else", o)
		if found := asides(t, o); len(found) != 0 {
			t.Errorf("moved aside: %v", found)
		}
	})
}

func TestOpenRefusesAReadOnlyFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write to every folder")
	}
	eachDriver(t, func(t *testing.T, o Options) {
		if err := os.Chmod(filepath.Dir(o.Path), 0o500); err != nil {
			t.Fatal(err)
		}
		if j, err := Open(t.Context(), o); err == nil {
			shut(t, j)
			t.Error("opened")
		}
	})
}

func TestPathsMayHaveAnyCharacter(t *testing.T) {
	eachDriver(t, func(t *testing.T, o Options) {
		o.Path = filepath.Join(t.TempDir(), "a b?c#d%41.db")
		j := open(t, o)
		fillUp(t, j, 0, 1)
		shut(t, j)
		if _, err := os.Stat(o.Path); err != nil {
			entries, _ := fs.Glob(os.DirFS(filepath.Dir(o.Path)), "*")
			t.Errorf("%v; there are %q", err, entries)
		}
	})
}
