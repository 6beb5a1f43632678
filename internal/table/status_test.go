package table

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestLoadSaysWhatServes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rules")
	k := newKept(t, dir, nil)
	if s := k.Status(); s.Revision != "" || s.Current || !s.LoadedAt.IsZero() {
		t.Errorf("before Load the status is %+v", s)
	}
	if _, err := k.Load(); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("Load without a folder: %v, want an error with its path", err)
	}

	write(t, dir+"/a.yaml", "a\nodd one")
	ds, err := k.Load()
	if err != nil || len(ds) != 1 || ds[0].Message != "odd one" {
		t.Errorf("Load = %v, %v, want one warning", ds, err)
	}
	k.wait("a")

	ds, err = k.Load()
	if err != nil || len(ds) != 1 {
		t.Errorf("Load again = %v, %v, want the same warning", ds, err)
	}
	if tables := k.published(); len(tables) > 0 {
		t.Errorf("Load of the same files published %q", tables)
	}

	write(t, dir+"/a.yaml", "bad one\nbad two")
	for range 2 {
		if ds, err = k.Load(); err == nil || len(ds) != 2 {
			t.Errorf("Load of invalid rules = %v, %v, want two diagnostics and an error", ds, err)
		}
	}
	if s := k.Status(); s.Current || s.Rules != 1 || !cmp.Equal(s.Diagnostics, ds) {
		t.Errorf("then the status is %+v", s)
	}
}

func TestMetricsTellWhetherTheFolderServes(t *testing.T) {
	dir := t.TempDir()
	registry := prometheus.NewRegistry()
	k := newKept(t, dir, func(o *Options) { o.Registerer = registry })
	want := func(when, metrics string) {
		t.Helper()
		names := []string{
			"callboard_config_last_reload_successful", "callboard_config_reloads_total", "callboard_config_rules", "callboard_config_sinks",
		}
		if err := testutil.GatherAndCompare(registry, strings.NewReader(metrics), names...); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	expect := func(successful, rules, loaded, rejected, unreadable string) string {
		return `
# HELP callboard_config_last_reload_successful Whether the rules folder's contents are what serves (1) or could not be used (0).
# TYPE callboard_config_last_reload_successful gauge
callboard_config_last_reload_successful ` + successful + `
# HELP callboard_config_reloads_total Changes of the rules folder, by what came of them: loaded, rejected for its diagnostics, or unreadable.
# TYPE callboard_config_reloads_total counter
callboard_config_reloads_total{result="loaded"} ` + loaded + `
callboard_config_reloads_total{result="rejected"} ` + rejected + `
callboard_config_reloads_total{result="unreadable"} ` + unreadable + `
# HELP callboard_config_rules Rules in the serving table.
# TYPE callboard_config_rules gauge
callboard_config_rules ` + rules + `
# HELP callboard_config_sinks Sinks in the serving table.
# TYPE callboard_config_sinks gauge
callboard_config_sinks 0
`
	}
	load := func() { _, _ = k.Load() }

	want("at first", expect("0", "0", "0", "0", "0"))
	load()
	want("an empty folder", expect("0", "0", "0", "0", "1"))
	write(t, dir+"/a.yaml", "a\nb")
	load()
	want("two rules", expect("1", "2", "1", "0", "1"))
	write(t, dir+"/a.yaml", "bad")
	load()
	load()
	want("an invalid edit, looked at twice", expect("0", "2", "1", "1", "1"))
	write(t, dir+"/a.yaml", "a")
	load()
	want("mended", expect("1", "1", "2", "1", "1"))
	replace(t, dir+"/b", "")
	must(t, renameAway(dir+"/a.yaml"))
	load()
	want("the file gone", expect("0", "1", "2", "1", "2"))
	must(t, renameBack(dir+"/a.yaml"))
	load()
	want("the file back", expect("1", "1", "2", "1", "2"))

	stamp := testutil.ToFloat64(k.metrics.timestamp)
	if age := time.Since(time.Unix(int64(stamp), 0)); age < 0 || age > time.Hour {
		t.Errorf("the last success is %v old", age)
	}
}

func TestAChangeThatTheFileSystemCannotShowIsLookedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	k := newKept(t, path, nil)
	write(t, path, "a")
	k.mustLoad("a")
	if !k.changed(nil) {
		t.Error("a file written just now counts as unchanged, though a second write may leave the same time")
	}
	setTime(t, path, time.Now().Add(-time.Minute))
	k.mustLoadSame()
	if k.changed(nil) {
		t.Error("a file written a minute ago counts as changed")
	}
	info, err := os.Stat(path)
	must(t, err)
	replace(t, path, "b")
	setTime(t, path, info.ModTime())
	if !k.changed(nil) {
		t.Error("another file of the same size and time counts as unchanged")
	}
	k.mustLoad("b")
	setTime(t, path, time.Now().Add(-2*time.Minute))
	if !k.changed(nil) {
		t.Error("a file with another time counts as unchanged")
	}
}

func TestWithoutEventsThePollKeepsUp(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/a.yaml", "a")
	k := newKept(t, dir, func(o *Options) { o.Poll = 10 * time.Millisecond })
	k.mustLoad("a")
	k.start(func(ctx context.Context) { k.watch(ctx, &watcher{log: k.o.Log}) })
	write(t, dir+"/a.yaml", "b")
	k.wait("b")
	replace(t, dir+"/a.yaml", "c")
	k.wait("c")
}
