package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"callboard/openim"
)

// A sendCmd posts one callback as IMServer does.
type sendCmd struct {
	URL     string        `default:"http://127.0.0.1:8080" placeholder:"URL" help:"What webhooks.yml has as url."`
	Command string        `completion:"command" short:"c" placeholder:"NAME" help:"The command, as in beforeSendGroupMsg. Recorded callbacks have theirs."`
	Set     []string      `sep:"none" short:"s" placeholder:"FIELD=VALUE" help:"Put a value into a field of the sample; repeatable. a.b=… reaches into objects, a.0.b=… into lists. What the field's type does not take as text is read as JSON."`
	Header  []string      `sep:"none" short:"H" placeholder:"NAME:VALUE" help:"Send another header; repeatable."`
	Body    string        `completion:"file" placeholder:"FILE" help:"Send this file's contents instead of the sample, or one after the other the recorded callbacks that it has as callbacks export writes them; - for standard input."`
	OpenIM  string        `name:"openim" default:"v3.7" enum:"v2,v3.0,v3.5,v3.7" env:"CALLBOARD_OPENIM" help:"The IMServer to behave as; v3.7 stands for everything later too."`
	Timeout time.Duration `default:"5s" help:"How long to wait for the reply, as webhooks.yml has it for the command."`
	Print   bool          `help:"Print the body instead of sending it."`
}

// Help shows an example.
func (sendCmd) Help() string {
	return `Prints the reply and what an IMServer would make of it. Exits 0 when it would proceed, 1 when it would refuse the
user's action (of several recorded callbacks: any), and 3 when no reply came.

Example:

	$ callboard send --command beforeSendGroupMsg --set groupID=support-7 --set 'content={"content":"a refund, please"}'
	$ callboard send --command afterUserOnline --set userID=u1 --print > online.json
	$ callboard send --url http://staging:8080 --body yesterday.jsonl
`
}

// Run sends the callback and prints what came of it.
func (c sendCmd) Run(a *app) error {
	version, err := openim.ParseVersion(c.OpenIM)
	if err != nil {
		return usageError("", "reading --openim: %w", err)
	}
	if c.Timeout <= 0 {
		return usageError("", "--timeout must be more than 0")
	}
	if c.Body != "" && len(c.Set) > 0 {
		return usageError("", "--body and --set cannot be used together")
	}
	if c.Body == "" {
		command, err := c.command(input{})
		if err != nil {
			return err
		}
		body, err := c.sample(command)
		if err != nil {
			return err
		}
		return c.send(a, command, version, input{body: body})
	}
	refused := false
	for in, err := range a.inputs(c.Body) {
		if err != nil {
			return err
		}
		command, err := c.command(in)
		if err != nil {
			return err
		}
		err = c.send(a, command, version, in)
		if err != nil && !errors.Is(err, errFindings) {
			return err
		}
		refused = refused || err != nil
	}
	if refused {
		return errFindings
	}
	return nil
}

// command is the one that was named, or else the recorded one, which may be unknown to the catalogue.
func (c sendCmd) command(in input) (*openim.Command, error) {
	switch {
	case c.Command != "":
		return lookupCommand(c.Command)
	case in.recorded == nil:
		return nil, usageError("callboard commands lists them", "missing flags: --command=NAME")
	}
	if known, ok := openim.Lookup(in.recorded.Command); ok {
		return known, nil
	}
	return &openim.Command{Name: in.recorded.Command, Short: in.recorded.Command}, nil
}

// send posts one callback, or prints it.
func (c sendCmd) send(a *app, command *openim.Command, version openim.Version, in input) error {
	if c.Print {
		_, err := fmt.Fprintf(a.stdout, "%s\n", bytes.TrimSpace(in.body))
		return err
	}
	ctx, cancel := context.WithTimeout(a.ctx, c.Timeout)
	defer cancel()
	request, err := c.request(ctx, command, version, in)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "POST %s\n", request.URL.Redacted())
	began := time.Now()
	status, reply, err := post(request)
	took := time.Since(began).Round(time.Millisecond / 10)
	if err != nil {
		return hinted(fmt.Errorf("%w after %v", err, took), c.withoutReply(command))
	}
	fmt.Fprintf(a.stdout, "%s in %v\n%s\n", status, took, bytes.TrimSpace(reply))
	return printReading(a.stdout, openim.ReadReply(reply, command, version), command, version)
}

// sample is the sample with the fields that were set.
func (c sendCmd) sample(command *openim.Command) ([]byte, error) {
	body := openim.Sample(command)
	for _, s := range c.Set {
		path, value, ok := strings.Cut(s, "=")
		if !ok || path == "" {
			return nil, usageError("as in --set groupID=g1", "reading --set %s: expected FIELD=VALUE", s)
		}
		var err error
		if body, err = setField(body, command, path, value); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// request makes the request as an IMServer of that version does: URL and command are joined as text. A recorded source goes between.
func (c sendCmd) request(ctx context.Context, command *openim.Command, version openim.Version, in input) (*http.Request, error) {
	target := c.URL
	if in.recorded != nil && in.recorded.Source != "" {
		target = strings.TrimSuffix(target, "/") + "/" + in.recorded.Source
	}
	switch version {
	case openim.V2:
	case openim.V30:
		target += "?command=" + command.Name
	default:
		target += "/" + command.Name
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(in.body))
	if err != nil {
		return nil, usageError("as in --url http://127.0.0.1:8080", "reading --url: %w", err)
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	if version != openim.V2 {
		request.Header.Set("operationID", operationID(in))
	}
	for _, h := range c.Header {
		name, value, err := parseHeader(h)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(name, "Host") { // net/http does not read it there
			request.Host = value
			continue
		}
		request.Header.Add(name, value)
	}
	return request, nil
}

// operationID is the body's or the recorded one, or a new one where there is none: the header always has one.
func operationID(in input) string {
	if cb, err := openim.Decode(openim.Request{Body: in.body}); err == nil && cb.OperationID() != "" {
		return cb.OperationID()
	}
	if in.recorded != nil && in.recorded.OperationID != "" {
		return in.recorded.OperationID
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return "callboard-send-" + hex.EncodeToString(id[:])
}

// parseHeader reads "Name: value".
func parseHeader(s string) (name, value string, err error) {
	name, value, ok := strings.Cut(s, ":")
	if !ok || strings.TrimSpace(name) == "" {
		return "", "", usageError(`as in --header "X-Tenant: a"`, "reading --header %s: expected NAME:VALUE", name)
	}
	return strings.TrimSpace(name), strings.TrimSpace(value), nil
}

// maxReply bounds what is read of a reply; IMServer has no bound.
const maxReply = 64 << 20

// post sends the request as IMServer's client does: no proxy, redirects followed.
func post(request *http.Request) (status string, reply []byte, err error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(request)
	if err != nil {
		return "", nil, fmt.Errorf("sending the callback: %w", withoutURL(err))
	}
	defer resp.Body.Close()
	reply, err = io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return "", nil, fmt.Errorf("reading the reply: %w", err)
	}
	return resp.Proto + " " + resp.Status, reply, nil
}

// withoutReply tells what IMServer makes of silence.
func (c sendCmd) withoutReply(command *openim.Command) string {
	if command.Phase == openim.After {
		return "IMServer would drop this event and tell nobody; see that the gateway runs and that --url is its callbacks listener"
	}
	return "IMServer would refuse the user's action with 90004 NetworkError; see that the gateway runs and that --url is its callbacks listener"
}

// printReading tells what IMServer makes of the reply, and ends with the exit code that goes with it.
func printReading(w io.Writer, r openim.Reading, command *openim.Command, version openim.Version) error {
	switch {
	case r.Refused:
		fmt.Fprintf(w, "IMServer %s would refuse with code %d", version, r.Code)
		if r.Message != "" {
			fmt.Fprintf(w, " and %q", r.Message)
		}
	case command.Phase == openim.After:
		fmt.Fprintf(w, "IMServer %s would go on", version)
	default:
		fmt.Fprintf(w, "IMServer %s would proceed", version)
	}
	fmt.Fprintf(w, ": %s\n", r.Why)
	if r.Refused {
		return errFindings
	}
	return nil
}

// withoutURL takes the URL out of a client's error: it may hold a password, and has been printed.
func withoutURL(err error) error {
	if found, ok := errors.AsType[*url.Error](err); ok {
		return found.Err
	}
	return err
}
