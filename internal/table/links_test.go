package table

import (
	"os"
	"path/filepath"
	"testing"
)

// The tests here use real files and real events; the poll is an hour away.

// configMap writes files as the kubelet does: into a folder of their own, behind ..data, linked to one by one.
func configMap(t testing.TB, dir, version string, files map[string]string) {
	t.Helper()
	own := "..2026_" + version
	for name, data := range files {
		write(t, filepath.Join(dir, own, name), data)
	}
	old, _ := os.Readlink(filepath.Join(dir, "..data"))
	link(t, own, filepath.Join(dir, "..data"))
	entries, err := os.ReadDir(filepath.Join(dir, own))
	must(t, err)
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); !exists(path) {
			must(t, os.Symlink(filepath.Join("..data", e.Name()), path))
		}
	}
	if old != "" {
		must(t, os.RemoveAll(filepath.Join(dir, old)))
	}
}

func TestAConfigMapSwapIsNoticed(t *testing.T) {
	dir := t.TempDir()
	configMap(t, dir, "1", map[string]string{"a.yaml": "one", "b.yaml": "b"})
	k := keep(t, dir, "one", "b")
	configMap(t, dir, "2", map[string]string{"a.yaml": "two", "b.yaml": "b"})
	k.wait("two", "b")
	configMap(t, dir, "3", map[string]string{"a.yaml": "three", "b.yaml": "b"})
	k.wait("three", "b")
}

func TestOneFileOfAConfigMapIsNoticed(t *testing.T) {
	dir := t.TempDir()
	configMap(t, dir, "1", map[string]string{"a.yaml": "one"})
	k := keep(t, filepath.Join(dir, "a.yaml"), "one")
	configMap(t, dir, "2", map[string]string{"a.yaml": "two"})
	k.wait("two")
	configMap(t, dir, "3", map[string]string{"a.yaml": "three"})
	k.wait("three")
}

func TestALinkedFolderThatIsSwitchedIsNoticed(t *testing.T) {
	root := t.TempDir()
	for _, version := range []string{"1", "2", "3"} {
		write(t, filepath.Join(root, "releases", version, "a.yaml"), "release "+version)
	}
	current := filepath.Join(root, "current")
	link(t, "releases/1", current)
	k := keep(t, current, "release 1")
	for _, version := range []string{"2", "3"} {
		link(t, "releases/"+version, current)
		k.wait("release " + version)
	}
	write(t, filepath.Join(root, "releases/3/a.yaml"), "mended")
	k.wait("mended")
}

func TestALinkOnTheWayToAFileIsFollowed(t *testing.T) {
	root := t.TempDir()
	write(t, root+"/v1/a.yaml", "one")
	write(t, root+"/v2/a.yaml", "two")
	link(t, "v1", root+"/latest")
	link(t, "latest/a.yaml", root+"/a.yaml")
	k := keep(t, root+"/a.yaml", "one")
	link(t, "v2", root+"/latest")
	k.wait("two")
}
