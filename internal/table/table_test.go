package table

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callboard/internal/diag"
	"callboard/router"
	"callboard/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loadWords stands in for rules.Load where a test is about files, with a language of its own: each line is a rule's
// name, save "bad" (an error), "odd" (a warning), "panic", and "secret PATH" (a referenced file).
func loadWords(files []rules.File, o rules.Options) (*rules.Set, []diag.Diagnostic) {
	set := &rules.Set{Revision: fmt.Sprintf("%x", digestOf(files))[:12]}
	var ds []diag.Diagnostic
	for _, f := range files {
		for i, line := range strings.Split(string(f.Data), "\n") {
			at := diag.Diagnostic{File: f.Name, Line: i + 1, Col: 1, EndCol: 2, ID: line + "-line", Message: line}
			word, rest, _ := strings.Cut(line, " ")
			switch word {
			case "":
			case "bad":
				ds = append(ds, at)
			case "odd":
				at.Severity = diag.Warning
				ds = append(ds, at)
			case "panic":
				panic(f.Name)
			case "secret":
				data, err := o.ReadFile(rest)
				if err != nil {
					at.Message = err.Error()
					ds = append(ds, at)
				}
				set.Rules = append(set.Rules, &rules.Rule{Name: "secret " + string(data)})
			default:
				set.Rules = append(set.Rules, &rules.Rule{Name: line})
			}
		}
	}
	if diag.HasErrors(ds) {
		return nil, ds
	}
	return set, ds
}

func digestOf(files []rules.File) digest {
	c := make(contents, len(files))
	for i, f := range files {
		c[i] = content{File: f, sum: sha256.Sum256(f.Data)}
	}
	return c.digest()
}

// A kept is a Keeper at work and what came out of it.
type kept struct {
	*Keeper
	t      testing.TB
	loads  atomic.Int64
	tables chan []string // the names of the rules of each published table
	logs   chan slog.Record
}

// newKept makes a Keeper with a language of words and without a poll, unless change says otherwise.
func newKept(t testing.TB, dir string, change func(*Options)) *kept {
	k := &kept{t: t, tables: make(chan []string, 1000), logs: make(chan slog.Record, 10_000)}
	o := Options{
		Dir:      dir,
		Poll:     time.Hour,
		Debounce: 20 * time.Millisecond,
		Log:      slog.New(recorder{logs: k.logs}),
		Publish: func(table *router.Table) {
			names := []string{}
			for _, r := range table.Rules.Rules {
				names = append(names, r.Name)
			}
			k.tables <- names
		},
	}
	if change != nil {
		change(&o)
	}
	k.Keeper = New(o)
	k.load = func(files []rules.File, o rules.Options) (*rules.Set, []diag.Diagnostic) {
		k.loads.Add(1)
		return loadWords(files, o)
	}
	return k
}

// keep starts a Keeper on dir, whose rules are want, with real events.
func keep(t testing.TB, dir string, want ...string) *kept {
	t.Helper()
	k := newKept(t, dir, nil)
	k.mustLoad(want...)
	w := newWatcher(k.o.Log)
	if w.fs == nil {
		t.Skip("this system has no file events to give")
	}
	k.start(func(ctx context.Context) { defer w.close(); k.watch(ctx, w) })
	k.Reload()
	k.waitLog("rules unchanged") // the look that Run begins with must not be what notices the test's change
	return k
}

func (k *kept) mustLoad(want ...string) {
	k.t.Helper()
	if _, err := k.Load(); err != nil {
		k.t.Fatalf("Load: %v", err)
	}
	k.wait(want...)
}

// start runs f until the test ends.
func (k *kept) start(f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	k.t.Cleanup(func() { cancel(); <-done })
}

// wait waits for a table with exactly these rules, past others.
func (k *kept) wait(want ...string) {
	k.t.Helper()
	late := time.After(time.Minute)
	var last []string
	for {
		select {
		case last = <-k.tables:
			if cmp.Equal(last, append([]string{}, want...)) {
				k.idle()
				return
			}
		case <-late:
			k.t.Fatalf("no table with rules %q, the last had %q; status %+v", want, last, k.Status())
		}
	}
}

// idle waits until the look that published is over, and what came of it in the status.
func (k *kept) idle() {
	k.looking.Lock()
	defer k.looking.Unlock()
}

// waitLog waits for a log line with the message.
func (k *kept) waitLog(message string) slog.Record {
	k.t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case r := <-k.logs:
			if r.Message == message {
				return r
			}
		case <-late:
			k.t.Fatalf("nothing logged %q; status %+v", message, k.Status())
		}
	}
}

// messages empties the log.
func (k *kept) messages() []string {
	all := []string{}
	for {
		select {
		case r := <-k.logs:
			all = append(all, r.Message)
		default:
			return all
		}
	}
}

// published empties the tables.
func (k *kept) published() [][]string {
	all := [][]string{}
	for {
		select {
		case names := <-k.tables:
			all = append(all, names)
		default:
			return all
		}
	}
}

// recorder is a slog.Handler that keeps what is logged from info upwards.
type recorder struct{ logs chan slog.Record }

func (r recorder) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (r recorder) WithAttrs([]slog.Attr) slog.Handler           { return r }
func (r recorder) WithGroup(string) slog.Handler                { return r }
func (r recorder) Handle(_ context.Context, rec slog.Record) error {
	r.logs <- rec
	return nil
}

func attr(r slog.Record, key string) string {
	value := ""
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == key {
			value = a.Value.String()
		}
		return true
	})
	return value
}

// write writes a file in place, as "cat >" does, and makes its folder.
func write(t testing.TB, path, data string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(data), 0o644))
}

// replace puts a new file in the place of path, as most editors do.
func replace(t testing.TB, path, data string) {
	t.Helper()
	temp := filepath.Join(filepath.Dir(path), ".new-"+filepath.Base(path))
	write(t, temp, data)
	must(t, os.Rename(temp, path))
}

// link makes path a symbolic link to target, in one step also when it exists.
func link(t testing.TB, target, path string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.Symlink(target, path+".new"))
	must(t, os.Rename(path+".new", path))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (k *kept) mustLoadSame() {
	k.t.Helper()
	if _, err := k.Load(); err != nil {
		k.t.Fatalf("Load: %v", err)
	}
}

func setTime(t testing.TB, path string, at time.Time) {
	t.Helper()
	must(t, os.Chtimes(path, at, at))
}

func renameAway(path string) error { return os.Rename(path, path+".away") }
func renameBack(path string) error { return os.Rename(path+".away", path) }
