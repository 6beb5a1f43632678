package rules

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReferencesStaySecret(t *testing.T) {
	set := okCase(t, "substitution")
	if want := "https://callboard:" + secretMark + "@moderation.internal/check"; set.Sinks[0].URL != want {
		t.Errorf("url %q, want %q", set.Sinks[0].URL, want)
	}
	if got := set.Sinks[0]; got.Timeout != 250*time.Millisecond || got.Concurrency != 8 {
		t.Errorf("defaults of references: %v, %d", got.Timeout, got.Concurrency)
	}
	if want := `groupID startsWith "${env:TENANT}-" && text != "$${env:TENANT}"`; set.Rules[0].When != want {
		t.Errorf("when %q, want it as written: %q", set.Rules[0].When, want)
	}
	if want := `groupID startsWith "acme-" && text != "${env:TENANT}"`; set.Rules[0].cond.Source() != want {
		t.Errorf("compiled %q, want %q", set.Rules[0].cond.Source(), want)
	}
}

func TestRevision(t *testing.T) {
	file := text("sinks: {s: {url: 'http://s', headers: {A: '${file:/a}', B: '${env:B}'}}}\nrules: [{name: r, await: {sinks: s}}]\n")
	revision := func(f File, a, b string) string {
		set, found := Load([]File{f}, Options{
			ReadFile:  func(string) ([]byte, error) { return []byte(a), nil },
			LookupEnv: func(string) (string, bool) { return b, true },
		})
		if set == nil {
			t.Fatal(found)
		}
		return set.Revision
	}
	base := revision(file, "1", "2")
	if len(base) != 12 || strings.Trim(base, "0123456789abcdef") != "" {
		t.Errorf("revision %q is not 12 hex digits", base)
	}
	if base != revision(file, "1", "2") {
		t.Error("the same files have two revisions")
	}
	other := File{Name: file.Name, Data: append(slices.Clone(file.Data), '\n')}
	renamed := File{Name: "other.yaml", Data: file.Data}
	for what, got := range map[string]string{
		"contents": revision(other, "1", "2"), "name": revision(renamed, "1", "2"),
		"a file's secret": revision(file, "3", "2"), "a variable": revision(file, "1", "3"),
	} {
		if got == base {
			t.Errorf("another %s has the same revision", what)
		}
	}
}

func TestRealEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("from file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CALLBOARD_TEST", "from environment")
	set, found := Load([]File{text("sinks: {s: {url: 'http://s', headers: {A: '${env:CALLBOARD_TEST}', B: '${file:" + path + "}'}}}\nrules: [{name: r, await: {sinks: s}}]")}, Options{})
	if set == nil {
		t.Fatal(found)
	}
	if diff := cmp.Diff(map[string]string{"A": "from environment", "B": "from file"}, set.Sinks[0].Headers); diff != "" {
		t.Errorf("headers differ (-want +got):\n%s", diff)
	}
}
