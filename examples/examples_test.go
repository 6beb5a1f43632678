package examples

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callboard/internal/diag"
	"callboard/internal/queue"
	"callboard/internal/table"
	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestExamples sends each example's callbacks over real connections through the real gateway to
// sinks that answer by script.
func TestExamples(t *testing.T) {
	for _, folder := range folders(t) {
		for _, s := range readScenarios(t, folder) {
			t.Run(folder+"/"+strings.ReplaceAll(s.Name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				play(t, folder, s)
			})
		}
	}
}

func play(t *testing.T, folder string, s scenario) {
	command, ok := openim.Lookup(s.Command)
	if !ok {
		t.Fatalf("no such command: %s", s.Command)
	}
	g := start(t, folder, s.Sinks)
	body := fill(t, command, s.Fields)
	var got map[string]any
	for range max(1, s.Times) {
		got = g.post(t, "/"+command.Name, body)
	}
	for name, value := range s.Reply {
		if _, given := got[name]; value == "*" && given {
			got[name] = "*"
		}
	}
	if diff := cmp.Diff(s.Reply, got); diff != "" {
		t.Errorf("reply (-want +got):\n%s\nwhy: %s", diff, (<-g.traces).Why)
	}
	for sink, want := range s.Requests {
		if n := len(g.sinks[sink].Got()); n != want {
			t.Errorf("%s got %d requests, want %d", sink, n, want)
		}
	}
	for sink, want := range s.Sent {
		g.wasSent(t, sink, want, string(body))
	}
}

// wasSent compares the first request to a sink, which may be a delivery under way, with what it should hold.
func (g *gateway) wasSent(t *testing.T, sink string, want sent, callback string) {
	t.Helper()
	if len(g.sinks[sink].Got()) == 0 {
		<-g.attempts
	}
	first := g.sinks[sink].Got()[0]
	if want.Body == "" {
		want.Body = strings.TrimSuffix(callback, "}") + want.More
	}
	if first.Body != want.Body {
		t.Errorf("%s got  %s\nwant %s", sink, first.Body, want.Body)
	}
	for name, value := range want.Headers {
		if got := first.Header.Get(name); got != value {
			t.Errorf("%s got %s: %s, want %s", sink, name, got, value)
		}
	}
}

// fill is a sample of a command with some fields replaced.
func fill(t *testing.T, c *openim.Command, fields map[string]any) []byte {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(openim.Sample(c), &body); err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		if _, has := body[name]; !has {
			t.Fatalf("%s has no field %s", c.Short, name)
		}
		body[name] = value
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestDocumentedCallback takes the protocol's own example of the callback after a group message through
// a real connection, three sinks, a policy, and back; and then to the sink that is notified.
func TestDocumentedCallback(t *testing.T) {
	documented := openim.DocumentedGroupMessage()
	for _, tt := range []struct {
		name    string
		risk    testkit.Step
		archive testkit.Step
		want    map[string]any
	}{
		{"three of three take it", testkit.Allow(), testkit.Allow(), reply(0, 0, "")},
		{"two of three take it", testkit.Answer(503, ""), testkit.Allow(), reply(0, 0, "")},
		{"one of three takes it", testkit.Refuse(20032, "no"), testkit.Refuse(20071, "disk full"), reply(1, 20071, "disk full")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := start(t, "quickstart", map[string]script{
				"moderation": {testkit.Allow()}, "risk": {tt.risk}, "archive": {tt.archive}, "compliance": {testkit.Allow()},
			})
			got := g.post(t, documented.Path+"?"+documented.RawQuery, documented.Body)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
			g.drain(t)
			if a := <-g.attempts; a.Delivery.Sink != "compliance" || a.Outcome.Verdict != queue.Done {
				t.Errorf("attempted a delivery to %s: %+v", a.Delivery.Sink, a.Outcome)
			}
			for name, sink := range g.sinks {
				requests := sink.Got()
				if len(requests) == 0 {
					t.Errorf("%s was not told", name)
					continue
				}
				if r := requests[0]; r.Method != http.MethodPost || r.Body != string(documented.Body) {
					t.Errorf("%s got %s with\n%s\nwant POST with\n%s", name, r.Method, r.Body, documented.Body)
				}
			}
		})
	}
}

func reply(action, code float64, message string) map[string]any {
	return map[string]any{"actionCode": action, "errCode": code, "errMsg": message, "errDlt": "", "nextCode": 0.0}
}

// TestExamplesAreClean checks all folders as `callboard check` would, warnings included.
func TestExamplesAreClean(t *testing.T) {
	for _, folder := range append(folders(t), "quickstart", "sink", "batch") {
		files, err := table.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		env := func(name string) (string, bool) {
			if name == "SINK_SECRET" { // the only one that must be set
				return "whsec_bm90IHJlYWxseSBhIHNlY3JldA==", true
			}
			return "", false
		}
		if _, found := rules.Load(files, rules.Options{LookupEnv: env}); len(found) > 0 {
			var text strings.Builder
			if err := diag.WriteText(&text, found); err != nil {
				t.Fatal(err)
			}
			t.Errorf("%s:\n%s", folder, text.String())
		}
	}
}

// TestExamplesAreComplete wants a README beside every rules file, and the line that tells editors
// where the schema is, with the right way to it.
func TestExamplesAreComplete(t *testing.T) {
	for _, folder := range append(folders(t), "quickstart", "sink", "batch") {
		files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no rules files (%v)", folder, err)
		}
		if _, err := os.Stat(filepath.Join(folder, "README.md")); err != nil {
			t.Errorf("%s: %v", folder, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			schema, ok := strings.CutPrefix(first, "# yaml-language-server: $schema=")
			want := schemaFile
			if strings.HasSuffix(file, "_test.yaml") {
				want = testSchemaFile
			}
			if path := filepath.Join(folder, schema); !ok || path != want {
				t.Errorf("%s begins with %q, which leads to %q", file, first, path)
			}
		}
	}
}

// schemaFile and testSchemaFile are what the examples' editor lines point at.
const (
	schemaFile     = "rules.schema.json"
	testSchemaFile = "tests.schema.json"
)
