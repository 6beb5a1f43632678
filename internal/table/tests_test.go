package table

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestReadTests(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.yaml", "a_test.yaml", "b_test.yml", "sub/c_test.yaml", "sub/c.yaml", ".hidden_test.yaml", "d_test.json", "_test.yaml"} {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
	for of, want := range map[string][]string{
		"":            {"_test.yaml", "a_test.yaml", "b_test.yml", "sub/c_test.yaml"},
		"a.yaml":      {"a_test.yaml"},
		"sub/c.yaml":  {"sub/c_test.yaml"},
		"d_test.json": nil,
	} {
		files, err := ReadTests(filepath.Join(dir, of))
		must(t, err)
		var got []string
		for _, f := range files {
			name, err := filepath.Rel(dir, f.Name)
			must(t, err)
			got = append(got, filepath.ToSlash(name))
			if string(f.Data) != filepath.ToSlash(name) {
				t.Errorf("%s holds %q", name, f.Data)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("tests of %q are %q, want %q", of, got, want)
		}
	}
	if _, err := ReadTests(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there has tests")
	}
}
