package openim

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// FuzzDecode compares with encoding/json: what Decode takes, the other takes too and reads alike; what
// only the other takes is what Decode is stricter about. Reading the fields never panics.
func FuzzDecode(f *testing.F) {
	for _, c := range Commands() {
		f.Add(Sample(c))
	}
	f.Add(Documented())
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Add([]byte("{\"a\":\"\xff\",\"b\":\"\\ud800\"}"))
	f.Add([]byte(`{"callbackCommand":"callbackBeforeUserRegisterCommand","users":[{"userID":7},null,[]],"f":{"value":1e999}}`))
	f.Add([]byte(`{"callbackCommand":null,"contentType":101.0,"content":"{\"content\":\"a\"}","n":[1,2.5,-0,1e400,99999999999999999999]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		sent := bytes.Clone(body)
		c, err := Decode(Request{Path: "/source/callbackFuzzCommand", RawQuery: "a=b", Body: body})
		var other map[string]json.RawMessage
		otherErr := json.Unmarshal(body, &other)
		if err != nil {
			checkStricter(t, err, body, otherErr)
			return
		}
		if otherErr != nil || other == nil {
			t.Fatalf("only Decode takes %q: %v", body, otherErr)
		}
		readEverything(c)
		if len(c.Fields()) != len(other) {
			t.Fatalf("%d fields, encoding/json has %d", len(c.Fields()), len(other))
		}
		for name, raw := range other {
			got, ok := c.Raw(name)
			if !ok || !bytes.Equal(got, raw) {
				t.Fatalf("field %q: %s, encoding/json has %s", name, got, raw)
			}
			var want string
			if raw[0] == '"' && json.Unmarshal(raw, &want) == nil && c.Value(name, String) != want {
				t.Fatalf("field %q: %v, encoding/json has %q", name, c.Value(name, String), want)
			}
		}
		if !bytes.Equal(body, sent) {
			t.Fatal("the body has changed")
		}
		if err := decodeStrictly(AppendReply(nil, c, Verdict{}, V37), wireReply(shortName(c))); err != nil {
			t.Fatal(err)
		}
	})
}

func shortName(c *Callback) string {
	if c.Command == nil {
		return ""
	}
	return c.Command.Short
}

// checkStricter accepts an error where encoding/json has one as well, or where Decode is meant to
// be stricter.
func checkStricter(t *testing.T, err error, body []byte, otherErr error) {
	var d *DecodeError
	if !errors.As(err, &d) {
		t.Fatalf("an untyped error: %v", err)
	}
	if otherErr != nil || d.Kind == DuplicateName || d.Kind == BadUTF8 || d.Kind == NotAnObject {
		return
	}
	if d.Kind == BrokenJSON && bytes.Contains(bytes.ToLower(body), []byte(`\ud`)) {
		return // half a surrogate pair
	}
	t.Fatalf("only Decode minds %q: %v", body, err)
}

// readEverything asks for each field as each kind.
func readEverything(c *Callback) {
	for name := range c.Fields() {
		for kind := Any; kind <= Bools; kind++ {
			if c.Value(name, kind) == nil && kind != Any {
				panic(name + " is nil as " + kind.String())
			}
		}
	}
	c.Text()
	c.Data()
	c.Query()
	c.OperationID()
	c.MessageID()
	c.Mismatches()
}

// FuzzReadAnswer reads any answer, and answers IMServer with what came of it.
func FuzzReadAnswer(f *testing.F) {
	for _, body := range []string{
		`{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":""}`, `{"nextCode":"1","errCode":1e3}`,
		"\ufeffnull", `[]`, `<html>`, `{} {}`, `{"content":"{\"content\":\"x\"}","options":{"a":1},"users":[{"userID":1}]}`,
		`{"NEXTCODE":true,"nextcode":null,"errMsg":{"a":"b"}}`, `{"actionCode":99999999999999999999}`, ` `,
	} {
		f.Add(200, []byte(body), uint8(0), uint8(4))
	}
	f.Add(204, []byte(nil), uint8(1), uint8(18))
	f.Fuzz(func(t *testing.T, status int, body []byte, dialect, command uint8) {
		sent, body := body, bytes.Clone(body)
		a := ReadAnswer(status, body, Dialect(dialect%2))
		if !bytes.Equal(body, sent) {
			t.Fatal("the body has changed")
		}
		clear(body) // the answer keeps no part of it
		switch {
		case a.Vote == Failed && a.Reason == "":
			t.Fatal("failed without a reason")
		case a.Vote != Failed && (status < 200 || status > 299):
			t.Fatalf("status %d votes %s", status, a.Vote)
		case strings.ContainsFunc(a.Reason, func(r rune) bool { return r < ' ' || r > '~' }):
			t.Fatalf("the reason %q is not plain", a.Reason)
		}
		c := Commands()[int(command)%len(Commands())]
		cb, err := Decode(Request{Body: Sample(c)})
		if err != nil {
			t.Fatal(err)
		}
		reply := AppendReply(nil, cb, Verdict{Refuse: a.Vote == Refuse, Code: a.Code, Message: a.Message, Detail: a.Detail, Fields: a.Fields}, V37)
		if err := decodeStrictly(reply, wireReply(c.Short)); err != nil {
			t.Fatalf("%s: %v\n%s", c.Short, err, reply)
		}
		if r := ReadReply(reply, c, V37); r.Refused != (a.Vote == Refuse && c.Phase == Before) {
			t.Fatalf("%s votes %s, IMServer reads %+v", c.Short, a.Vote, r)
		}
	})
}

// FuzzCheckField gives every command any value for any of its reply fields.
func FuzzCheckField(f *testing.F) {
	for _, raw := range []string{`1`, `"1"`, `1.0`, `null`, `[]`, `{}`, `"{}"`, `[{"userID":"u"}]`, `{"a":true}`, "\"\xff\"", `1 2`} {
		f.Add([]byte(raw), uint8(4), uint8(0))
	}
	f.Fuzz(func(t *testing.T, raw []byte, command, field uint8) {
		c := Commands()[int(command)%len(Commands())]
		if len(c.Reply) == 0 {
			return
		}
		cb, err := Decode(Request{Body: Sample(c)})
		if err != nil {
			t.Fatal(err)
		}
		name := c.Reply[int(field)%len(c.Reply)].Name
		checked, reason := CheckField(cb, FieldValue{name, raw})
		if reason != "" {
			if checked.Raw != nil {
				t.Fatalf("both %s and %q", checked.Raw, reason)
			}
			return
		}
		reply := AppendReply(nil, cb, Verdict{Fields: []FieldValue{checked}}, V37)
		if err := decodeStrictly(reply, wireReply(c.Short)); err != nil {
			t.Fatalf("%s.%s: %v\n%s", c.Short, name, err, reply)
		}
		if !bytes.Contains(reply, checked.Raw) {
			t.Fatalf("%s.%s=%s is not in %s", c.Short, name, checked.Raw, reply)
		}
	})
}
