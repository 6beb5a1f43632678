package openim

import (
	"errors"
	"math"
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

func TestValue(t *testing.T) {
	type object = map[string]any
	reads := func(raw string, kind Kind, want any, mismatched bool) {
		t.Helper()
		c := withBody(t, `"f":`+raw)
		if diff := cmp.Diff(want, c.Value("f", kind)); diff != "" {
			t.Errorf("%s as %s (-want +got)\n%s", raw, kind, diff)
		}
		if got := len(c.Mismatches()) == 1; got != mismatched {
			t.Errorf("%s as %s: mismatches %v", raw, kind, c.Mismatches())
		}
	}
	fits := func(raw string, kind Kind, want any) { t.Helper(); reads(raw, kind, want, false) }
	mismatches := func(raw string, kind Kind, want any) { t.Helper(); reads(raw, kind, want, true) }

	fits(`"a\u00e9\n<"`, String, "aé\n<")
	fits(`null`, String, "")
	fits(`{"value":"x"}`, String, "x")
	fits(`{"value":null}`, String, "")
	mismatches(`{"value":{}}`, String, "")
	mismatches(`{"value":"x","more":1}`, String, "")
	mismatches(`{}`, String, "")
	mismatches(`7`, String, "")
	mismatches(`["x"]`, String, "")

	fits(`7`, Int, 7)
	fits(`-7`, Int, -7)
	fits(`1.0`, Int, 1)
	fits(`1e3`, Int, 1000)
	fits(`9007199254740993`, Int, 9007199254740993)
	fits(`9223372036854775807`, Int, math.MaxInt64)
	fits(`null`, Int, 0)
	fits(`{"value":7}`, Int, 7)
	mismatches(`9223372036854775808`, Int, math.MaxInt64)
	mismatches(`-9223372036854775809`, Int, math.MinInt64)
	mismatches(`1e400`, Int, math.MaxInt64)
	mismatches(`-1e400`, Int, math.MinInt64)
	mismatches(`1.5`, Int, 0)
	mismatches(`"7"`, Int, 0)
	mismatches(`true`, Int, 0)

	fits(`true`, Bool, true)
	fits(`false`, Bool, false)
	fits(`null`, Bool, false)
	mismatches(`1`, Bool, false)

	fits(`null`, Strings, []any{})
	fits(`[]`, Strings, []any{})
	fits(`["a",null,"b"]`, Strings, []any{"a", "", "b"})
	mismatches(`["a",1]`, Strings, []any{})
	mismatches(`"a"`, Strings, []any{})
	fits(`[1,-2]`, Ints, []any{1, -2})
	mismatches(`[1,99999999999999999999]`, Ints, []any{1, math.MaxInt64})
	mismatches(`[1,"2"]`, Ints, []any{})

	fits(`null`, Object, object{})
	fits(`{"a":1}`, Object, object{"a": 1})
	mismatches(`[]`, Object, object{})
	fits(`[{"a":1},null]`, Objects, []any{object{"a": 1}, object{}})
	mismatches(`[1]`, Objects, []any{})
	fits(`{"history":true,"unreadCount":false}`, Bools, object{"history": true, "unreadCount": false})
	fits(`null`, Bools, object{})
	mismatches(`{"history":1}`, Bools, object{})

	fits(`{"a":[1,1.5,true,null,"x",1e400,99999999999999999999]}`, Any,
		object{"a": []any{1, 1.5, true, nil, "x", math.MaxFloat64, 1e20}})
	fits(`null`, Any, nil)
	fits(`[]`, Any, []any{})
}

func TestAbsentFieldsAreZero(t *testing.T) {
	c := withBody(t, `"f":1`)
	for kind, want := range map[Kind]any{
		Any: nil, String: "", Int: 0, Bool: false, Strings: []any{}, Ints: []any{}, Objects: []any{},
		Object: map[string]any{}, Bools: map[string]any{},
	} {
		if diff := cmp.Diff(want, c.Value("absent", kind)); diff != "" {
			t.Errorf("absent as %s (-want +got)\n%s", kind, diff)
		}
	}
	if wrong := c.Mismatches(); len(wrong) > 0 {
		t.Errorf("mismatches: %v", wrong)
	}
}

func TestFieldNamesAreCaseExact(t *testing.T) {
	c := mustDecode(t, Request{Body: []byte(`{"callbackCommand":"callbackAfterSingleMsgReadCommand","Seqs":[5],"seqs":[6]}`)})
	if diff := cmp.Diff([]any{5}, c.Value("Seqs", Ints)); diff != "" {
		t.Error(diff)
	}
	if _, ok := c.Raw("SEQS"); ok {
		t.Error("SEQS was found")
	}
}

func TestKnownObjectsHaveAllTheirMembers(t *testing.T) {
	c := mustDecode(t, Request{Body: []byte(`{"callbackCommand":"callbackBeforeMembersJoinGroupCommand",` +
		`"memberList":[{"userID":"u1","more":{"n":1}},{"userID":7},null]}`)})
	want := []any{
		map[string]any{"userID": "u1", "ex": "", "more": map[string]any{"n": 1}},
		map[string]any{"userID": "", "ex": ""},
		map[string]any{"userID": "", "ex": ""},
	}
	if diff := cmp.Diff([]any{}, c.Value("memberList", Objects)); diff != "" || len(c.Mismatches()) != 1 {
		t.Errorf("a member of another type (-want +got)\n%s", diff)
	}
	c = mustDecode(t, Request{Body: []byte(strings.Replace(string(c.Body), `"userID":7`, `"userID":null`, 1))})
	if diff := cmp.Diff(want, c.Value("memberList", Objects)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestAskingAgainAllocatesNothing(t *testing.T) {
	c := mustDecode(t, DocumentedGroupMessage())
	ask := func() {
		c.Value("groupID", String)
		c.Value("sendTime", Int)
		c.Value("atUserList", Strings)
		c.Value("nothing", Strings)
		c.Value("nothing", Object)
		c.Text()
		c.Data()
		c.Fields()
		c.Query()
		c.OperationID()
		c.MessageID()
	}
	ask()
	if n := testing.AllocsPerRun(100, ask); n != 0 {
		t.Errorf("%v allocations", n)
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

func TestTextAndData(t *testing.T) {
	says := func(contentType, content, text string, data any) {
		t.Helper()
		c := withBody(t, `"contentType":`+contentType+`,"content":`+content)
		if got := c.Text(); got != text {
			t.Errorf("contentType %s, content %s: text %q, want %q", contentType, content, got, text)
		}
		if diff := cmp.Diff(data, c.Data()); diff != "" {
			t.Errorf("contentType %s, content %s: data (-want +got)\n%s", contentType, content, diff)
		}
	}
	type object = map[string]any
	says(`101`, `"{\"content\":\"hi \\\"there\\\"\"}"`, `hi "there"`, object{"content": `hi "there"`})
	says(`118`, `"{\"content\":\"# hi\"}"`, `# hi`, object{"content": "# hi"})
	says(`106`, `"{\"text\":\"hi @u1\",\"atUserList\":[\"u1\"]}"`, `hi @u1`, object{"text": "hi @u1", "atUserList": []any{"u1"}})
	says(`114`, `"{\"text\":\"no\",\"quoteMessage\":{}}"`, `no`, object{"text": "no", "quoteMessage": object{}})
	says(`117`, `"{\"text\":\"hi\"}"`, `hi`, object{"text": "hi"})
	says(`110`, `"{\"data\":\"x\"}"`, ``, object{"data": "x"})
	says(`102`, `"{}"`, ``, object{})
	says(`101`, `"bare text"`, `bare text`, nil)
	says(`101`, `"{not json}"`, `{not json}`, nil)
	says(`101`, `"{\"content\":\"a\"} and more"`, `{"content":"a"} and more`, nil)
	says(`101`, `"17"`, `17`, 17)
	says(`101`, `"{\"content\":5}"`, ``, object{"content": 5})
	says(`101`, `"{\"text\":\"other\"}"`, ``, object{"text": "other"})
	says(`101`, `""`, ``, nil)
	says(`101`, `null`, ``, nil)
	says(`101`, `{"content":"not a text"}`, ``, nil)
	says(`110`, `"bare text"`, ``, nil)
	says(`1`, `"as documented"`, `as documented`, nil)
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
