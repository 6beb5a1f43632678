package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A healthCmd asks a running gateway whether it is well, for container health checks.
type healthCmd struct {
	Admin   string        `default:"127.0.0.1:8081" env:"CALLBOARD_ADMIN" placeholder:"ADDRESS" help:"The gateway's admin listener: its address as serve got it, or a URL."`
	Ready   bool          `help:"Ask /readyz (do rules serve, is it not shutting down) instead of /healthz (is the process alive)."`
	Timeout time.Duration `default:"3s" help:"How long to wait for the answer."`
}

// Help shows an example.
func (healthCmd) Help() string {
	return `Exits 0 when the gateway says that it is well and 1 otherwise. Meant for the HEALTHCHECK of an image that has no
other HTTP client.

Example:

	$ callboard health
	$ callboard health --ready --admin http://gateway.internal:8081
`
}

// Run asks and prints what the gateway said.
func (c healthCmd) Run(a *app) error {
	ctx, cancel := context.WithTimeout(a.ctx, c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(), nil)
	if err != nil {
		return usageError("an address is host:port, as in 127.0.0.1:8081", "reading --admin: %w", err)
	}
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req)
	if err != nil {
		fmt.Fprintln(a.stderr, "callboard health:", err)
		return errFindings
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	fmt.Fprintln(a.stdout, strings.TrimSpace(string(said)))
	if resp.StatusCode != http.StatusOK {
		fmt.Fprintln(a.stderr, "callboard health:", resp.Status)
		return errFindings
	}
	return nil
}

// url is the address to ask.
func (c healthCmd) url() string {
	if c.Ready {
		return adminURL(c.Admin) + "/readyz"
	}
	return adminURL(c.Admin) + "/healthz"
}
