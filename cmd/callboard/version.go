package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// A versionCmd prints what this binary is made of.
type versionCmd struct{}

// Help shows an example.
func (versionCmd) Help() string {
	return `Example:

	$ callboard version
`
}

// Run prints the version, the revision it was built from, Go's version, and that of the expression
// language, which decides what conditions may say.
func (versionCmd) Run(a *app) error {
	b := readBuild()
	fmt.Fprintf(a.stdout, "callboard %s\n", b.version)
	if b.revision != "" {
		fmt.Fprintf(a.stdout, "revision  %s\n", b.revision)
	}
	fmt.Fprintf(a.stdout, "go        %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(a.stdout, "expr      %s\n", b.expr)
	return nil
}

// version is set by release builds: -ldflags "-X main.version=v1.2.3".
var version string

// A build is what the linker recorded.
type build struct {
	version  string // of Callboard
	revision string // of its source, "" when it was not built from a repository
	expr     string // version of expr-lang/expr
}

// readBuild reads the build information of this binary.
func readBuild() build {
	b := build{version: version, expr: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if b.version == "" {
		b.version = info.Main.Version
	}
	modified := ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.revision = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				modified = " (modified)"
			}
		}
	}
	if b.revision != "" {
		b.revision += modified
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/expr-lang/expr" {
			b.expr = m.Version
		}
	}
	return b
}
