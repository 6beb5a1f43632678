package table

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestIsMountPoint(t *testing.T) {
	const mountinfo = `22 1 254:1 / / rw,relatime - ext4 /dev/vda rw
611 22 254:1 /srv/my\040rules.yaml /etc/callboard/my\040rules.yaml rw,relatime - ext4 /dev/vda rw
612 22 254:1 /srv /etc/callboard/folder rw,relatime - ext4 /dev/vda rw
broken
`
	for path, want := range map[string]bool{
		"/":                            true,
		"/etc/callboard/my rules.yaml": true,
		"/etc/callboard/folder":        true,
		"/etc/callboard":               false,
		"/srv/my rules.yaml":           false,
	} {
		if got := isMountPoint(mountinfo, path); got != want {
			t.Errorf("isMountPoint(%s) = %v, want %v", path, got, want)
		}
	}
}

// What "docker run -v ./rules.yaml:/rules.yaml" does: a write from outside arrives, and the log tells how to do better.
func TestAFileMountedByItself(t *testing.T) {
	dir := t.TempDir()
	outside, inside := filepath.Join(dir, "host", "rules.yaml"), filepath.Join(dir, "container", "rules.yaml")
	write(t, outside, "a")
	write(t, inside, "")
	if err := bindMount(outside, inside); err != nil {
		t.Skipf("bind mounts are not to be had here (%s, uid %d): %v", runtime.GOOS, os.Getuid(), err)
	}
	t.Cleanup(func() { must(t, unmount(inside)) })

	k := newKept(t, inside, nil)
	k.mustLoad("a")
	k.start(func(ctx context.Context) { _ = k.Run(ctx) })
	r := k.waitLog("the rules file is a mount of its own: a host that replaces the file, as most editors do, is not noticed; mount its folder instead")
	if attr(r, "file") != inside {
		t.Errorf("the warning is about %q, want %q", attr(r, "file"), inside)
	}
	write(t, outside, "b")
	k.wait("b")
}
