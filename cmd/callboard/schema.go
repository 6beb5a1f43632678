package main

import "callboard/examples"

// A schemaCmd prints the JSON Schema of rules files, of callboard.yaml, or of tests.
type schemaCmd struct {
	Teams bool `xor:"which" help:"Print the schema of callboard.yaml, which gives files to teams."`
	Tests bool `xor:"which" help:"Print the schema of routing tests (*_test.yaml)."`
}

// Help shows an example.
func (schemaCmd) Help() string {
	return `Editors that know YAML complete and check rules files with it, where a file begins with the line
# yaml-language-server: $schema=PATH

Example:

	$ callboard schema > rules.schema.json
	$ callboard schema --tests > tests.schema.json
`
}

// Run prints the schema.
func (c schemaCmd) Run(a *app) error {
	schema := examples.Schema()
	switch {
	case c.Teams:
		schema = examples.TeamsSchema()
	case c.Tests:
		schema = examples.TestSchema()
	}
	_, err := a.stdout.Write(schema)
	return err
}
