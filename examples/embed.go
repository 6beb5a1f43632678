// Package examples carries the rules folder that `callboard demo` starts with. The folders beside
// it are each run by this package's tests.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed quickstart/*.yaml rules.schema.json
var files embed.FS

// Files returns what the demo needs where there is no repository: the folder quickstart, and beside
// it the schema that its files point editors at.
func Files() fs.FS { return files }
