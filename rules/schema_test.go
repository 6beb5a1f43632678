package rules

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A schema is the JSON Schema as editors see it.
type schema map[string]any

func loadSchema(t testing.TB) schema {
	t.Helper()
	var s schema
	if err := json.Unmarshal(schemaText(t), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func folderSchema(t testing.TB) schema {
	t.Helper()
	var s schema
	if err := json.Unmarshal(schemaTextOf(t, folderJSONSchema()), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// resolve follows a reference from the root: "#/$defs/sink".
func (s schema) resolve(ref string) any {
	var at any = map[string]any(s)
	for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		switch v := at.(type) {
		case map[string]any:
			at = v[step]
		case []any:
			i, _ := strconv.Atoi(step)
			at = v[i]
		}
	}
	return at
}

// mapping returns the definition that has properties, whether or not other forms stand beside it.
func (s schema) mapping(definition any) map[string]any {
	d := definition.(map[string]any)
	if _, ok := d["properties"]; ok {
		return d
	}
	for _, option := range d["anyOf"].([]any) {
		if m := option.(map[string]any); m["properties"] != nil {
			return m
		}
	}
	return nil
}

// The keys that the parser reads are those that the schema knows.
func TestSchemaHasTheParsersKeys(t *testing.T) {
	schemaHasKeys(t, loadSchema(t), map[string][]string{
		"":             fileKeys.names(),
		"defaults":     defaultsKeys.names(),
		"sink":         sinkKeys.names(),
		"defaultSinks": defaultSinkKeys.names(),
		"retry":        retryKeys.names(),
		"transport":    tlsKeys.names(),
		"breaker":      breakerKeys.names(),
		"set":          setKeys.names(),
		"cache":        cacheKeys.names(),
		"batch":        batchKeys.names(),
		"dedup":        dedupKeys.names(),
		"rule":         ruleKeys.names(),
		"defaultRules": defaultRuleKeys.names(),
		"await":        awaitKeys.names(),
		"defaultAwait": defaultAwaitKeys.names(),
		"policy":       policyKeys.names(),
		"reply":        replyKeys.names(),
		"refuse":       refuseKeys.names(),
	})
	schemaHasKeys(t, folderSchema(t), map[string][]string{
		"": folderKeys.names(), "team": teamKeys.names(), "priority": priorityKeys.names(),
	})
}

func schemaHasKeys(t *testing.T, s schema, wanted map[string][]string) {
	t.Helper()
	for definition, want := range wanted {
		var found any = map[string]any(s)
		if definition != "" {
			found = s.resolve("#/$defs/" + definition)
		}
		mapping := s.mapping(found)
		var got []string
		for name, property := range mapping["properties"].(map[string]any) {
			got = append(got, name)
			if property.(map[string]any)["description"] == nil {
				t.Errorf("%s.%s has no description", definition, name)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: keys differ (-parser +schema):\n%s", definition, diff)
		}
		if mapping["additionalProperties"] != false {
			t.Errorf("%q takes any key", definition)
		}
	}
}

func TestSchemaAcceptsGoodFiles(t *testing.T) {
	s := loadSchema(t)
	for name, files := range corpus(t, "ok") {
		for _, f := range files {
			s := s
			if isFolderFile(f.Name) {
				s = folderSchema(t)
			}
			if err := s.check(map[string]any(s), instance(t, f)); err != nil {
				t.Errorf("%s: %s: %v", name, f.Name, err)
			}
		}
	}
}

func TestSchemaRefusesBadFiles(t *testing.T) {
	s := loadSchema(t)
	bad := corpus(t, "bad")
	for _, name := range []string{
		"unknown-rule-key", "unknown-sink-key", "key-without-value", "duration-without-unit", "boolean-yes", "integer-out-of-range",
		"bytes-unknown-unit", "sink-without-url", "sink-dialect", "sink-on-failure", "rule-without-name", "callback-unknown-short",
		"callbacks-empty", "on-error-unknown", "await-is-list", "await-without-sinks", "await-empty-sinks", "await-policy-unknown",
		"await-quorum-of-zero", "await-merge-unknown", "rate", "on-stuck-unknown", "success-unknown", "breaker-unknown", "dedup-without-window",
		"batch-max-of-zero", "batch-unknown",
		"secret-list-of-three", "notify-mapping", "defaults-notify-nobody", "reply-word", "refusal-code-too-low", "defaults-unknown", "top-level-unknown-key",
	} {
		if s.check(map[string]any(s), instance(t, bad[name][0])) == nil {
			t.Errorf("the schema accepts %s", name)
		}
	}
}

// instance reads a YAML file as the JSON value that an editor checks.
func instance(t *testing.T, f File) any {
	t.Helper()
	d := &decoder{source: newSource(f.Name, f.Data), findings: &findings{seen: map[string]bool{}}, visits: 10_000}
	return jsonValue(d, d.parse(f.Data)[0])
}

func jsonValue(d *decoder, n *node) any {
	n = d.resolve(n)
	switch {
	case n.kind == mappingNode:
		pairs, _ := d.freePairs(n, "")
		m := map[string]any{}
		for _, p := range pairs {
			m[p.key.text] = jsonValue(d, p.value)
		}
		return m
	case n.kind == sequenceNode:
		list := []any{}
		for _, item := range n.items {
			list = append(list, jsonValue(d, item))
		}
		return list
	case n.kind == nullNode:
		return nil
	case n.tag == "!!bool":
		return n.text == "true"
	case n.tag == "!!int" && !strings.HasPrefix(n.text, "0"), n.text == "0":
		v, _ := strconv.ParseFloat(n.text, 64)
		return v
	default:
		return n.text
	}
}

// check validates a value, as far as our schema goes: a word of JSON Schema that is not known here
// is an error, so that none is passed over.
func (s schema) check(definition, value any) error {
	if allowed, ok := definition.(bool); ok {
		if !allowed {
			return fmt.Errorf("nothing is allowed here")
		}
		return nil
	}
	d := definition.(map[string]any)
	for word, want := range d {
		var err error
		switch word {
		case "$ref":
			err = s.check(s.resolve(want.(string)), value)
		case "type":
			err = checkType(want.(string), value)
		case "enum":
			if !slices.Contains(want.([]any), value) {
				err = fmt.Errorf("%v is none of %v", value, want)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(want.(string)).MatchString(text) {
				err = fmt.Errorf("%q does not match %s", text, want)
			}
		case "minimum":
			if v, ok := value.(float64); ok && v < want.(float64) {
				err = fmt.Errorf("%v is below %v", v, want)
			}
		case "maximum":
			if v, ok := value.(float64); ok && v > want.(float64) {
				err = fmt.Errorf("%v is above %v", v, want)
			}
		case "minItems":
			if v, ok := value.([]any); ok && float64(len(v)) < want.(float64) {
				err = fmt.Errorf("%d entries", len(v))
			}
		case "maxItems":
			if v, ok := value.([]any); ok && float64(len(v)) > want.(float64) {
				err = fmt.Errorf("%d entries", len(v))
			}
		case "items":
			list, _ := value.([]any)
			for i, item := range list {
				if e := s.check(want, item); e != nil {
					err = fmt.Errorf("%d: %w", i, e)
				}
			}
		case "anyOf":
			err = s.checkAny(want.([]any), value)
		case "required":
			m, _ := value.(map[string]any)
			for _, name := range want.([]any) {
				if _, ok := m[name.(string)]; m != nil && !ok {
					err = fmt.Errorf("%s is missing", name)
				}
			}
		case "properties":
			err = s.checkMembers(d, value)
		case "additionalProperties":
			if d["properties"] == nil {
				err = s.checkMembers(d, value)
			}
		case "$schema", "$defs", "title", "description", "patternProperties":
		default:
			err = fmt.Errorf("this test does not know %q", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s schema) checkAny(options []any, value any) error {
	var last error
	for _, option := range options {
		if last = s.check(option, value); last == nil {
			return nil
		}
	}
	return last
}

func (s schema) checkMembers(d map[string]any, value any) error {
	m, _ := value.(map[string]any)
	properties, _ := d["properties"].(map[string]any)
	for name, member := range m {
		definition, ok := properties[name]
		if !ok {
			definition = d["additionalProperties"]
			if _, free := d["patternProperties"]; free && strings.HasPrefix(name, "x-") || definition == nil {
				definition = true
			}
		}
		if err := s.check(definition, member); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func checkType(want string, value any) error {
	got := "null"
	switch v := value.(type) {
	case map[string]any:
		got = "object"
	case []any:
		got = "array"
	case string:
		got = "string"
	case bool:
		got = "boolean"
	case float64:
		got = "number"
		if v == float64(int64(v)) {
			got = "integer"
		}
	}
	if got != want {
		return fmt.Errorf("%v is %s, not %s", value, got, want)
	}
	return nil
}
