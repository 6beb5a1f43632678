package when

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"callboard/openim"
)

func mustCompileValue(t testing.TB, src string, commands ...string) *Value {
	t.Helper()
	v, problems := CompileValue(src, commandsNamed(t, commands...))
	if v == nil {
		t.Fatalf("CompileValue(%s): %+v", src, problems)
	}
	return v
}

// built evaluates one value for one callback and writes it as JSON.
func built(t testing.TB, v *Value, cb *openim.Callback) (string, error) {
	t.Helper()
	s := NewValueEnv([]*Value{v}).Bind(cb, noon)
	defer s.Release()
	value, err := s.Value(v)
	if err != nil {
		return "", err
	}
	raw, err := AppendJSON(nil, value)
	return string(raw), err
}

func TestValuesAsJSON(t *testing.T) {
	cb := groupMessage(t, map[string]any{"ex": `{"half":0.5,"big":1e21,"no":null,"list":[1,"x"]}`, "seq": math.MaxInt64, "content": `{"content":"<a> & \"b\"\u2028 é"}`})
	for src, want := range map[string]string{
		`groupID`: `"support-1"`,
		`seq`:     `9223372036854775807`,
		`{"b": 1, "a": [groupID, true, nil], "c": {}}`: `{"a":["support-1",true,null],"b":1,"c":{}}`,
		`{(groupID): sendID}`:                          `{"support-1":"u0"}`,
		`{"text": text}`:                               `{"text":"<a> & \"b\"` + "\u2028" + ` é"}`,
		`json(ex)`:                                     `{"big":1e+21,"half":0.5,"list":[1,"x"],"no":null}`,
		`json(ex).missing`:                             `null`,
		`map(atUserList, {{"id": #, "n": # + "!"}})`:   `[{"id":"u1","n":"u1!"},{"id":"bot-2","n":"bot-2!"}]`,
		`map(atUserList, groupID)`:                     `["support-1","support-1"]`,
		`map(filter(atUserList, # startsWith "b"), #)`: `["bot-2"]`,
		`map(filter(atUserList, true), [#, groupID])`:  `[["u1","support-1"],["bot-2","support-1"]]`,
		`map(json(ex).list, #)`:                        `[1,"x"]`,
		`map(json(ex).list, type(#) == "int")`:         `[true,false]`,
		`map(raw.nothing, #)`:                          `[]`,
		`join(atUserList, ", ")`:                       `"u1, bot-2"`,
		`join(map(atUserList, upper(#)))`:              `"U1BOT-2"`,
		`split(groupID, "-")`:                          `["support","1"]`,
		`split(groupID, "-")[0]`:                       `"support"`,
		`sendID in ["u0"]`:                             `true`,
		`seq / 2 > 1 ? "many" : 0`:                     `"many"`,
		`{"at": now, "unix": now.Unix(), "d": now.Day(), "m": now.Month()}`: `{"at":"2026-03-06T12:00:00Z","d":6,"m":3,"unix":1772798400}`,
		`let g = split(groupID, "-"); {"a": g[0], "b": g[1]}`:               `{"a":"support","b":"1"}`,
		`{"headers": headers, "query": query.key}`:                          `{"headers":{"operationid":"op1","x-real-ip":"10.1.2.3"},"query":"k1"}`,
		`[groupID + "a" + "b" + "c" + "d" + "e" + "f"]`:                     `["support-1abcdef"]`,
		`1.0`: `1`,
	} {
		got, err := built(t, mustCompileValue(t, src, groupMsg), cb)
		if got != want || err != nil {
			t.Errorf("%s is %s, %v; want %s", src, got, err, want)
		}
	}
	for src, want := range map[string]string{
		`1 / 0.0 * data.missing`:                    "nothing",
		`{"a": 1 / 0}`:                              "a number that JSON does not have",
		`map(atUserList, now - date("2026-01-01"))`: "a duration, which JSON does not have",
		`{(json(ex).half): 1}`:                      "number",
		`join(json(ex).list, "")`:                   "int, not string",
		`int(sendID)`:                               "this text cannot be read as an integer",
	} {
		got, err := built(t, mustCompileValue(t, src, groupMsg), cb)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "u0") {
			t.Errorf("%s is %s, error %v; want one with %q", src, got, err, want)
		}
	}
}

func TestWhatIsNoValue(t *testing.T) {
	for _, row := range []struct {
		src  string
		want expected
	}{
		{`nil`, expected{"not-a-value", `nil`, "is nil", ""}},
		{`now - date("2026-01-01")`, expected{"not-a-value", `now - date("2026-01-01")`, "a duration cannot be written as JSON", ".Seconds()"}},
		{`{"at": [now, now - date("2026-01-01")]}`, expected{"not-a-value", `now - date("2026-01-01")`, "a duration cannot be written as JSON", ".Seconds()"}},
		{`{"a": 1, "b": 2, "a": 3}`, expected{"duplicate-member", `"a"`, `has "a" twice`, ""}},
		{`{(seq): 1}`, expected{"type-mismatch", `seq`, "the name of a member is a text, this is an integer", "string(seq)"}},
		{`{"a": groupId}`, expected{"field-not-carried", `groupId`, "no field of the callbacks", `"groupID"`}},
		{`join(atUserList, sendID)`, expected{"bad-argument", `sendID`, "join takes a few characters, written out", `join(atUserList, ",")`}},
		{`sort(atUserList)`, expected{"function-not-available", `sort(atUserList)`, "expressions have no function sort", ""}},
	} {
		v, problems := CompileValue(row.src, commandsNamed(t, groupMsg))
		if v != nil || len(problems) != 1 {
			t.Errorf("CompileValue(%s) is %v with %d problems %+v, want one", row.src, v, len(problems), problems)
			continue
		}
		row.want.check(t, row.src, problems[0])
	}
	for _, src := range []string{`map(atUserList, #)`, `join(atUserList, ",") == "u1"`} {
		if c, problems := Compile(src, nil); c != nil || problems[0].ID != "function-not-available" {
			t.Errorf("a condition may be %s: %+v", src, problems)
		}
	}
}

func TestTexts(t *testing.T) {
	cb := groupMessage(t, nil)
	for src, want := range map[string]string{
		`split(groupID, "-")[0]`: "support", `seq`: "0", `now`: "2026-03-06T12:00:00Z", `now.Unix()`: "1772798400", `sendID in ["u0"]`: "true",
		`json(ex).missing`: "", `join(atUserList, " ")`: "u1 bot-2",
	} {
		v, problems := CompileText(src, commandsNamed(t, groupMsg))
		if v == nil {
			t.Errorf("CompileText(%s): %+v", src, problems)
			continue
		}
		s := NewValueEnv([]*Value{v}).Bind(cb, noon)
		if got, err := s.Text(v); got != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", src, got, err, want)
		}
		s.Release()
	}
	for _, src := range []string{`atUserList`, `{"a": 1}`, `headers`, `nil`, `duration("1h")`} {
		if v, problems := CompileText(src, commandsNamed(t, groupMsg)); v != nil || len(problems) != 1 || problems[0].ID != "not-a-text" {
			t.Errorf("CompileText(%s) is %v with %+v, want not-a-text", src, v, problems)
		}
	}
	v, _ := CompileText(`json(ex).tags`, commandsNamed(t, groupMsg))
	s := NewValueEnv([]*Value{v}).Bind(cb, noon)
	defer s.Release()
	if got, err := s.Text(v); got != "" || err == nil || err.Error() != "a list cannot be read as text" {
		t.Errorf("a list as text is %q, %v", got, err)
	}
}

// A value is bounded as a condition is, also where it makes texts and lists that a condition may not make.
func TestNoValueRunsAway(t *testing.T) {
	cb := hostileMessage(t)
	for _, src := range []string{
		`map(atUserList, map(atUserList, #))`,
		`map(atUserList, content + #)`,
		`map(atUserList, join(atUserList, ","))`,
		`join(map(atUserList, content), ",")`,
		`let a = content + content; let b = a + a; let c = b + b; let d = c + c; let e = d + d; let f = e + e; f + f`,
		`map(filter(atUserList, true), lower(content))`,
		`map(map(atUserList, #), join(map(atUserList, # + #), "x"))`,
	} {
		v := mustCompileValue(t, src, groupMsg)
		s := NewValueEnv([]*Value{v}).Bind(cb, noon)
		_, err := s.Value(v)
		if steps := callbackSteps - s.total; !errors.Is(err, ErrBudget) || steps > evaluationSteps {
			t.Errorf("%s took %d steps, error %v; want it to run out of its budget", src, steps, err)
		}
		s.Release()
	}
	for _, src := range []string{
		`let a = map(atUserList, content); let b = [a, a, a, a]; [b, b, b, b]`,
		`let a = [raw, raw, raw, raw, raw, raw, raw, raw]; let b = [a, a, a, a, a, a, a, a]; [b, b, b, b]`,
	} {
		got, err := built(t, mustCompileValue(t, src, groupMsg), cb)
		if !errors.Is(err, errTooLong) || len(got) > MaxJSON+2*len(cb.Body) {
			t.Errorf("%s has %d bytes, error %v; want it to be too long", src, len(got), err)
		}
	}
}

func TestValuesSeeLongTexts(t *testing.T) {
	long := strings.Repeat("é", maxString)
	v := mustCompileValue(t, `content`, groupMsg)
	if got, err := built(t, v, groupMessage(t, map[string]any{"content": long})); got != `"`+long+`"` || err != nil {
		t.Errorf("a text of %d bytes has %d as JSON, %v", len(long), len(got), err)
	}
	s := NewValueEnv([]*Value{v}).Bind(groupMessage(t, map[string]any{"content": strings.Repeat("é", maxBuilt)}), noon)
	defer s.Release()
	if got, err := s.Value(v); len(got.(string)) != maxBuilt || err != nil || len(s.Notes()) != 1 {
		t.Errorf("a text beyond the bound has %d bytes, %v, notes %v", len(got.(string)), err, s.Notes())
	}
}

func TestWhatAValueMayBe(t *testing.T) {
	for src, want := range map[string]bool{
		`{"a": 1}`: true, `raw`: true, `data`: true, `json(ex).x`: true, `let a = {"a": 1}; a`: true, `seq > 1 ? raw : {}`: true,
		`groupID`: false, `[1]`: false, `seq`: false, `atUserList`: false,
	} {
		if got := mustCompileValue(t, src, groupMsg).MayBeObject(); got != want {
			t.Errorf("%s may be an object: %t, want %t", src, got, want)
		}
	}
}

func TestPlaceOf(t *testing.T) {
	for src, want := range map[string]string{`groupID + headers["x"]`: `headers`, `raw.headers`: "", `"headers"`: "", `"é" + headers.x`: "headers", `raw?.headers`: ""} {
		if start, end := PlaceOf(src, "headers"); src[start:end] != want {
			t.Errorf("headers of %s stand at %q, want %q", src, src[start:end], want)
		}
	}
}

// What AppendJSON writes is valid, means the value, and is the same each time.
func TestJSONSaysTheValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := anyValue(t, 3)
		raw, err := AppendJSON([]byte("x"), value)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := AppendJSON(nil, value)
		if raw[0] != 'x' || string(raw[1:]) != string(again) || !json.Valid(again) || !utf8.Valid(again) {
			t.Fatalf("%#v is %s, then %s", value, raw, again)
		}
		if got := decodeJSON(string(again)); !reflect.DeepEqual(got, value) {
			t.Fatalf("%#v reads back from %s as %#v", value, again, got)
		}
	})
	for _, bad := range []any{math.NaN(), math.Inf(-1), []any{time.Hour}, map[string]any{"a": struct{}{}}} {
		if raw, err := AppendJSON(nil, bad); err == nil {
			t.Errorf("%v is %s", bad, raw)
		}
	}
	if raw, _ := AppendJSON(nil, "a\xffb"); string(raw) != "\"a\ufffdb\"" {
		t.Errorf("a text that is no UTF-8 is %s", raw)
	}
}

func anyValue(t *rapid.T, depth int) any {
	kinds := []string{"nil", "text", "int", "float", "bool"}
	if depth > 0 {
		kinds = append(kinds, "list", "object")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "text":
		return rapid.String().Draw(t, "text")
	case "int":
		return rapid.Int().Draw(t, "int")
	case "float":
		return rapid.Float64Range(0.001, 0.999).Draw(t, "float")
	case "bool":
		return rapid.Bool().Draw(t, "bool")
	case "list":
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			list = append(list, anyValue(t, depth-1))
		}
		return list
	case "object":
		object := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			object[rapid.String().Draw(t, "name")] = anyValue(t, depth-1)
		}
		return object
	}
	return nil
}
