package sinks_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

func TestNewRefusesSettingsThatCannotWork(t *testing.T) {
	withURL := func(url string) sinks.Options { return sinks.Options{URL: url} }
	withHeader := func(name, value string) sinks.Options {
		return sinks.Options{URL: "http://h", Headers: map[string]string{name: value}}
	}
	withSecrets := func(secrets ...string) sinks.Options { return sinks.Options{URL: "http://h", Secrets: secrets} }
	for _, c := range []struct {
		o    sinks.Options
		want string
	}{
		{withURL(""), "it has no URL"},
		{withURL("h/x"), `reading URL: it must begin with "http://" or "https://"`},
		{withURL("ftp://h"), `reading URL: it must begin with "http://" or "https://"`},
		{withURL("http:///hush"), "reading URL: it has no host"},
		{withURL("http://:80/hush"), "reading URL: it has no host"},
		{withURL("http://u:hu/sh@h"), "reading URL: it is malformed, perhaps a character needs escaping"},
		{withURL("http://h/%zz?hush"), "reading URL: it is malformed, perhaps a character needs escaping"},
		{withURL("http://h/#hush"), `reading URL: what follows "#" would never be sent`},
		{withURL("http://h/{hush}"), "reading URL: the only placeholders are {command} and {source}; other braces are written %7B and %7D"},
		{withURL("http://{source}.h/{command}"), "reading URL: a placeholder may stand in path and query only"},
		{withURL("http://u:{source}@h/"), "reading URL: a placeholder may stand in path and query only"},
		{sinks.Options{URL: "http://h", Timeout: -1}, "a time, count or size is negative"},
		{sinks.Options{URL: "http://h", Attempts: -1}, "a time, count or size is negative"},
		{sinks.Options{URL: "http://h", TLS: sinks.TLS{ServerName: "x"}}, "it has TLS settings, but its URL is not https"},
		{sinks.Options{URL: "https://h", TLS: sinks.TLS{ServerName: "x"}, Transport: http.DefaultTransport}, "a given Transport brings its own Dial and TLS"},
		{sinks.Options{URL: "https://h", TLS: sinks.TLS{Cert: "x"}}, "a client certificate needs both cert and key"},
		{sinks.Options{URL: "https://h", TLS: sinks.TLS{CA: "nowhere.pem"}}, "reading CA certificates: open nowhere.pem: no such file or directory"},
		{sinks.Options{URL: "https://h", TLS: sinks.TLS{CA: "new_test.go"}}, "reading CA certificates: new_test.go has no PEM certificate"},
		{sinks.Options{URL: "https://h", TLS: sinks.TLS{Cert: "c.pem", Key: "k.pem"}}, "reading client certificate c.pem with key k.pem: open c.pem: no such file or directory"},
		{withHeader("a b", "x"), `reading headers: "a b" is no header name`},
		{withHeader("", "x"), `reading headers: "" is no header name`},
		{withHeader("x-token", "hush\nhush"), "reading headers: the value of X-Token has a line break or another control character"},
		{withHeader("content-length", "1"), "reading headers: Content-Length is not for settings, HTTP decides it"},
		{withSecrets(newSecret, "whsec_h-u_s-h_"), "reading secrets: what follows whsec_ is not base64"},
		{withSecrets("whsec_aHVzaCBodXNoIGh1c2g="), "reading secrets: one is shorter than 16 bytes"},
		{withSecrets("hush hush hush!"), "reading secrets: one is shorter than 16 bytes"},
		{withSecrets(newSecret, ""), "reading secrets: one is shorter than 16 bytes"},
		{withSecrets(newSecret, oldSecret, newSecret), "reading secrets: there are more than two"},
		{sinks.Options{URL: "http://h", Headers: map[string]string{"x-a": "1", "X-A": "2"}}, "reading headers: X-A is there twice"},
	} {
		c.o.Name = "s"
		if _, err := sinks.New(c.o); err == nil || err.Error() != `making sink "s": `+c.want {
			t.Errorf("New(%+v):\ngot  %v\nwant %s", c.o, err, c.want)
		}
	}
	if _, err := sinks.New(sinks.Options{URL: "http://h"}); err == nil || err.Error() != `making sink "": it has no name` {
		t.Errorf("without a name: got %v", err)
	}
}

func TestPlaceholdersAreReplacedAndEscaped(t *testing.T) {
	for _, c := range []struct{ url, command, source, want string }{
		{"http://sink/{source}/{command}", "callbackX", "prod", "/prod/callbackX?"},
		{"http://sink/{source}/{command}", "callbackX", "prod/eu 1", "/prod/eu%201/callbackX?"},
		{"http://sink/{source}/{command}", "callbackX", "", "/callbackX?"},
		{"http://sink/{command}", "a/b?c#d%e", "", "/a%2Fb%3Fc%23d%25e?"},
		{"http://sink?c={command}&s={source}", "a&b=c d", "prod/eu", "/?c=a%26b%3Dc+d&s=prod%2Feu"},
		{"http://sink/x%2Fy/{command}?k=%20v", "c", "", "/x%2Fy/c?k=%20v"},
		{"http://u:p@sink/{command}", "{source}", "x", "/%7Bsource%7D?"},
		{"http://sink/fixed?c=%7Bcommand%7D", "c", "", "/fixed?c=%7Bcommand%7D"},
	} {
		onStage(t, sinks.Options{URL: c.url}, nil, func(t *testing.T, s *stage) {
			wantVote(t, s.near.Ask(t.Context(), sinks.Request{Command: c.command, Source: c.source}), openim.Allow)
			got := s.far.Got()[0]
			if got := got.Path + "?" + got.RawQuery; got != c.want {
				t.Errorf("%s with %q, %q: got %s, want %s", c.url, c.command, c.source, got, c.want)
			}
		})
	}
}

func TestPlaceholdersCannotLeaveTheirPath(t *testing.T) {
	for _, c := range []sinks.Request{{Command: "..", Source: "x"}, {Command: "x", Source: ".."}, {Command: "x", Source: "a/../../b"}, {Command: ".", Source: "."}} {
		onStage(t, sinks.Options{URL: "http://sink/hooks/{source}/{command}?{command}"}, nil, func(t *testing.T, s *stage) {
			wantReason(t, s.near.Ask(t.Context(), c), "not asked: the callback's command or source does not fit into the sink's URL")
			if len(s.far.Got()) != 0 {
				t.Error("the sink was asked")
			}
		})
	}
}

func TestAttemptsAreLoggedWithoutSecrets(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := sinks.Options{URL: "http://hush:hush@sink/hush?hush", Headers: map[string]string{"X-Token": "hush"}, Log: log, Backoff: 1,
		Secrets: []string{newSecret}}
	onStage(t, o, steps(status(503), testkit.Answer(200, "hush")), func(t *testing.T, s *stage) {
		s.ask(t, time.Second)
		s.near.Deliver(t.Context(), delivery)
	})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || strings.Contains(out.String(), "hush") || strings.Contains(out.String(), newSecret[6:]) ||
		!strings.Contains(lines[0], `msg="sink asked" sink=sink id=cb-1 attempt=1 status=503 vote=failed reason="answered HTTP 503"`) ||
		!strings.Contains(lines[2], `msg="delivery attempted" sink=sink id=01jd0000000000000000000001.sink attempt=1 status=200 delivered=true reason=""`) {
		t.Errorf("got log\n%s\nwant three attempts and no secret", out.String())
	}
}
