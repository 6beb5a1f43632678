package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	gobuild "go/build"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"callboard/examples"
	"callboard/openim"
	"callboard/router"
)

// The tables below are written by hand, since they say more than the code does. These tests see to it that they
// name what there is, no more and no less.

var (
	cellCode  = regexp.MustCompile("`([^`]+)`")
	separator = regexp.MustCompile(`^\|[-|]+\|$`)
)

// column returns the words of the first column of the first table below a heading whose columns are named so.
func column(t *testing.T, file, heading, columns string) []string {
	t.Helper()
	_, section, ok := strings.Cut(read(t, file), "\n"+heading+"\n")
	_, table, ok2 := strings.Cut(section, "\n| "+columns+" |\n")
	if !ok || !ok2 {
		t.Fatalf("%s has no table of %s below %s", file, columns, heading)
	}
	var words []string
	for line := range strings.Lines(table) {
		line = strings.TrimSpace(line)
		if separator.MatchString(line) {
			continue
		}
		if !strings.HasPrefix(line, "|") {
			break
		}
		cell := strings.Split(line, "|")[1]
		for _, m := range cellCode.FindAllStringSubmatch(cell, -1) {
			words = append(words, m[1])
		}
		if !strings.Contains(cell, "`") {
			words = append(words, strings.TrimSpace(cell))
		}
	}
	return words
}

// same compares names without their order.
func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-code +manual):\n%s", what, diff)
	}
}

// A schema is what the tests need of the JSON Schema of rules files.
type schema struct {
	Defs       map[string]schema `json:"$defs"`
	Properties map[string]schema `json:"properties"`
	AnyOf      []schema          `json:"anyOf"`
	Enum       []any             `json:"enum"`
	Doc        string            `json:"description"`
}

func rulesSchema(t *testing.T) schema {
	t.Helper()
	var s schema
	if err := json.Unmarshal(examples.Schema(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s schema) keys(definition string) []string {
	return slices.Collect(maps.Keys(s.mapping(definition)))
}

// mapping returns the keys of a definition, whether or not it may also be a word.
func (s schema) mapping(definition string) map[string]schema {
	d := s.Defs[definition]
	for _, form := range append(d.AnyOf, d) {
		if form.Properties != nil {
			return form.Properties
		}
	}
	return nil
}

func TestKeysOfRulesFiles(t *testing.T) {
	s := rulesSchema(t)
	sink := slices.DeleteFunc(s.keys("sink"), func(key string) bool { return key == "retry" || key == "tls" })
	for _, key := range s.keys("retry") {
		sink = append(sink, "retry."+key)
	}
	for _, key := range s.keys("transport") {
		sink = append(sink, "tls."+key)
	}
	for _, key := range s.keys("breaker") {
		sink = append(sink, "breaker."+key)
	}
	for _, key := range s.keys("batch") {
		sink = append(sink, "batch."+key)
	}
	sink = slices.DeleteFunc(sink, func(key string) bool { return key == "set" })
	for _, key := range s.keys("set") {
		sink = append(sink, "set."+key)
	}
	for _, key := range s.keys("cache") {
		sink = append(sink, "cache."+key)
	}
	same(t, "keys of a sink", sink, slices.Concat(
		column(t, "rules.md", "## Sinks", "key | default | meaning"), column(t, "rules.md", "### Deliveries", "key | default | meaning"),
		column(t, "rules.md", "### Shaping", "key | default | meaning")))
	same(t, "keys of cache", s.keys("cache"), column(t, "shaping.md", "## cache", "key | says"))
	same(t, "keys of dedup", s.keys("dedup"), column(t, "rules.md", "## dedup", "key | default | meaning"))
	same(t, "keys of a rule", s.keys("rule"), column(t, "rules.md", "## Rules", "key | default | meaning"))
	var teams schema
	if err := json.Unmarshal(examples.TeamsSchema(), &teams); err != nil {
		t.Fatal(err)
	}
	same(t, "keys of a team", teams.keys("team"), column(t, "rules.md", "## Teams", "key | default | meaning"))
	same(t, "keys of await", s.keys("await"), column(t, "rules.md", "### await", "key | default | meaning"))

	policies := []string{"{quorum: 2}", "{primary: moderation}"}
	for _, word := range s.Defs["policy"].AnyOf[0].Enum {
		policies = append(policies, word.(string))
	}
	same(t, "policies", policies, column(t, "rules.md", "### await", "policy | met when | decided as soon as"))
}

var importRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*) \\|$")

// What a package imports of this module, the table of imports allows.
func TestImports(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "contributing.md"), "\n| folder | may import, of this module |\n")
	rows := importRow.FindAllStringSubmatch(table, -1)
	if len(rows) < 10 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		if strings.Contains(row[2], "all of these") || strings.Contains(row[2], "everything above") {
			continue
		}
		p, err := gobuild.ImportDir(filepath.Join("..", row[1]), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, imported := range p.Imports {
			if own, ok := strings.CutPrefix(imported, "callboard/"); ok && !strings.Contains(row[2], "`"+own+"`") {
				t.Errorf("%s imports %s, which the table does not allow", row[1], own)
			}
		}
	}
}

var defaultIs = regexp.MustCompile(`Default (?:the )?(.*)\.$`)

// The schema tells editors the defaults, and the manual tells people.
func TestDefaultsOfKeys(t *testing.T) {
	s, page := rulesSchema(t), read(t, "rules.md")
	for definition, prefix := range map[string]string{
		"sink": "", "retry": "retry.", "breaker": "breaker.", "batch": "batch.", "cache": "cache.", "rule": "", "await": "",
	} {
		for key, property := range s.mapping(definition) {
			m := defaultIs.FindStringSubmatch(property.Doc)
			if m == nil || key == "tls" {
				continue
			}
			row := regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(prefix+key) + "` \\| [^|]*" + regexp.QuoteMeta(m[1]))
			if !row.MatchString(page) {
				t.Errorf("rules.md does not say that the default of %s%s is %s", prefix, key, m[1])
			}
		}
	}
}

func TestRefusalCodes(t *testing.T) {
	var want []string
	for _, code := range []int{openim.DefaultRefusalCode, router.CodeFailed, router.CodeNotMet, router.CodeConflict, router.CodeTrouble} {
		want = append(want, strconv.Itoa(code))
	}
	same(t, "refusal codes", want, column(t, "rules.md", "### await", "code | when"))
}

func TestKindsOfTrouble(t *testing.T) {
	var want []string
	registry := prometheus.NewRegistry()
	router.New(router.Options{Registerer: registry}) // has a child for each
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "callboard_trouble_total" {
			for _, m := range family.GetMetric() {
				want = append(want, m.GetLabel()[0].GetValue())
			}
		}
	}
	same(t, "kinds of trouble", want, column(t, "operations.md", "## Trouble", "kind | when"))
}

// TestLogKeys makes callbacks whose lines have every key between them.
func TestLogKeys(t *testing.T) {
	candidate := t.TempDir()
	if err := os.CopyFS(candidate, os.DirFS("../examples/quickstart")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(candidate, "owned.yaml"), `rules: [{name: closed, owner: growth, callbacks: [beforeSendGroupMsg], when: groupID == "closed", reply: {refuse: {message: closed}}}]`)
	s := startServer(t, "--dedup", "1m", "--shadow", candidate, "--canary", "100%")
	send := func(set ...string) {
		args := []string{"send", "--url", "http://" + s.Callbacks + "/prod", "--command", "beforeSendGroupMsg"}
		for _, field := range set {
			args = append(args, "--set", field)
		}
		_ = exec.Command(callboard(t), args...).Run() // exits 1 where it refuses
	}
	send("groupID=closed")
	send("groupID=closed") // a repeat
	send("groupID=support-1", "serverMsgID=another", "unheard.of=1")
	body := bytes.NewBufferString(`{"callbackCommand":"callbackBeforeSendGroupMsgCommand","groupID":7}`)
	if resp, err := http.Post("http://"+s.Callbacks, "application/json", body); err != nil {
		t.Error(err)
	} else {
		resp.Body.Close()
	}
	if resp, err := http.Get("http://" + s.Callbacks); err != nil {
		t.Error(err)
	} else {
		resp.Body.Close()
	}
	s.stop()

	seen := map[string]bool{}
	for line := range strings.Lines(s.log.String()) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil || record["msg"] != "callback answered" {
			continue
		}
		for key := range record {
			seen[key] = true
		}
	}
	for _, key := range []string{"time", "level", "msg"} {
		delete(seen, key)
	}
	same(t, "keys of log lines", slices.Collect(maps.Keys(seen)), column(t, "operations.md", "## Log", "key | says"))
}

func TestKeysOfReadiness(t *testing.T) {
	s := startServer(t)
	resp, err := http.Get("http://" + s.Admin + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var said struct{ Rules map[string]any }
	if err := json.NewDecoder(resp.Body).Decode(&said); err != nil {
		t.Fatal(err)
	}
	said.Rules["error"] = nil // left out while there is none
	same(t, "keys of /readyz", slices.Collect(maps.Keys(said.Rules)), column(t, "operations.md", "## Listeners", "key | says"))

	for _, endpoint := range column(t, "operations.md", "## Listeners", "endpoint | answer") {
		method, path, _ := strings.Cut(endpoint, " ")
		request, err := http.NewRequest(method, fmt.Sprintf("http://%s%s", s.Admin, path), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", endpoint, resp.Status)
		}
	}
}
