package table

import (
	"bytes"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

func TestNoBeginningOfAFileIsTakenForTheWhole(t *testing.T) {
	s := serve(t, nil, twoSinks("", ""))
	before := s.table
	whole := strings.TrimSpace(twoSinks("a", "b"))
	for end := range whole {
		write(t, s.file, whole[:end])
		if _, err := s.Load(); err == nil || s.table != before {
			t.Fatalf("a file written this far was taken:\n%s", whole[:end])
		}
	}
	s.load(whole)
	if s.table == before {
		t.Error("the whole file was not taken")
	}
}

func TestSecretsStayOutOfLogAndStatus(t *testing.T) {
	const mark = "S3CR3T"
	token := filepath.Join(t.TempDir(), "token")
	write(t, token, "file "+mark+"\n")
	var log bytes.Buffer
	good := strings.Replace(twoSinks("", ""), "url: http://one/",
		"url: 'http://u:"+mark+"@one/${env:S}?k="+mark+"', headers: {A: '${file:"+token+"}', B: "+mark+"}", 1) +
		"    when: sendID == \"${env:S}\"\n"
	s := serve(t, func(o *Options) {
		o.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		o.Rules.LookupEnv = func(string) (string, bool) { return "env-" + mark, true }
	}, good)
	var shown []string
	for _, text := range []string{
		strings.Replace(good, "http://u", "ftp://u", 1),                       // refused by the rules
		strings.Replace(good, "headers:", "tls: {ca: /nowhere}, headers:", 1), // the same
		strings.Replace(good, "http://u", "https://u", 1) + "    onerror: match\n",
		strings.Replace(strings.Replace(good, "http://u", "https://u", 1), "headers:", "tls: {ca: "+token+"}, headers:", 1), // the sink cannot be made
		strings.Replace(good, "sendID", "sendId", 1),
		strings.Replace(good, "B: ", "B ", 1),
		strings.Replace(good, "'", "", 1), // no YAML
	} {
		write(t, s.file, text)
		ds, err := s.Load()
		if err == nil {
			t.Errorf("loads:\n%s", text)
		}
		shown = append(shown, fmt.Sprintf("%+v %v %+v", ds, err, s.Status()))
	}
	for _, text := range append(shown, log.String()) {
		if strings.Contains(text, mark) {
			t.Errorf("a secret is shown: %s", text)
		}
	}
	if !strings.Contains(log.String(), "rules rejected") {
		t.Error("the log is empty")
	}
}
