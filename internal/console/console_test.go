package console

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"callboard/internal/diag"
	"callboard/internal/table"
)

var (
	loaded  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	serving = table.Status{Revision: "0123456789ab", LoadedAt: loaded, CheckedAt: loaded, Rules: 3, Sinks: 2, Current: true}
	finding = diag.Diagnostic{
		ID: "unknown-field", File: "rules/a.yaml", Line: 14, Col: 34, EndCol: 40,
		Message: `unknown field "sendId"`, Hint: `did you mean "sendID"?`, Source: "    when: sendId != 1",
	}
	rejected = func() table.Status {
		s := serving
		s.Current, s.Diagnostics, s.CheckedAt = false, []diag.Diagnostic{finding}, loaded.Add(time.Minute)
		return s
	}()
)

// call makes one request and returns status and JSON answer.
func call(t *testing.T, o Options, method, path string, header ...string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	New(o).ServeHTTP(w, r)
	var answer map[string]any
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Errorf("%s %s answers %q: %v", method, path, w.Body, err)
		}
	}
	return w.Code, answer
}

func status(s table.Status) func() table.Status { return func() table.Status { return s } }

func TestHealthz(t *testing.T) {
	code, answer := call(t, Options{Status: status(table.Status{})}, "GET", "/healthz")
	if code != 200 || !cmp.Equal(answer, map[string]any{"status": "ok"}) {
		t.Errorf("GET /healthz = %d %v", code, answer)
	}
}

func TestReadyz(t *testing.T) {
	servingRules := map[string]any{
		"revision": "0123456789ab", "loaded_at": "2026-03-01T12:00:00Z", "checked_at": "2026-03-01T12:00:00Z",
		"rules": 3.0, "sinks": 2.0, "current": true, "diagnostics": []any{},
	}
	noRules := map[string]any{"revision": "", "rules": 0.0, "sinks": 0.0, "current": false, "diagnostics": []any{}}
	with := func(rules map[string]any, pairs ...any) map[string]any {
		changed := map[string]any{}
		for k, v := range rules {
			changed[k] = v
		}
		for i := 0; i < len(pairs); i += 2 {
			changed[pairs[i].(string)] = pairs[i+1]
		}
		return changed
	}
	found := []any{map[string]any{
		"severity": "error", "id": "unknown-field", "file": "rules/a.yaml", "line": 14.0, "col": 34.0,
		"message": `unknown field "sendId"`, "hint": `did you mean "sendID"?`,
	}}
	for name, test := range map[string]struct {
		status   table.Status
		draining bool
		code     int
		word     string
		rules    map[string]any
	}{
		"no table yet":                     {table.Status{}, false, 503, "no_rules", noRules},
		"a table serves":                   {serving, false, 200, "ready", servingRules},
		"shutdown has begun":               {serving, true, 503, "draining", servingRules},
		"shutdown began without any table": {table.Status{}, true, 503, "draining", noRules},
		"the folder's contents are rejected, the old table serves": {rejected, false, 200, "ready",
			with(servingRules, "current", false, "checked_at", "2026-03-01T12:01:00Z", "diagnostics", found)},
		"the folder is gone before a table was made": {table.Status{Err: "reading rules: gone"}, false, 503, "no_rules",
			with(noRules, "error", "reading rules: gone")},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Status: status(test.status), Draining: func() bool { return test.draining }}
			code, answer := call(t, o, "GET", "/readyz")
			want := map[string]any{"status": test.word, "rules": test.rules}
			if code != test.code || !cmp.Equal(answer, want) {
				t.Errorf("GET /readyz = %d, want %d\n%s", code, test.code, cmp.Diff(want, answer))
			}
		})
	}
}

func TestReloadAnswersWhatCameOfIt(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status table.Status
		code   int
	}{
		"loaded":   {nil, serving, 200},
		"rejected": {errors.New("errors in the rules: 1"), rejected, 422},
	} {
		t.Run(name, func(t *testing.T) {
			reloads := 0
			o := Options{Status: status(test.status), Reload: func() ([]diag.Diagnostic, error) {
				reloads++
				return test.status.Diagnostics, test.err
			}}
			code, answer := call(t, o, "POST", "/api/reload")
			rules, _ := answer["rules"].(map[string]any)
			found, _ := rules["diagnostics"].([]any)
			if code != test.code || reloads != 1 || rules["current"] != (test.err == nil) || len(found) != len(test.status.Diagnostics) {
				t.Errorf("POST /api/reload = %d %v after %d reloads, want %d", code, answer, reloads, test.code)
			}
			for _, wrong := range []struct {
				method, path string
				header       []string
				want         int
			}{
				{"GET", "/api/reload", nil, http.StatusMethodNotAllowed},
				{"POST", "/api/reload", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
				{"POST", "/api/reload", []string{"Origin", "http://elsewhere.example"}, http.StatusForbidden},
			} {
				if code, _ := call(t, o, wrong.method, wrong.path, wrong.header...); code != wrong.want || reloads != 1 {
					t.Errorf("%s %s %v = %d after %d reloads, want %d and no reload", wrong.method, wrong.path, wrong.header, code, reloads-1, wrong.want)
				}
			}
		})
	}
	if code, _ := call(t, Options{Status: status(serving)}, "POST", "/api/reload"); code != http.StatusNotFound {
		t.Errorf("POST /api/reload without Options.Reload = %d, want 404", code)
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "callboard_something", Help: "Help."})
	gauge.Set(7)
	registry.MustRegister(gauge)
	w := httptest.NewRecorder()
	New(Options{Status: status(serving), Gatherer: registry}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "\ncallboard_something 7\n") {
		t.Errorf("GET /metrics = %d %s", w.Code, w.Body)
	}
}

func TestProfiles(t *testing.T) {
	h := New(Options{Status: status(serving)})
	ask := func(method, path string, body io.Reader) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, body))
		return w
	}
	for path, want := range map[string]string{
		"/debug/pprof/":                   "full goroutine stack dump",
		"/debug/pprof/goroutine?debug=1":  "goroutine profile: total",
		"/debug/pprof/heap?debug=1":       "heap profile:",
		"/debug/pprof/cmdline":            "console.test",
		"/debug/pprof/symbol":             "num_symbols",
		"/debug/pprof/trace?seconds=0.01": "trace\x00",
	} {
		if w := ask("GET", path, nil); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("GET %s = %d %.80q, want %q in it", path, w.Code, w.Body, want)
		}
	}
	if w := ask("POST", "/debug/pprof/symbol", strings.NewReader("0x1")); w.Code != 200 {
		t.Errorf("POST /debug/pprof/symbol = %d", w.Code)
	}
	if w := ask("POST", "/debug/pprof/heap", nil); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST /debug/pprof/heap = %d, want %d", w.Code, http.StatusMethodNotAllowed)
	}
}
