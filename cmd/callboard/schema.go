package main

import "callboard/examples"

// A schemaCmd prints the JSON Schema of rules files.
type schemaCmd struct {
	Teams bool `help:"Print the schema of callboard.yaml, which gives files to teams."`
}

// Help shows an example.
func (schemaCmd) Help() string {
	return `Editors that know YAML complete and check rules files with it, where a file begins with the line
# yaml-language-server: $schema=PATH

Example:

	$ callboard schema > rules.schema.json
`
}

// Run prints the schema.
func (c schemaCmd) Run(a *app) error {
	schema := examples.Schema()
	if c.Teams {
		schema = examples.TeamsSchema()
	}
	_, err := a.stdout.Write(schema)
	return err
}
