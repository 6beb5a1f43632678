package table

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// warnOfFileMount says how to mount rules when path is a file that is a mount point of its own, as
// "docker run -v ./rules.yaml:/rules.yaml" makes it. Such a mount keeps showing the old file after an
// editor on the host has replaced it by a new one, and nothing inside can notice.
func warnOfFileMount(path string, log *slog.Logger) {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || !isMountPoint(string(mounts), abs) {
		return // not Linux, or an ordinary file
	}
	log.Warn("the rules file is a mount of its own: a host that replaces the file, as most editors do, is not noticed; mount its folder instead",
		"file", path, "example", "-v ./rules:/etc/callboard/rules:ro")
}

// isMountPoint reports whether mountinfo (see proc(5)) has a mount at exactly path.
func isMountPoint(mountinfo, path string) bool {
	for line := range strings.Lines(mountinfo) {
		if fields := strings.Fields(line); len(fields) > 4 && unescapeMount(fields[4]) == path {
			return true
		}
	}
	return false
}

// unescapeMount undoes the octal escapes (\040 for a space) of mountinfo.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
