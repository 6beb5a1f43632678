package table

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"callboard/router"
	"callboard/rules"
)

// What a load had to do is in the metrics, and what was kept is not needed for the next one to be right.
func TestMetricsOfLoads(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		write(t, filepath.Join(dir, name+".yaml"), fmt.Sprintf("rules: [{name: %s, when: 'sendID == \"%s\"', reply: allow}]\n", name, name))
	}
	registry := prometheus.NewPedanticRegistry()
	var table *router.Table
	k := New(Options{Dir: dir, Registerer: registry, Publish: func(t *router.Table) { table = t }})
	load := func(what string, read, kept, compiled, conditions int) {
		t.Helper()
		if ds, err := k.Load(); err != nil {
			t.Fatalf("%s: %v %v", what, err, ds)
		}
		want := fmt.Sprintf(`
			# HELP callboard_config_last_load_files Rules files of the last load that succeeded: read, or kept because they had not changed.
			# TYPE callboard_config_last_load_files gauge
			callboard_config_last_load_files{work="kept"} %d
			callboard_config_last_load_files{work="read"} %d
			# HELP callboard_config_last_load_conditions Expressions that the last load that succeeded compiled, and conditions that it kept because they had not changed.
			# TYPE callboard_config_last_load_conditions gauge
			callboard_config_last_load_conditions{work="compiled"} %d
			callboard_config_last_load_conditions{work="kept"} %d
		`, kept, read, compiled, conditions)
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "callboard_config_last_load_files", "callboard_config_last_load_conditions"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	load("at first", 3, 0, 3, 0)
	write(t, filepath.Join(dir, "b.yaml"), "rules: [{name: b, when: 'sendID == \"other\"', reply: allow}, {name: d, when: 'sendID == \"a\"', reply: allow}]\n")
	load("one file with one new condition", 1, 2, 1, 3)
	k.loads.startOver()
	write(t, filepath.Join(dir, "b.yaml"), "rules: [{name: b, reply: allow}]\n")
	load("after a panic", 3, 0, 2, 0)
	if names := ruleNames(table.Rules); names != "a b c" {
		t.Errorf("rules %s, want a b c", names)
	}
}

func ruleNames(set *rules.Set) string {
	var names []string
	for _, r := range set.Rules {
		names = append(names, r.Name)
	}
	return strings.Join(names, " ")
}

// Who loads beside what serves lets callbacks go first from the first load on.
func TestLoadsAside(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), "rules: [{name: a, reply: allow}]\n")
	for _, aside := range []bool{false, true} {
		k := New(Options{Dir: dir, Aside: aside, Publish: func(*router.Table) {}})
		if ds, err := k.Load(); err != nil {
			t.Fatal(err, ds)
		}
		if got := k.loads.loader.Serving; got != aside {
			t.Errorf("aside %t: the first load lets callbacks go first: %t", aside, got)
		}
	}
}

// Loads beside callbacks are made by whoever wants to prepare for them; the first one, which nobody waits beside, is not.
func TestLoadsBesideCallbacksAreAnnounced(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.yaml")
	write(t, file, "rules: [{name: a, reply: allow}]\n")
	told := 0
	published := ""
	k := New(Options{Dir: dir, Publish: func(t *router.Table) { published = t.Rules.Rules[0].Name }, Beside: func(load func()) { told++; load() }})
	for i, name := range []string{"a", "b"} {
		write(t, file, "rules: [{name: "+name+", reply: allow}]\n")
		if ds, err := k.Load(); err != nil {
			t.Fatal(err, ds)
		}
		if told != i || published != name {
			t.Errorf("load %d: announced %d times, published %q", i, told, published)
		}
	}
}
