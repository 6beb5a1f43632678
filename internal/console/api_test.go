package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/diag"
)

// operations are all of the API, with a request that each accepts.
var operations = []struct{ method, path, concrete, body string }{
	{"GET", "/api/callbacks", "/api/callbacks", ""},
	{"GET", "/api/callbacks/export", "/api/callbacks/export", ""},
	{"GET", "/api/callbacks/tail", "/api/callbacks/tail", ""},
	{"GET", "/api/callbacks/{id}", "/api/callbacks/cb1", ""},
	{"GET", "/api/deliveries", "/api/deliveries", ""},
	{"GET", "/api/deliveries/{id}", "/api/deliveries/cb1.archive", ""},
	{"GET", "/api/shadow", "/api/shadow", ""},
	{"GET", "/api/sinks", "/api/sinks", ""},
	{"POST", "/api/deliveries/discard", "/api/deliveries/discard", `{"all": true}`},
	{"POST", "/api/deliveries/retry", "/api/deliveries/retry", `{"all": true}`},
	{"POST", "/api/reload", "/api/reload", ""},
	{"POST", "/api/replay", "/api/replay", `{"all": true}`},
	{"POST", "/api/shadow/canary", "/api/shadow/canary", `{"share": "5%"}`},
	{"POST", "/api/shadow/discard", "/api/shadow/discard", ""},
	{"POST", "/api/sinks/{name}/pause", "/api/sinks/archive/pause", ""},
	{"POST", "/api/sinks/{name}/resume", "/api/sinks/archive/resume", ""},
}

func TestOpenAPIDescribesEveryOperation(t *testing.T) {
	h := admin(Options{Reload: func() ([]diag.Diagnostic, error) { return nil, nil }})
	code, described := ask[struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}](t, h, "GET", "/api/openapi.json", "")
	var got, want []string
	for path, methods := range described.Paths {
		for method := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	for _, op := range operations {
		want = append(want, op.method+" "+op.path)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); code != 200 || diff != "" || !strings.HasPrefix(described.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s with status %d (-want +got):\n%s", described.OpenAPI, code, diff)
	}
	if w := request(h, "GET", "/api/openapi.yaml", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "/api/replay:") {
		t.Errorf("GET /api/openapi.yaml = %d %.200s", w.Code, w.Body)
	}
	for _, path := range []string{"/docs", "/api/docs", "/schemas/Delivery.json"} { // Huma's, with scripts from elsewhere
		if w := request(h, "GET", path, ""); w.Code != 404 {
			t.Errorf("GET %s = %d, want 404", path, w.Code)
		}
	}
}

func TestWithoutDataOperationsSayWhatIsMissing(t *testing.T) {
	h := admin(Options{})
	for _, op := range operations {
		if op.path == "/api/reload" || strings.HasPrefix(op.path, "/api/shadow") {
			continue
		}
		w := request(h, op.method, op.concrete, op.body)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 409 || !strings.HasPrefix(p.Hint, "start serve with --data DIR") ||
			w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s = %d %s %s", op.method, op.concrete, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

// A request for everything that was not meant is what filters must never turn into.
func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	q, j := &fakeQueue{}, &fakeJournal{}
	replays := 0
	h := admin(Options{Queue: q, Journal: j, Replay: countReplays(&replays)})
	for _, row := range []struct{ what, method, path, body, says string }{
		{"an unknown query parameter", "GET", "/api/deliveries?sinks=a", "", "unknown query parameter"},
		{"an unknown state", "GET", "/api/deliveries?state=lost", "", "one of"},
		{"a limit that is too high", "GET", "/api/deliveries?limit=1001", "", "1000"},
		{"a broken cursor", "GET", "/api/deliveries?cursor=x", "", "no cursor"},
		{"a time in no known form", "GET", "/api/deliveries?since=yesterday", "", "not a time"},
		{"a window that is empty", "GET", "/api/callbacks?since=1h&until=2h", "", "not after since"},
		{"a broken cursor of callbacks", "GET", "/api/callbacks?cursor=x", "", "no cursor"},
		{"an unknown verdict", "GET", "/api/callbacks?verdict=maybe", "", "one of"},
		{"a window of tail", "GET", "/api/callbacks/tail?since=1h", "", "unknown query parameter"},
		{"a broken time of export", "GET", "/api/callbacks/export?since=x", "", "not a time"},
		{"an empty filter", "POST", "/api/deliveries/discard", `{}`, "say all"},
		{"all beside a filter", "POST", "/api/deliveries/discard", `{"all": true, "sink": "a"}`, "say all"},
		{"an empty list of ids", "POST", "/api/deliveries/discard", `{"ids": []}`, "array length"},
		{"an unknown name", "POST", "/api/deliveries/discard", `{"sinks": "a"}`, "unexpected property"},
		{"a filter in the query", "POST", "/api/deliveries/discard?sink=a", `{"all": true}`, "unknown query parameter"},
		{"no body", "POST", "/api/deliveries/retry", "", "body is required"},
		{"a broken time in a body", "POST", "/api/deliveries/retry", `{"since": "x"}`, "not a time"},
		{"a replay of nothing in particular", "POST", "/api/replay", `{"sinks": ["archive"]}`, "say all"},
		{"a replay to an empty list", "POST", "/api/replay", `{"since": "1h", "sinks": []}`, "array length"},
		{"a replay of lines with a filter", "POST", "/api/replay?since=1h", "\n", "unknown query parameter"},
		{"a replay of lines that is dry or not", "POST", "/api/replay?dry_run=maybe", "\n", "neither true nor false"},
	} {
		w := request(h, row.method, row.path, row.body)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 422 && w.Code != 400 || p.Title == "" || !strings.Contains(w.Body.String(), row.says) {
			t.Errorf("%s: %s %s %s = %d %s, want %q", row.what, row.method, row.path, row.body, w.Code, w.Body, row.says)
		}
	}
	if len(q.did)+len(q.asked)+len(j.asked)+replays > 0 {
		t.Errorf("something was done: %v, or asked: %v %v, or replayed: %d", q.did, q.asked, j.asked, replays)
	}
}

func TestOtherSitesAndHugeBodiesAreRefused(t *testing.T) {
	q := &fakeQueue{}
	h := admin(Options{Queue: q})
	r := newRequest("POST", "/api/deliveries/discard", `{"all": true}`)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if w := serve(h, r); w.Code != http.StatusForbidden {
		t.Errorf("for another site: %d", w.Code)
	}
	r = newRequest("POST", "/api/deliveries/discard", `{"all": true}`)
	r.Header.Set("Content-Type", "text/plain") // what a form of another site could send
	if w := serve(h, r); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("as plain text: %d", w.Code)
	}
	if w := request(h, "POST", "/api/deliveries/discard", `{"sink": "`+strings.Repeat("x", maxBody)+`"}`); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge body: %d", w.Code)
	}
	if len(q.did) > 0 {
		t.Errorf("something was done: %v", q.did)
	}
}
