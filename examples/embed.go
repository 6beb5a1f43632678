// Package examples carries the rules folder that `callboard demo` starts with, and the schemas of rules files and of their
// tests. The folders beside it are each run by this package's tests.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed quickstart/*.yaml rules.schema.json callboard.schema.json tests.schema.json
var files embed.FS

// Schema returns the JSON Schema of rules files. A test of package rules keeps it equal to what that package reads.
func Schema() []byte {
	text, _ := files.ReadFile("rules.schema.json") // it is in the program
	return text
}

// TeamsSchema returns the JSON Schema of callboard.yaml, kept equal in the same way.
func TeamsSchema() []byte {
	text, _ := files.ReadFile("callboard.schema.json") // it is in the program
	return text
}

// TestSchema returns the JSON Schema of files of routing tests, which is kept in the same way.
func TestSchema() []byte {
	text, _ := files.ReadFile("tests.schema.json") // it is in the program
	return text
}

// Files returns what the demo needs where there is no repository: the folder quickstart, and beside
// it the schemas that its files point editors at.
func Files() fs.FS { return files }
