package rules

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"

	"callboard/internal/testkit"
	"callboard/openim"
)

// The JSON Schema of files of routing tests, made and kept as that of rules files is.
func TestTestSchemaFile(t *testing.T) {
	testkit.Golden(t, filepath.Join("..", "examples", "tests.schema.json"), string(testSchemaText(t)), *update)
}

func testSchemaText(t testing.TB) []byte {
	t.Helper()
	r := jsonschema.Reflector{Anonymous: true, ExpandedStruct: true, Namer: schemaName}
	s := r.Reflect(schemaTestFile{})
	s.Title = "Callboard routing tests"
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

type schemaTestFile struct {
	Defaults *schemaTestDefaults `json:"defaults,omitempty" jsonschema_description:"What the tests of this file have in common."`
	Tests    []schemaTest        `json:"tests" jsonschema_description:"Callbacks, what sinks answer, and what is to come of it."`
}

type schemaTest struct {
	Name string       `json:"name" jsonschema_description:"A sentence that says what is to happen; unique in the file."`
	Each []schemaTest `json:"each,omitempty" jsonschema_description:"Tests that start from this one and say what is different."`
	schemaTestDefaults
}

type schemaTestDefaults struct {
	Callback schemaTestCallback           `json:"callback,omitempty" jsonschema_description:"The callback, by its name in webhooks.yml or its wire name: a sample of it is played."`
	Set      map[string]any               `json:"set,omitempty" jsonschema_description:"Fields of the callback in place of the sample's or the recorded ones. Constants such as AtText stand for their numbers."`
	Without  schemaTestNames              `json:"without,omitempty" jsonschema_description:"Fields that the callback has not."`
	Text     string                       `json:"text,omitempty" jsonschema_description:"What the message says."`
	Source   string                       `json:"source,omitempty" jsonschema_description:"The part of the request's path before the command."`
	Query    string                       `json:"query,omitempty" jsonschema_description:"The request's query, without the question mark."`
	Headers  map[string]string            `json:"headers,omitempty" jsonschema_description:"Headers of the request."`
	Recorded string                       `json:"recorded,omitempty" jsonschema_description:"File of recorded callbacks, as callbacks export writes them, beside this one."`
	ID       string                       `json:"id,omitempty" jsonschema_description:"Which of the recorded callbacks, where there are several."`
	At       schemaTestTime               `json:"at,omitempty" jsonschema_description:"What conditions read as now: a time, or a time of day, perhaps with a day of the week and a zone. Default when it was recorded, else the beginning of 2026."`
	Answers  map[string]schemaTestAnswers `json:"answers,omitempty" jsonschema_description:"What the requests to each sink meet: one answer for all, or a list of which the last repeats. A sink that is not named allows at once."`
	Expect   *schemaTestExpect            `json:"expect,omitempty" jsonschema_description:"What is to come of it. What is not said is not looked at."`
}

type schemaTestAnswer struct {
	Answer     schemaTestWord     `json:"answer,omitempty" jsonschema_description:"allow, refuse, abstain, timeout (none ever), unreachable (nobody listens) or reset (the connection breaks). Default allow."`
	Refuse     *schemaTestRefusal `json:"refuse,omitempty" jsonschema_description:"A refusal with its code and message."`
	Fields     map[string]any     `json:"fields,omitempty" jsonschema_description:"Reply fields that an allow sets."`
	Status     int                `json:"status,omitempty" jsonschema:"minimum=200,maximum=599" jsonschema_description:"The HTTP status. Default 200."`
	Body       string             `json:"body,omitempty" jsonschema_description:"The answer word for word, read as the gateway reads it."`
	RetryAfter int                `json:"retry_after,omitempty" jsonschema:"minimum=0,maximum=86400" jsonschema_description:"The header Retry-After, in seconds."`
	After      schemaDuration     `json:"after,omitempty" jsonschema_description:"How long the answer takes. Default 0s."`
}

type schemaTestRefusal struct {
	Code    int    `json:"code,omitempty" jsonschema_description:"errCode."`
	Message string `json:"message,omitempty" jsonschema_description:"errMsg."`
	Detail  string `json:"detail,omitempty" jsonschema_description:"errDlt."`
}

type schemaTestExpect struct {
	Rules       schemaTestNames    `json:"rules,omitempty" jsonschema_description:"Rules that match."`
	Asked       schemaTestAsked    `json:"asked,omitempty" jsonschema_description:"Sinks that are asked, or a mapping of them to their votes."`
	Notified    schemaTestNotified `json:"notified,omitempty" jsonschema_description:"Sinks that are notified, or a mapping of them to the keys of their order."`
	Not         *schemaTestNot     `json:"not,omitempty" jsonschema_description:"What is not to happen."`
	Errors      schemaTestNames    `json:"errors,omitempty" jsonschema_description:"Rules whose condition fails."`
	NothingElse bool               `json:"nothing_else,omitempty" jsonschema_description:"No rules, sinks, errors and fields than those named. Default false."`
	Verdict     schemaTestVerdict  `json:"verdict,omitempty" jsonschema_description:"allow or refuse."`
	Code        int                `json:"code,omitempty" jsonschema_description:"Of the refusal."`
	Message     string             `json:"message,omitempty" jsonschema_description:"Of the refusal."`
	Detail      string             `json:"detail,omitempty" jsonschema_description:"Of the refusal."`
	DecidedBy   string             `json:"decided_by,omitempty" jsonschema_description:"The rule that refused; an empty text for none."`
	Fields      map[string]any     `json:"fields,omitempty" jsonschema_description:"Reply fields that the answer sets."`
	Took        schemaDuration     `json:"took,omitempty" jsonschema_description:"How long the answer takes, exactly."`
	Within      schemaDuration     `json:"within,omitempty" jsonschema_description:"How long the answer takes at most."`
}

type schemaTestNot struct {
	Rules    schemaTestNames `json:"rules,omitempty" jsonschema_description:"Rules that do not match."`
	Asked    schemaTestNames `json:"asked,omitempty" jsonschema_description:"Sinks that are not asked."`
	Notified schemaTestNames `json:"notified,omitempty" jsonschema_description:"Sinks that are not notified."`
}

type schemaTestVote struct {
	Vote     schemaTestVoted `json:"vote,omitempty" jsonschema_description:"allow, refuse, abstain, failed, or out: not waited for."`
	Attempts int             `json:"attempts,omitempty" jsonschema:"minimum=1,maximum=100" jsonschema_description:"How many requests it took."`
}

// The types of single values, and what can be written in more ways than one.
type (
	schemaTestCallback string
	schemaTestTime     string
	schemaTestWord     string
	schemaTestVerdict  string
	schemaTestVoted    string
	schemaTestNames    []string
	schemaTestAnswers  []schemaTestAnswer
	schemaTestAsked    map[string]schemaTestVote
	schemaTestNotified map[string]string
)

func (schemaTestCallback) JSONSchema() *jsonschema.Schema {
	names := &jsonschema.Schema{Type: "string"}
	for _, c := range openim.Commands() {
		names.Enum = append(names.Enum, c.Short)
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{names, {Type: "string", Pattern: "^callback."}}}
}

func (schemaTestTime) JSONSchema() *jsonschema.Schema    { return &jsonschema.Schema{Type: "string"} }
func (schemaTestWord) JSONSchema() *jsonschema.Schema    { return oneOfWords(answerWords) }
func (schemaTestVerdict) JSONSchema() *jsonschema.Schema { return oneOfWords(verdictWords) }
func (schemaTestVoted) JSONSchema() *jsonschema.Schema   { return oneOfWords(expectedVotes) }

func (schemaTestNames) JSONSchema() *jsonschema.Schema { return schemaNotify{}.JSONSchema() }

func (schemaTestAnswers) JSONSchemaExtend(s *jsonschema.Schema) {
	status := &jsonschema.Schema{Type: "integer", Minimum: "200", Maximum: "599"}
	one := []*jsonschema.Schema{oneOfWords(answerWords), status, {Ref: "#/$defs/testAnswer"}}
	least := uint64(1)
	list := &jsonschema.Schema{Type: "array", MinItems: &least, Items: &jsonschema.Schema{AnyOf: one}}
	*s = jsonschema.Schema{AnyOf: append(slices.Clone(one), list)}
}

func (schemaTestAsked) JSONSchemaExtend(s *jsonschema.Schema) {
	vote := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{oneOfWords(expectedVotes), {Type: "null"}, {Ref: "#/$defs/testVote"}}}
	*s = jsonschema.Schema{AnyOf: append(schemaNotify{}.JSONSchema().AnyOf, &jsonschema.Schema{Type: "object", AdditionalProperties: vote})}
}

func (schemaTestNotified) JSONSchemaExtend(s *jsonschema.Schema) {
	key := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "null"}}}
	*s = jsonschema.Schema{AnyOf: append(schemaNotify{}.JSONSchema().AnyOf, &jsonschema.Schema{Type: "object", AdditionalProperties: key})}
}

func xKeys(s *jsonschema.Schema) {
	s.PatternProperties = map[string]*jsonschema.Schema{"^x-": jsonschema.TrueSchema}
}

func (schemaTestFile) JSONSchemaExtend(s *jsonschema.Schema)     { xKeys(s) }
func (schemaTest) JSONSchemaExtend(s *jsonschema.Schema)         { xKeys(s) }
func (schemaTestDefaults) JSONSchemaExtend(s *jsonschema.Schema) { xKeys(s) }
func (schemaTestAnswer) JSONSchemaExtend(s *jsonschema.Schema)   { xKeys(s) }
func (schemaTestRefusal) JSONSchemaExtend(s *jsonschema.Schema)  { xKeys(s) }
func (schemaTestExpect) JSONSchemaExtend(s *jsonschema.Schema)   { xKeys(s) }
func (schemaTestNot) JSONSchemaExtend(s *jsonschema.Schema)      { xKeys(s) }
func (schemaTestVote) JSONSchemaExtend(s *jsonschema.Schema)     { xKeys(s) }

// The keys that the parser of tests reads are those that their schema knows, and it accepts the examples.
func TestTestSchema(t *testing.T) {
	var s schema
	if err := json.Unmarshal(testSchemaText(t), &s); err != nil {
		t.Fatal(err)
	}
	for definition, want := range map[string][]string{
		"": testFileKeys.names(), "testDefaults": testDefaultKeys.names(), "test": testKeys.names(), "testAnswer": answerKeys.names(), "testRefusal": refusalKeys.names(),
		"testExpect": expectKeys.names(), "testNot": expectNotKeys.names(), "testVote": expectedVoteKeys.names(),
	} {
		var found any = map[string]any(s)
		if definition != "" {
			found = s.resolve("#/$defs/" + definition)
		}
		var got []string
		for name := range s.mapping(found)["properties"].(map[string]any) {
			got = append(got, name)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: keys differ (-parser +schema):\n%s", definition, diff)
		}
	}
	files, err := filepath.Glob("../examples/*/*_test.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no example has tests: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.check(map[string]any(s), instance(t, File{Name: name, Data: data})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
