package main

import (
	"strings"
	"testing"
)

func TestPatchNames(t *testing.T) {
	for _, row := range []struct{ name, want string }{
		{"a.yaml", "diff --git a/a.yaml b/a.yaml\n--- a/a.yaml\n+++ b/a.yaml\n@@"},
		{"a b.yaml", "diff --git a/a b.yaml b/a b.yaml\n--- a/a b.yaml\t\n+++ b/a b.yaml\t\n@@"},
		{`a"b.yaml`, `diff --git "a/a\"b.yaml" "b/a\"b.yaml"` + "\n" + `--- "a/a\"b.yaml"` + "\n" + `+++ "b/a\"b.yaml"` + "\n@@"},
	} {
		var out strings.Builder
		if err := writePatch(&out, []fileChange{{row.name, []byte("a\n"), []byte("b\n")}}); err != nil || !strings.HasPrefix(out.String(), row.want) {
			t.Errorf("%s: %v\n%s\nwant it to begin with\n%s", row.name, err, out.String(), row.want)
		}
	}
}
