package openim

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
