package main

import (
	"fmt"
)

// A helpCmd prints help by another way than --help.
type helpCmd struct {
	Topic []string `arg:"" optional:"" completion:"topic" help:"A command, or exit-codes."`
}

// Help shows an example.
func (helpCmd) Help() string {
	return `Example:

	$ callboard help exit-codes
	$ callboard help serve
`
}

// Run prints the help.
func (c helpCmd) Run(a *app) error {
	if len(c.Topic) == 1 && c.Topic[0] == "exit-codes" {
		fmt.Fprint(a.stdout, exitCodesHelp)
		return nil
	}
	if code := a.run(append(c.Topic, "--help")); code != exitOK {
		return &failure{code: code}
	}
	return nil
}
