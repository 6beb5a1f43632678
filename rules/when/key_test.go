package when

import (
	"errors"
	"strings"
	"testing"

	"callboard/openim"
)

func mustCompileKey(t testing.TB, src string, commands ...string) *Key {
	t.Helper()
	k, problems := CompileKey(src, commandsNamed(t, commands...))
	if k == nil {
		t.Fatalf("CompileKey(%s): %+v", src, problems)
	}
	return k
}

func key(t testing.TB, k *Key, cb *openim.Callback) (string, error) {
	t.Helper()
	s := NewEnv(nil, k).Bind(cb, noon)
	defer s.Release()
	return s.Key(k)
}

func TestValuesOfKeys(t *testing.T) {
	cb := groupMessage(t, map[string]any{"ex": `{"half":0.5,"whole":2.0,"big":1e21,"no":null,"list":[1],"object":{}}`, "seq": -3})
	for src, want := range map[string]string{
		`groupID`:                           "support-1",
		`seq`:                               "-3",
		`recvID`:                            "",
		`source + "/" + groupID`:            "prod/support-1",
		`groupID == "" ? sendID : groupID`:  "support-1",
		`let n = len(atUserList); n > 1`:    "true",
		`contentType in [Picture]`:          "false",
		`command`:                           "callbackBeforeSendGroupMsgCommand",
		`headers["X-Real-IP"]`:              "10.1.2.3",
		`json(ex).half`:                     "0.5",
		`json(ex).whole`:                    "2",
		`json(ex).big`:                      "1000000000000000000000",
		`json(ex).no`:                       "",
		`json(ex).missing.more`:             "",
		`raw.groupID`:                       "support-1",
		`first(atUserList)`:                 "u1",
		`"all"`:                             "all",
		`7`:                                 "7",
		`trimPrefix(groupID, "support-")`:   "1",
		`seq / 2`:                           "-1.5",
		`text contains "Refund" ? 1 : "no"`: "1",
	} {
		got, err := key(t, mustCompileKey(t, src, groupMsg, "beforeSendSingleMsg"), cb)
		if got != want || err != nil {
			t.Errorf("%s is %q, %v; want %q", src, got, err, want)
		}
	}
	for src, want := range map[string]string{
		`json(ex).list`:   "a list cannot be read as a key",
		`json(ex).object`: "an object cannot be read as a key",
		`raw.atUserList`:  "a list cannot be read as a key",
		`int(sendID)`:     "this text cannot be read as an integer",
	} {
		got, err := key(t, mustCompileKey(t, src, groupMsg), cb)
		if got != "" || err == nil || err.Error() != want {
			t.Errorf("%s is %q, error %v; want %s", src, got, err, want)
		}
	}
}

func TestWhatIsNoKey(t *testing.T) {
	for _, row := range []struct {
		src  string
		want expected
	}{
		{`atUserList`, expected{"not-a-key", `atUserList`, "a list of strings", "first(atUserList)"}},
		{`filter(atUserList, # != "")`, expected{"not-a-key", `filter(atUserList, # != "")`, "a list", ""}},
		{`headers`, expected{"not-a-key", `headers`, "an object", `headers["x-tenant"]`}},
		{`raw`, expected{"not-a-key", `raw`, "an object", `raw.name`}},
		{`nil`, expected{"not-a-key", `nil`, "nil, not a text", ``}},
		{`true`, expected{"not-a-key", `true`, "the same for every callback", ``}},
		{`let x = groupID; [x]`, expected{"not-a-key", `[x]`, "a list", ``}},
		{`now`, expected{"key-with-time", `now`, "cannot depend on the time", ``}},
		{`string(now.Hour())`, expected{"key-with-time", `now`, "cannot depend on the time", ``}},
		{`weekday("UTC")`, expected{"key-with-time", `weekday("UTC")`, "cannot depend on the time", ``}},
		{`duration("1h")`, expected{"not-a-key", `duration("1h")`, "a duration", ``}},
		{`groupId`, expected{"field-not-carried", `groupId`, "no field of the callbacks that the expression is for", `"groupID"`}},
		{`reverse(atUserList)`, expected{"function-not-available", `reverse(atUserList)`, "expressions have no function reverse", ``}},
		{`friendUserID`, expected{"field-not-carried", `friendUserID`, "no field of the callbacks", `the expression is for beforeSendGroupMsg`}},
		{`seq + "/"`, expected{"type-mismatch", `seq + "/"`, "+ cannot stand between an integer and a string", ``}},
		{`groupID +`, expected{"syntax", `+`, "the expression ends too early", ``}},
		{``, expected{"syntax", ``, "the expression is empty", ``}},
		{`groupID matches ex`, expected{"pattern-not-constant", `ex`, "", ``}},
	} {
		k, problems := CompileKey(row.src, commandsNamed(t, groupMsg))
		if k != nil || len(problems) != 1 {
			t.Errorf("CompileKey(%s) is %v with %d problems %+v, want one", row.src, k, len(problems), problems)
			continue
		}
		row.want.check(t, row.src, problems[0])
	}
	const object = `users[0]`
	if k, problems := CompileKey(object, commandsNamed(t, "beforeUserRegister")); k != nil || len(problems) == 0 {
		t.Errorf("CompileKey(%s) is %v with %+v", object, k, problems)
	} else {
		expected{"not-a-key", object, "an object", "a member of it: "}.check(t, object, problems[0])
	}
	if k, problems := CompileKey(strings.Repeat("x", 17_000), nil); k != nil || problems[0].Message != "the expression has 17000 bytes beside lists, 16384 are allowed" {
		t.Errorf("a long expression: %+v", problems)
	}
}

func TestTheNameOfAFieldIsNoField(t *testing.T) {
	k, problems := CompileKey(`"groupID"`, commandsNamed(t, groupMsg))
	if k == nil || len(problems) != 1 || !problems[0].Warning {
		t.Fatalf("got %v with %+v, want one warning", k, problems)
	}
	expected{"text-for-field", `"groupID"`, "not the field", "groupID without quotes"}.check(t, `"groupID"`, problems[0])
}

// A key is bounded as a condition is, and takes from the callback's one budget.
func TestNoKeyRunsAway(t *testing.T) {
	cb := hostileMessage(t)
	for _, src := range []string{
		`count(atUserList, any(atUserList, # == "x"))`,
		`any(atUserList, lower(content) == "x") ? "a" : "b"`,
		`string(content matches "([aé]{300})z")`,
	} {
		k := mustCompileKey(t, src, groupMsg)
		s := NewEnv(nil, k).Bind(cb, noon)
		got, err := s.Key(k)
		if steps := callbackSteps - s.total; got != "" || !errors.Is(err, ErrBudget) || steps > evaluationSteps {
			t.Errorf("%s is %q after %d steps, error %v; want it to run out of its budget", src, got, steps, err)
		}
		s.Release()
	}

	plain, costly := mustCompileKey(t, `groupID`, groupMsg), mustCompileKey(t, `count(atUserList, # == "x")`, groupMsg)
	s := NewEnv(nil, plain, costly).Bind(cb, noon)
	defer s.Release()
	for range callbackSteps / maxEntries {
		if _, err := s.Key(costly); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Key(costly); !errors.Is(err, ErrBudget) {
		t.Errorf("beyond the callback's budget: %v", err)
	}
	if got, err := s.Key(plain); got != "support-1" || err != nil {
		t.Errorf("a field costs nothing, but is %q, %v", got, err)
	}
}

func TestReadsOfKeys(t *testing.T) {
	k := mustCompileKey(t, `source + "/" + (groupID == "" ? sendID : groupID)`, groupMsg)
	if got := strings.Join(k.Reads(), " "); got != "groupID sendID source" || k.Source() == "" {
		t.Errorf("reads %q, source %q", got, k.Source())
	}
}

func TestKeysOfFieldsAllocateNothing(t *testing.T) {
	k := mustCompileKey(t, `groupID`, groupMsg)
	s := NewEnv(nil, k).Bind(groupMessage(t, nil), noon)
	defer s.Release()
	if n := testing.AllocsPerRun(100, func() {
		if got, err := s.Key(k); got != "support-1" || err != nil {
			t.Fatal(got, err)
		}
	}); n > 0 {
		t.Errorf("allocates %v times", n)
	}
}
