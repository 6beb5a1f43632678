package main

import (
	"errors"
	"time"

	"callboard/internal/demo"
)

// A demoCmd plays the demo.
type demoCmd struct {
	Rules    string        `placeholder:"DIR" completion:"file" help:"Rules folder to play with. Default: examples/quickstart, or a copy of it outside of the repository."`
	Listen   string        `default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Where callbacks arrive; a taken port is replaced by a free one."`
	Admin    string        `default:"127.0.0.1:8081" placeholder:"ADDRESS" help:"Where /healthz, /readyz and /metrics are; a taken port is replaced by a free one."`
	Interval time.Duration `default:"1.2s" help:"Time between two callbacks."`
	Once     bool          `help:"Play each callback once and compare its verdict with the expected one."`
}

// Help shows an example.
func (demoCmd) Help() string {
	return `Starts the gateway, three services for it to ask, and a stream of IMServer's callbacks, all in this process, and prints
what becomes of each. Edit the rules meanwhile. Ctrl-C ends it.

Example:

	$ callboard demo
	$ callboard demo --once
`
}

// Validate checks what the types of the flags do not.
func (c demoCmd) Validate() error {
	if c.Interval <= 0 {
		return errors.New("--interval must be more than 0")
	}
	return nil
}

// Run plays until the context ends, or once.
func (c demoCmd) Run(a *app) error {
	err := demo.Run(a.ctx, demo.Options{
		Rules: c.Rules, Listen: c.Listen, Admin: c.Admin, Once: c.Once, Interval: c.Interval, Out: a.stdout,
	})
	if errors.Is(err, demo.ErrUnexpected) {
		return &failure{code: exitFindings, err: err}
	}
	return err
}
