package openim

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSetFields(t *testing.T) {
	field := func(name, raw string) FieldValue { return FieldValue{Name: name, Raw: []byte(raw)} }
	for _, row := range []struct {
		name, body string
		set        []FieldValue
		want       string
	}{
		{"nothing set", ` {"a" : 1 } `, nil, ` {"a" : 1 } `},
		{"one replaced", `{"a" : 1, "b":[{"a":2}] }`, []FieldValue{field("a", `"x"`)}, `{"a" : "x", "b":[{"a":2}] }`},
		{"the last replaced", `{"a":1,"b":2}`, []FieldValue{field("b", `{}`)}, `{"a":1,"b":{}}`},
		{"one added", "{\n  \"a\": 1\n}\n", []FieldValue{field("b", `2`)}, "{\n  \"a\": 1,\"b\":2\n}\n"},
		{"replaced and added", `{"a":1,"b":2}`, []FieldValue{field("c", `3`), field("a", `0`), field("d", `4`)}, `{"a":0,"b":2,"c":3,"d":4}`},
		{"an empty object", ` { } `, []FieldValue{field("a", `1`), field("b", `2`)}, ` { "a":1,"b":2} `},
		{"an escaped name", `{"group\u0049D":"g"}`, []FieldValue{field("groupID", `"h"`)}, `{"group\u0049D":"h"}`},
		{"a name with quotes", `{"a":1}`, []FieldValue{field(`a"b`, `1`)}, `{"a":1,"a\"b":1}`},
		{"braces in texts", `{"a":"}\"{","b":"\\"}`, []FieldValue{field("b", `1`)}, `{"a":"}\"{","b":1}`},
	} {
		cb, err := Decode(Request{Path: "/" + sampleCommand, Body: []byte(row.body)})
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if got := string(SetFields(cb.Body, row.set)); got != row.want || string(cb.Body) != row.body {
			t.Errorf("%s: got  %s\nwant %s", row.name, got, row.want)
		}
	}
}

const sampleCommand = "callbackBeforeSendGroupMsgCommand"

// However a body is written, fields that are set are there once, and the others as they came.
func TestSetFieldsKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-eé"\\ ]{1,2}`), 0, 6, rapid.ID[string]).Draw(t, "names")
		space := func() string { return rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space") }
		var members []string
		want := map[string]any{}
		for i, name := range names {
			quoted, _ := json.Marshal(name)
			value := rapid.SampledFrom([]any{"text", "}\"", 1.0, nil, []any{"a", map[string]any{"b": 2.0}}}).Draw(t, "value")
			raw, _ := json.Marshal(value)
			members = append(members, space()+string(quoted)+space()+":"+space()+string(raw)+space())
			want[names[i]] = value
		}
		cb, err := Decode(Request{Path: "/" + sampleCommand, Body: []byte(space() + "{" + strings.Join(members, ",") + space() + "}" + space())})
		if err != nil {
			t.Fatal(err)
		}
		var set []FieldValue
		for i, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-eé"\\ ]{1,2}`), 0, 4, rapid.ID[string]).Draw(t, "set") {
			set = append(set, FieldValue{Name: name, Raw: fmt.Appendf(nil, "%d", i)})
			want[name] = float64(i)
		}
		after, err := Decode(Request{Path: "/" + sampleCommand, Body: SetFields(cb.Body, set)}) // refuses a name given twice
		if err != nil {
			t.Fatalf("%s with %v: %v", cb.Body, set, err)
		}
		got := map[string]any{}
		if err := json.Unmarshal(after.Body, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s with %v is %s, %v", cb.Body, set, after.Body, err)
		}
		for i := range names {
			if before, now := string(cb.fields[i].name), string(after.fields[i].name); before != now {
				t.Fatalf("field %d was %s, is %s", i, before, now)
			}
		}
	})
}
