package openim

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var versions = []Version{V37, V35, V30, V2}

// sampleWith is a command's sample callback with fields put in place of its own, as JSON text.
func sampleWith(t testing.TB, short string, fields map[string]string) *Callback {
	t.Helper()
	command, ok := Lookup(short)
	if !ok {
		t.Fatalf("no command %s", short)
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(Sample(command), &body); err != nil {
		t.Fatal(err)
	}
	for name, raw := range fields {
		body[name] = json.RawMessage(raw)
		if raw == "" {
			delete(body, name)
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := Decode(Request{Body: text})
	if err != nil {
		t.Fatal(err)
	}
	return cb
}

func TestAllowsAndRefusalsAreUnderstood(t *testing.T) {
	for _, c := range Commands() {
		cb := sampleWith(t, c.Short, nil)
		for _, version := range versions {
			reply := AppendReply(nil, cb, Verdict{}, version)
			if r := ReadReply(reply, c, version); r.Refused || strings.Contains(r.Why, "fails") {
				t.Errorf("%s, %s: allow %s reads as %+v", c.Short, version, reply, r)
			}
			reply = AppendReply(nil, cb, Verdict{Refuse: true, Code: 20403, Message: "no"}, version)
			want := Reading{Refused: true, Code: 20403, Message: "no"}
			if c.Phase == After {
				want = Reading{}
			}
			got := ReadReply(reply, c, version)
			got.Why = ""
			if got != want {
				t.Errorf("%s, %s: refusal %s reads as %+v, want %+v", c.Short, version, reply, got, want)
			}
		}
	}
}

func TestRepliesOnTheWire(t *testing.T) {
	answers := func(cb *Callback, v Verdict, version Version, want string) {
		t.Helper()
		if got := string(AppendReply([]byte("…"), cb, v, version)); got != "…"+want {
			t.Errorf("%s, %+v:\n got %s\nwant …%s", version, v, got, want)
		}
	}
	before, after := sampleWith(t, "beforeSendGroupMsg", nil), sampleWith(t, "afterSendGroupMsg", nil)
	refusal := Verdict{Refuse: true, Code: 20403, Message: "no \"spam\"", Detail: "rule r1"}
	const allowed = `{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}`
	const refused = `{"actionCode":0,"errCode":20403,"errMsg":"no \"spam\"","errDlt":"rule r1","nextCode":1}`

	answers(before, Verdict{}, V37, allowed)
	answers(after, Verdict{}, V2, allowed)
	answers(nil, Verdict{}, V37, allowed)
	answers(before, Verdict{Code: 7, Message: "ignored"}, V37, allowed)
	answers(before, refusal, V37, refused)
	answers(before, refusal, V35, refused)
	answers(before, refusal, V30, refused)
	answers(nil, refusal, V37, refused)
	answers(before, refusal, V2, `{"actionCode":1,"errCode":20403,"errMsg":"no \"spam\"","errDlt":"rule r1","nextCode":1}`)
	for _, version := range versions {
		answers(after, refusal, version, `{"actionCode":1,"errCode":20403,"errMsg":"no \"spam\"","errDlt":"rule r1","nextCode":0}`)
	}
	answers(before, Verdict{Refuse: true, Message: "a\xffb"}, V37,
		`{"actionCode":0,"errCode":20001,"errMsg":"a�b","errDlt":"","nextCode":1}`)
}

func TestRefusalCodesAreLifted(t *testing.T) {
	becomes := func(code, want int32) {
		t.Helper()
		var reply common
		if err := json.Unmarshal(AppendReply(nil, nil, Verdict{Refuse: true, Code: code}, V37), &reply); err != nil {
			t.Fatal(err)
		}
		if reply.ErrCode != want || reply.ErrMsg == "" {
			t.Errorf("code %d: got %d %q, want %d and a message", code, reply.ErrCode, reply.ErrMsg, want)
		}
	}
	becomes(0, DefaultRefusalCode)
	becomes(-7, DefaultRefusalCode)
	becomes(99, DefaultRefusalCode)
	becomes(100, 100)
	becomes(29999, 29999)
	becomes(2147483647, 2147483647)
}

func TestAllowsOfSetGroupInfoEchoTheRequest(t *testing.T) {
	echoes := func(short string, request map[string]string, set []FieldValue, want map[string]any) {
		t.Helper()
		reply := AppendReply(nil, sampleWith(t, short, request), Verdict{Fields: set}, V37)
		var got map[string]any
		if err := json.Unmarshal(reply, &got); err != nil {
			t.Fatalf("%s: %v", reply, err)
		}
		for _, name := range []string{"actionCode", "errCode", "errMsg", "errDlt", "nextCode"} {
			delete(got, name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s with %v (-want +got)\n%s", short, request, diff)
		}
	}
	type fields = map[string]any
	echoes("beforeSetGroupInfo", nil, nil,
		fields{"groupID": "support-1", "groupName": "Support", "faceURL": "", "introduction": "Questions about orders"})
	echoes("beforeSetGroupInfo", map[string]string{"groupName": "null", "introduction": `["odd"]`, "faceURL": ""}, nil,
		fields{"groupID": "support-1"})
	echoes("beforeSetGroupInfo", map[string]string{"groupID": `{"value":"g"}`}, nil,
		fields{"groupID": "g", "groupName": "Support", "faceURL": "", "introduction": "Questions about orders"})

	whole := fields{"groupID": "support-1", "groupName": "Support", "faceURL": nil, "introduction": "Questions about orders",
		"ex": nil, "needVerification": 0.0, "lookMemberInfo": nil, "applyMemberFriend": nil}
	echoes("beforeSetGroupInfoEx", nil, nil, whole)
	whole["groupName"], whole["needVerification"] = fields{"value": "Wrapped"}, fields{"value": 1.0}
	echoes("beforeSetGroupInfoEx", map[string]string{"groupName": `{"value":"Wrapped"}`, "needVerification": `{"value":1}`}, nil, whole)
	whole["groupName"], whole["needVerification"], whole["ex"] = "Renamed", 2.0, "set"
	echoes("beforeSetGroupInfoEx", nil, []FieldValue{
		{"groupName", []byte(`"Renamed"`)}, {"NEEDVERIFICATION", []byte(`"2"`)}, {"ex", []byte(`"set"`)},
	}, whole)
	whole["groupName"], whole["needVerification"], whole["ex"] = nil, 0.0, nil
	echoes("beforeSetGroupInfoEx", nil, []FieldValue{{"groupName", []byte(`null`)}, {"groupID", []byte(`null`)}, {"groupID", []byte(`""`)}}, whole)
}

func TestOfAFieldGivenTwiceTheLastCounts(t *testing.T) {
	cb := sampleWith(t, "beforeSetFriendRemark", nil)
	got := string(AppendReply(nil, cb, Verdict{Fields: []FieldValue{
		{"remark", []byte(`"one"`)}, {"Remark", []byte(`"two"`)}, {"remark", []byte(`""`)}, {"other", []byte(`1`)},
	}}, V37))
	if !strings.HasSuffix(got, `"nextCode":0,"remark":"two"}`) {
		t.Error(got)
	}
}

func TestAPlainReplyAllocatesNothing(t *testing.T) {
	cb := sampleWith(t, "beforeSendGroupMsg", nil)
	buf := make([]byte, 0, 512)
	allows := testing.AllocsPerRun(100, func() { AppendReply(buf, cb, Verdict{}, V37) })
	refuses := testing.AllocsPerRun(100, func() { AppendReply(buf, cb, Verdict{Refuse: true, Message: "no"}, V37) })
	if allows != 0 || refuses != 0 {
		t.Errorf("%v allocations for an allow, %v for a refusal", allows, refuses)
	}
}

// anyJSON draws JSON text of any type, the odd ones often.
func anyJSON() *rapid.Generator[string] {
	scalar := rapid.OneOf(
		rapid.SampledFrom([]string{`null`, `true`, `false`, `""`, `"1"`, `"2147483648"`, `0`, `-1`, `1.0`, `1.5`, `1e3`,
			`3000000000`, `99999999999999999999`, `"{}"`, `"{\"content\":\"hi\"}"`, `"\ud800"`, `"\u0002"`, `{"value":"x"}`,
			`{"value":1}`, `{"value":null}`, `[{"userID":"u1","roleLevel":"20"}]`, `[{"userID":"u1"},{"USERID":"u2","ex":5}]`,
			`{"title":"t","iOSBadgeCount":1}`, `{"history":"true"}`, "\"\xff\"", "{\"\xff\":true}"}),
		rapid.Map(rapid.String(), strconv.Quote),
		rapid.Map(rapid.Int64(), func(n int64) string { return strconv.FormatInt(n, 10) }),
	)
	return rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(scalar, 0, 3), func(s []string) string { return "[" + strings.Join(s, ",") + "]" }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"userID", "userid", "ex", "title", "value", "history"}), scalar, 0, 3),
			func(m map[string]string) string {
				var members []string
				for name, raw := range m {
					members = append(members, strconv.Quote(name)+":"+raw)
				}
				return "{" + strings.Join(members, ",") + "}"
			}),
	)
}

// anyCallback draws a sample of any command with some fields replaced by anything.
func anyCallback(t *rapid.T) *Callback {
	c := rapid.SampledFrom(Commands()).Draw(t, "command")
	body := `{"callbackCommand":"` + c.Name + `"`
	for i := range c.Request {
		f := &c.Request[i]
		raw := sampleValue(c, f)
		switch rapid.IntRange(0, 5).Draw(t, f.Name) {
		case 0:
			raw = anyJSON().Draw(t, "value of "+f.Name)
		case 1:
			continue
		}
		body += fmt.Sprintf(",%q:%s", f.Name, raw)
	}
	cb, err := Decode(Request{Body: []byte(body + "}")})
	if err != nil {
		t.Skip("a body that IMServer would not send")
	}
	return cb
}

// anyFields draws fields that some command knows, with values of any type or none at all.
func anyFields(t *rapid.T) []FieldValue {
	var names []string
	for _, c := range Commands() {
		for _, f := range c.Reply {
			names = append(names, f.Name, strings.ToUpper(f.Name))
		}
	}
	names = append(names, "actionCode", "nextCode", "", "\xff", "no\"such")
	var set []FieldValue
	for range rapid.IntRange(0, 12).Draw(t, "fields") {
		raw := rapid.OneOf(anyJSON(), anyJSON(), rapid.String()).Draw(t, "raw")
		set = append(set, FieldValue{Name: rapid.SampledFrom(names).Draw(t, "name"), Raw: []byte(raw)})
	}
	return set
}

// TestNoReplyHasAWrongType is the promise behind AppendReply: whatever the verdict and whatever the
// callback, IMServer decodes the reply and concludes what the verdict says.
func TestNoReplyHasAWrongType(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cb := anyCallback(t)
		v := Verdict{
			Refuse: rapid.Bool().Draw(t, "refuse"), Code: rapid.Int32().Draw(t, "code"),
			Message: rapid.String().Draw(t, "message") + rapid.SampledFrom([]string{"", "\xff"}).Draw(t, "broken"),
			Detail:  rapid.String().Draw(t, "detail"), Fields: anyFields(t),
		}
		version := rapid.SampledFrom(versions).Draw(t, "version")
		reply := AppendReply(nil, cb, v, version)
		if err := decodeStrictly(reply, wireReply(cb.Command.Short)); err != nil {
			t.Fatalf("%s: %v\n%s", cb.Command.Short, err, reply)
		}
		if r := ReadReply(reply, cb.Command, version); r.Refused != (v.Refuse && cb.Phase() == Before) {
			t.Fatalf("%s, refuse %v, reads as %+v\n%s", cb.Command.Short, v.Refuse, r, reply)
		} else if r.Refused && (r.Code < 100 || r.Message == "") {
			t.Fatalf("a refusal reads as %+v\n%s", r, reply)
		}
	})
}

// TestCheckingAgainChangesNothing: what CheckField returns, it returns again.
func TestCheckingAgainChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cb := anyCallback(t)
		for _, f := range anyFields(t) {
			once, reason := CheckField(cb, f)
			if reason != "" {
				continue
			}
			twice, reason := CheckField(cb, once)
			if diff := cmp.Diff(once, twice); diff != "" || reason != "" {
				t.Fatalf("%s=%s of %s: %s %s", f.Name, f.Raw, cb.Command.Short, reason, diff)
			}
		}
	})
}
