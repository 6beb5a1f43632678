package router

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// instant allows at once.
type instant struct{}

func (instant) Ask(context.Context, sinks.Request) sinks.Result {
	return sinks.Result{Attempts: 1, Status: 200, Answer: openim.Answer{Vote: openim.Allow}}
}

// forgetful takes lines and forgets them, after they were formatted.
type forgetful struct{}

func (forgetful) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkGateway is what a callback costs between net/http's server and its client: decode, match, fan
// out, fold, reply, metrics, and a log line that goes nowhere.
func BenchmarkGateway(b *testing.B) {
	benchmarkGateway(b, `
sinks: {s1: {url: "http://s1/"}, s2: {url: "http://s2/"}, s3: {url: "http://s3/"}}
rules:
  - name: bench
    callbacks: [afterSendGroupMsg]
    when: groupID != "" && contentType in [Text, AtText]
    await: {sinks: [s1], policy: all}
`)
}

func benchmarkGateway(b *testing.B, file string) {
	set, ds := rules.Load([]rules.File{{Name: "bench.yaml", Data: []byte(file)}}, rules.Options{})
	if set == nil {
		b.Fatal(ds)
	}
	g := New(Options{Log: slog.New(slog.NewTextHandler(forgetful{}, nil))})
	g.Swap(&Table{Rules: set, Sinks: map[string]Asker{"s1": instant{}, "s2": instant{}, "s3": instant{}}})
	c, _ := openim.Lookup("afterSendGroupMsg")
	body := openim.Sample(c)
	r := &http.Request{Method: http.MethodPost, URL: &url.URL{Path: "/" + c.Name}, Header: http.Header{"Operationid": {"bench"}}, ContentLength: int64(len(body))}
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.Body.Reset()
		g.ServeHTTP(w, r)
	}
}

// BenchmarkShapedGateway is BenchmarkGateway with a sink whose requests are shaped, by fields that are set or a body that is
// built, or whose votes are keyed.
func BenchmarkShapedGateway(b *testing.B) {
	for name, settings := range map[string]string{
		"plain":  "",
		"fields": `, set: {headers: {X-Group: groupID}, fields: {tenant: 'split(groupID, "-")[0]', isVIP: 'sendID in ["u1", "u2"]'}}`,
		"body":   `, body: '{"group": groupID, "text": text, "at": sendTime}'`,
		"key":    `, cache: {key: sendID, ttl: 30s}`,
	} {
		b.Run(name, func(b *testing.B) {
			benchmarkGateway(b, `
sinks: {s1: {url: "http://s1/"`+settings+`}}
rules:
  - {name: bench, callbacks: [afterSendGroupMsg], await: {sinks: [s1]}}
`)
		})
	}
}
