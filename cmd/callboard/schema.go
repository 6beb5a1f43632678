package main

import "callboard/examples"

// A schemaCmd prints the JSON Schema of rules files.
type schemaCmd struct{}

// Help shows an example.
func (schemaCmd) Help() string {
	return `Editors that know YAML complete and check rules files with it, where a file begins with the line
# yaml-language-server: $schema=PATH

Example:

	$ callboard schema > rules.schema.json
`
}

// Run prints the schema.
func (schemaCmd) Run(a *app) error {
	_, err := a.stdout.Write(examples.Schema())
	return err
}
