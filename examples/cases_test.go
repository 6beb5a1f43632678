package examples

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callboard/internal/testkit"
)

// A scenario is one case of an example's cases.json: a callback, what the sinks answer, and the reply
// that IMServer must get.
type scenario struct {
	Name     string
	Command  string         // as people type it
	Fields   map[string]any // over openim.Sample's
	Times    int            // how often the callback comes, 0: once
	Sinks    map[string]script
	Reply    map[string]any // the whole reply, the last one's; "*" stands for any text
	Requests map[string]int // sink → how often it was asked; sinks left out may be cancelled before they are
	Sent     map[string]sent
}

// A sent is what the first request to a sink held.
type sent struct {
	Headers map[string]string
	Body    string // "" for the callback's own, with More at its end instead of }
	More    string
}

// A script is what a sink answers, one answer for each request, the last one for all further ones.
// In JSON one answer or a list: "allow", "abstain", "hang", "fail", "nonsense",
// {"refuse": 20031, "message": "…", "detail": "…"}, {"set": {"content": "…"}}.
type script []testkit.Step

func (s *script) UnmarshalJSON(text []byte) error {
	parts := []json.RawMessage{text}
	if bytes.HasPrefix(text, []byte("[")) {
		if err := json.Unmarshal(text, &parts); err != nil {
			return err
		}
	}
	for _, part := range parts {
		step, err := readStep(part)
		if err != nil {
			return err
		}
		*s = append(*s, step)
	}
	return nil
}

func readStep(text []byte) (testkit.Step, error) {
	words := map[string]testkit.Step{
		`"allow"`:    testkit.Allow(),
		`"abstain"`:  testkit.NoContent(),
		`"hang"`:     testkit.Hang(),
		`"fail"`:     testkit.Answer(503, "out of order"),
		`"nonsense"`: testkit.Answer(200, "<html>Welcome!</html>"),
	}
	if step, ok := words[string(text)]; ok {
		return step, nil
	}
	var step struct {
		Refuse  int
		Message string
		Detail  string
		Set     map[string]any
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&step); err != nil {
		return testkit.Step{}, fmt.Errorf("reading answer %s: %w", text, err)
	}
	answer := map[string]any{"actionCode": 0, "errCode": step.Refuse, "errMsg": step.Message, "errDlt": step.Detail, "nextCode": 0}
	if step.Refuse != 0 {
		answer["nextCode"] = 1
	}
	for name, value := range step.Set {
		answer[name] = value
	}
	body, err := json.Marshal(answer)
	return testkit.Answer(200, string(body)), err
}

// folders returns the example folders that have cases.
func folders(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"*/cases.json", "*/*/cases.json"} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range matches {
			found = append(found, filepath.Dir(m))
		}
	}
	if len(found) == 0 {
		t.Fatal("no example has cases")
	}
	return found
}

func readScenarios(t *testing.T, folder string) []scenario {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var scenarios []scenario
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&scenarios); err != nil {
		t.Fatalf("reading the cases of %s: %v", folder, err)
	}
	return scenarios
}

// variable is the environment variable that an example takes a sink's URL from.
func variable(sink string) string {
	return strings.ToUpper(strings.ReplaceAll(sink, "-", "_")) + "_URL"
}
