package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"callboard/internal/console"
)

// adminFlags say which gateway a command talks to.
type adminFlags struct {
	Admin string `default:"127.0.0.1:8081" env:"CALLBOARD_ADMIN" placeholder:"ADDRESS" help:"The gateway's admin listener: its address as serve got it, or a URL."`
}

// adminURL is where an admin listener is asked. One on every interface is asked on the loopback one.
func adminURL(address string) string {
	base := strings.TrimSuffix(address, "/")
	if strings.Contains(base, "://") {
		return base
	}
	if host, port, err := net.SplitHostPort(base); err == nil {
		if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		base = net.JoinHostPort(host, port)
	}
	return "http://" + base
}

// get asks for a JSON answer.
func (f adminFlags) get(ctx context.Context, path string, query url.Values, into any) error {
	return f.ask(ctx, http.MethodGet, withQuery(path, query), "", nil, into)
}

// post sends a JSON body, none for nil, and asks for a JSON answer.
func (f adminFlags) post(ctx context.Context, path string, body, into any) error {
	if body == nil {
		return f.ask(ctx, http.MethodPost, path, "", nil, into)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("writing the request: %w", err)
	}
	return f.ask(ctx, http.MethodPost, path, "application/json", bytes.NewReader(text), into)
}

// ask makes a request and decodes the answer.
func (f adminFlags) ask(ctx context.Context, method, path, contentType string, body io.Reader, into any) error {
	answer, err := f.open(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := json.NewDecoder(answer).Decode(into); err != nil {
		return fmt.Errorf("reading the gateway's answer: %w", err)
	}
	return nil
}

// errInterrupted means that a person did not wait for the answer.
var errInterrupted = errors.New("interrupted")

// An unreachable is why no answer came.
type unreachable struct{ err error }

// Error returns why.
func (u *unreachable) Error() string { return u.err.Error() }

// Unwrap returns the error.
func (u *unreachable) Unwrap() error { return u.err }

// open makes a request and returns the answer's body, or what the gateway says is wrong. An address that nobody answers on is
// an *unreachable.
func (f adminFlags) open(ctx context.Context, method, path, contentType string, body io.Reader) (io.ReadCloser, error) {
	base := adminURL(f.Admin)
	request, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return nil, usageError("an address is host:port, as in 127.0.0.1:8081", "reading --admin: %w", err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil && ctx.Err() != nil {
		return nil, errInterrupted
	}
	if err != nil {
		return nil, hinted(&unreachable{fmt.Errorf("asking the gateway at %s: %w", request.URL.Host, withoutURL(err))},
			"is callboard serve running there? --admin or CALLBOARD_ADMIN says where its admin listener is")
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	return nil, readProblem(resp)
}

// maxProblem bounds what is read of an error, in bytes.
const maxProblem = 1 << 20

// readProblem turns an error of the API into one of ours.
func readProblem(resp *http.Response) error {
	var p console.Problem
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	if media := resp.Header.Get("Content-Type"); media != "application/problem+json" || json.Unmarshal(text, &p) != nil {
		return hinted(fmt.Errorf("the gateway answered %s", resp.Status), "is --admin the admin listener of a gateway of this version?")
	}
	var said []string
	for _, e := range p.Errors {
		if !strings.Contains(p.Detail, e.Message) {
			said = append(said, strings.TrimPrefix(e.Location+": "+e.Message, ": "))
		}
	}
	if p.Detail != "validation failed" || len(said) == 0 {
		said = append([]string{p.Detail}, said...)
	}
	code := exitFailed
	if p.Status == http.StatusUnprocessableEntity || p.Status == http.StatusBadRequest {
		code = exitUsage
	}
	return &failure{code: code, err: errors.New(strings.Join(said, "; ")), hint: p.Hint}
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
