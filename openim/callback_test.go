package openim

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustDecode(t *testing.T, r Request) *Callback {
	t.Helper()
	c, err := Decode(r)
	if err != nil {
		t.Fatalf("Decode(%q, %q, %s): %v", r.Path, r.RawQuery, r.Body, err)
	}
	return c
}

// body decodes a body that carries its command.
func withBody(t *testing.T, members string) *Callback {
	t.Helper()
	return mustDecode(t, Request{Body: []byte(`{"callbackCommand":"callbackBeforeSendGroupMsgCommand",` + members + `}`)})
}

func TestCommandAndSource(t *testing.T) {
	const group = "callbackBeforeSendGroupMsgCommand"
	named := `{"callbackCommand":"` + group + `"}`
	reads := func(path, query, body, name, source string) {
		t.Helper()
		c := mustDecode(t, Request{Path: path, RawQuery: query, Body: []byte(body)})
		if c.Name != name || c.Source != source {
			t.Errorf("%s?%s with %s: command %q from source %q, want %q from %q", path, query, body, c.Name, c.Source, name, source)
		}
		known, ok := Lookup(name)
		if c.Command != known || ok != (c.Command != nil) {
			t.Errorf("%s?%s with %s: catalogue entry %v, want %v", path, query, body, c.Command, known)
		}
	}
	// the body comes first
	reads("/"+group, "", named, group, "")
	reads("/prod/"+group, "", named, group, "prod")
	reads("/a/b//"+group, "", named, group, "a/b")
	reads("//"+group+"/", "", named, group, "")
	reads("/prod/callbackOtherCommand", "", named, group, "prod")
	reads("/prod/afterSendGroupMsg", "", named, group, "prod")
	reads("", "", named, group, "")
	// v2 posts to the URL as it is
	reads("/hooks/im", "", named, group, "hooks/im")
	reads("/prod/", "", named, group, "prod")
	// v3.0 names it in the query too
	reads("/prod", "command="+group, named, group, "prod")
	reads("/prod", "command="+group, `{}`, group, "prod")
	// without the body's word
	reads("/prod/"+group, "", `{}`, group, "prod")
	reads("/prod/"+group, "", `{"callbackCommand":""}`, group, "prod")
	reads("/prod/"+group, "", `{"callbackCommand":7}`, group, "prod")
	reads("/prod/"+group, "command=callbackOtherCommand", `{}`, group, "prod")
	reads("/prod/callbackOfTomorrowCommand", "", `{}`, "callbackOfTomorrowCommand", "prod")
	reads("/prod/beforeSendGroupMsg", "", `{}`, "beforeSendGroupMsg", "prod")
	// a URL with a query has the command glued to its end
	reads("/cb", "token=s3/"+group, `{}`, group, "cb")
	reads("/cb", "token=s3//"+group, `{}`, group, "cb")
	reads("/cb", "key=abc&token=s3%2F"+group, `{}`, group, "cb")
	reads("/cb", "token=s3/"+group, named, group, "cb")
	// older and unknown names stay as they were sent
	reads("/x/callbackMsgModifyCommand", "", `{"callbackCommand":"callbackMsgModifyCommand"}`, "callbackMsgModifyCommand", "x")
	reads("/x/myOwn", "", `{"callbackCommand":"myOwn"}`, "myOwn", "x")
	reads("/x", "", `{"callback\u0043ommand":"callback\u0041"}`, "callbackA", "x")
}

func TestPhase(t *testing.T) {
	is := func(command string, want Phase) {
		t.Helper()
		c := mustDecode(t, Request{Body: []byte(`{"callbackCommand":"` + command + `"}`)})
		if c.Phase() != want {
			t.Errorf("%s is a callback %s the fact, want %s", command, c.Phase(), want)
		}
	}
	is("callbackBeforeSendGroupMsgCommand", Before)
	is("callbackBeforeAfterMsgCommand", After)
	is("callbackSingleMsgRead", After)
	is("callbackOfTomorrowCommand", Before)
}

func TestDecodeRefuses(t *testing.T) {
	refuses := func(body, kind string) {
		t.Helper()
		_, err := Decode(Request{Path: "/callbackX", Body: []byte(body)})
		var d *DecodeError
		if !errors.As(err, &d) || d.Kind != kind {
			t.Errorf("Decode(%q): %v (%+v), want %s", body, err, d, kind)
			return
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "%!") {
			t.Errorf("Decode(%q) tells what was sent: %v", body, err)
		}
	}
	refuses("", EmptyBody)
	refuses(" \n\t", EmptyBody)
	refuses(`[]`, NotAnObject)
	refuses(`"secret"`, NotAnObject)
	refuses(`null`, NotAnObject)
	refuses(`17 `, NotAnObject)
	refuses(`secret`, BrokenJSON)
	refuses(`{`, BrokenJSON)
	refuses(`{"secret"`, BrokenJSON)
	refuses(`{"secret":}`, BrokenJSON)
	refuses(`{"secret":1,}`, BrokenJSON)
	refuses(`{"a":[1,{"secret":tru}]}`, BrokenJSON)
	refuses(`{"a":1]`, BrokenJSON)
	refuses(`{1:2}`, BrokenJSON)
	refuses("\ufeff{}", BrokenJSON)
	refuses("{\"a\":\"secret\xff\"}", BadUTF8)
	refuses(`{"secret":1,"b":2,"secret":3}`, DuplicateName)
	refuses(`{"secret":1,"secr\u0065t":3}`, DuplicateName)
	refuses(`{"a":{"secret":1,"secret":3}}`, DuplicateName)
	refuses(`{} secret`, TrailingData)
	refuses(`{"a":1}{}`, TrailingData)
	refuses(manyFields(maxFields+1), TooManyFields)

	_, err := Decode(Request{Path: "/healthcheck", RawQuery: "a=b", Body: []byte(`{"secret":1}`)})
	if d := new(DecodeError); !errors.As(err, &d) || d.Kind != NoCommand || strings.Contains(err.Error(), "secret") {
		t.Errorf("without a command: %v", err)
	}
	_, err = Decode(Request{Body: []byte(`{"a":1,"b":!}`)})
	if d := new(DecodeError); !errors.As(err, &d) || d.Offset != 11 {
		t.Errorf("broken at byte 11: %+v", d)
	}
}

func TestTheDocumentedGroupMessage(t *testing.T) {
	r := DocumentedGroupMessage()
	sent := string(r.Body)
	c := mustDecode(t, r)
	if c.Command.Short != "afterSendGroupMsg" || c.Phase() != After || c.Source != "" {
		t.Errorf("command %s from %q", c.Name, c.Source)
	}
	got := map[string]any{}
	for _, f := range c.Command.Request {
		got[f.Name] = c.Value(f.Name, f.Kind)
		if _, ok := c.Raw(f.Name); !ok {
			t.Errorf("it has no %s", f.Name)
		}
	}
	if len(c.Mismatches()) > 0 {
		t.Errorf("mismatches: %v", c.Mismatches())
	}
	if got["groupID"] != "support-1" || got["contentType"] != 1 || got["sessionType"] != 2 {
		t.Errorf("fields: %v", got)
	}
	if c.Text() != got["content"] || c.Data() != nil || c.Query().Get("contenttype") != "json" {
		t.Errorf("text %q, data %v, query %v", c.Text(), c.Data(), c.Query())
	}
	if string(c.Body) != sent {
		t.Error("the body has changed")
	}
}

func TestIdentifiers(t *testing.T) {
	header := http.Header{}
	header.Set("operationid", "from-header")
	has := func(body, operation, message string) {
		t.Helper()
		c := mustDecode(t, Request{Path: "/callbackX", Header: header, Body: []byte(body)})
		if c.OperationID() != operation || c.MessageID() != message {
			t.Errorf("%s: operation %q, message %q; want %q and %q", body, c.OperationID(), c.MessageID(), operation, message)
		}
	}
	has(`{"operationID":"o1","serverMsgID":"s1","clientMsgID":"c1"}`, "o1", "s1")
	has(`{"operationID":"","clientMsgID":"c1"}`, "from-header", "c1")
	has(`{}`, "from-header", "")
	if c := mustDecode(t, Request{Path: "/callbackX", Body: []byte(`{}`)}); c.OperationID() != "" {
		t.Error("an operationID out of nothing")
	}
}

func TestManyUnknownFieldsAreCarried(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"callbackCommand":"callbackX"`)
	for i := range 300 {
		b.WriteString(`,"f` + strings.Repeat("x", i) + `":` + `9007199254740993`)
	}
	b.WriteString("}\n")
	c := mustDecode(t, Request{Body: []byte(b.String())})
	if len(c.Fields()) != 301 || c.Value("f"+strings.Repeat("x", 299), Int) != 9007199254740993 {
		t.Errorf("%d fields", len(c.Fields()))
	}
}

func TestBrokenQueryPairsAreLeftOut(t *testing.T) {
	c := mustDecode(t, Request{Path: "/callbackX", RawQuery: "a=1&b=%zz&c=3", Body: []byte(`{}`)})
	if diff := cmp.Diff(map[string][]string{"a": {"1"}, "c": {"3"}}, map[string][]string(c.Query())); diff != "" {
		t.Error(diff)
	}
}

// manyFields is an object with n fields.
func manyFields(n int) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = `"f` + strconv.Itoa(i) + `":0`
	}
	return "{" + strings.Join(fields, ",") + "}"
}
