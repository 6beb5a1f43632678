package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/openim"
)

func TestSetField(t *testing.T) {
	command, ok := openim.Lookup("beforeUserRegister")
	if !ok {
		t.Fatal("no such command")
	}
	const body = `{"z":1,"users":[{"userID":"a"}],"none":null}`
	for _, row := range []struct{ set, want string }{
		{"z=2", `{"z":2,"users":[{"userID":"a"}],"none":null}`},
		{"new=text", `{"z":1,"users":[{"userID":"a"}],"none":null,"new":"text"}`},
		{"new=true", `{"z":1,"users":[{"userID":"a"}],"none":null,"new":true}`},
		{"users.0.userID=7", `{"z":1,"users":[{"userID":"7"}],"none":null}`},
		{"users.0.createTime=7", `{"z":1,"users":[{"userID":"a","createTime":7}],"none":null}`},
		{"users.1.userID=b", `{"z":1,"users":[{"userID":"a"},{"userID":"b"}],"none":null}`},
		{"users=null", `{"z":1,"users":null,"none":null}`},
		{"none.0=1", `{"z":1,"users":[{"userID":"a"}],"none":[1]}`},
		{"none.deep.er=1", `{"z":1,"users":[{"userID":"a"}],"none":{"deep":{"er":1}}}`},
	} {
		path, value, _ := strings.Cut(row.set, "=")
		got, err := setField([]byte(body), command, path, value)
		if err != nil || string(got) != row.want {
			t.Errorf("setField(%s) = %s, %v; want %s", row.set, got, err, row.want)
		}
	}
	for _, set := range []string{"users.x=1", "users.3.userID=1", "users.-1.userID=1", "z.y=1", "users.0.createTime=soon", "users=u1"} {
		path, value, _ := strings.Cut(set, "=")
		if got, err := setField([]byte(body), command, path, value); err == nil {
			t.Errorf("setField(%s) = %s, want an error", set, got)
		}
	}
}

func TestSetFieldChangesThatFieldOnly(t *testing.T) {
	commands := openim.Commands()
	rapid.Check(t, func(t *rapid.T) {
		command := rapid.SampledFrom(commands).Draw(t, "command")
		field := rapid.SampledFrom(command.Request).Draw(t, "field")
		if field.Kind != openim.String {
			return
		}
		value := rapid.String().Draw(t, "value")
		before := decodeObject(t, openim.Sample(command))
		changed, err := setField(openim.Sample(command), command, field.Name, value)
		if err != nil {
			t.Fatal(err)
		}
		after := decodeObject(t, changed)
		if field.Nullable && value == "null" {
			before[field.Name] = nil
		} else {
			before[field.Name] = value
		}
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("setting %s of %s (-want +got):\n%s", field.Name, command.Short, diff)
		}
	})
}

func decodeObject(t *rapid.T, text []byte) map[string]any {
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return object
}
