package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	fenced  = regexp.MustCompile("(?ms)^```.*?^```")
)

func TestLinksLeadSomewhere(t *testing.T) {
	for _, file := range append(pages(t), "../examples/README.md") {
		for _, m := range link.FindAllStringSubmatch(read(t, file), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			path := file
			if target != "" {
				path = filepath.Join(filepath.Dir(file), target)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			} else if anchor != "" && !hasAnchor(read(t, path), anchor) {
				t.Errorf("%s links to %s, and no heading there is called that", file, m[1])
			}
		}
	}
}

// hasAnchor reports whether a page has a heading under an anchor, as code hosts name them.
func hasAnchor(page, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			default:
				return -1
			}
		}, m[1])
		if slug == anchor {
			return true
		}
	}
	return false
}

var path = regexp.MustCompile("`((?:\\.ci|cmd|docs|examples|internal|openim|router|rules|sinks|tools)/[\\w./*-]*)`")

// Files and folders that the pages name in code style exist, seen from the root of the repository.
func TestNamedFilesExist(t *testing.T) {
	for _, file := range []string{"architecture.md", "contributing.md", "../README.md"} {
		for _, m := range path.FindAllStringSubmatch(read(t, file), -1) {
			if found, err := filepath.Glob(filepath.Join("..", m[1])); err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which does not exist", file, m[1])
			}
		}
	}
}

var makeTarget = regexp.MustCompile("(?m)(?:`|^ {4})make (\\w+)")

// The targets of make that the pages name exist, and run is what the manual says it is.
func TestMakeTargets(t *testing.T) {
	makefile := read(t, "../Makefile")
	for _, file := range pages(t) {
		for _, m := range makeTarget.FindAllStringSubmatch(read(t, file), -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s names make %s, and the Makefile has no such target", file, m[1])
			}
		}
	}
	if !strings.Contains(makefile, "run ./cmd/callboard demo\n") {
		t.Error("make run does not start the demo")
	}
}
