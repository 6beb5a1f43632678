package main

import (
	"bytes"
	"fmt"

	"callboard/rules"
)

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
	schema, err := rules.Schema()
	if err != nil {
		return fmt.Errorf("making the schema: %w", err)
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n", bytes.TrimSpace(schema))
	return err
}
