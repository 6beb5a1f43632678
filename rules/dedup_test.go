package rules

import (
	"testing"
	"time"

	"callboard/openim"
)

func decode(t testing.TB, path, body string) *openim.Callback {
	t.Helper()
	cb, err := openim.Decode(openim.Request{Path: path, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	return cb
}

func TestTheSameCallbackAgain(t *testing.T) {
	const group, single, online = "/callbackBeforeSendGroupMsgCommand", "/callbackBeforeSendSingleMsgCommand", "/callbackAfterUserOnlineCommand"
	for name, c := range map[string]struct {
		dedup        string
		path, body   string
		path2, body2 string
		same         bool
	}{
		"a message, whatever else differs":       {"10m", group, `{"serverMsgID":"m1","text":1}`, group, `{"serverMsgID":"m1","operationID":"o"}`, true},
		"another message":                        {"10m", group, `{"serverMsgID":"m1"}`, group, `{"serverMsgID":"m2"}`, false},
		"a message of another command":           {"10m", group, `{"serverMsgID":"m1"}`, single, `{"serverMsgID":"m1"}`, false},
		"a message of another server":            {"10m", group, `{"serverMsgID":"m1"}`, "/prod" + group, `{"serverMsgID":"m1"}`, false},
		"an operation with the same body":        {"10m", online, `{"operationID":"o","userID":"u"}`, online, `{"operationID":"o","userID":"u"}`, true},
		"an operation with another body":         {"10m", online, `{"operationID":"o","userID":"u"}`, online, `{"operationID":"o","userID":"v"}`, false},
		"another operation":                      {"10m", online, `{"operationID":"o"}`, online, `{"operationID":"p"}`, false},
		"an operation as long as a message's id": {"10m", group, `{"operationID":"m1"}`, group, `{"serverMsgID":"m1"}`, false},
		"neither message nor operation":          {"10m", online, `{"userID":"u"}`, online, `{"userID":"u"}`, false},
		"the expression's value":                 {"{window: 1s, key: sendID}", group, `{"sendID":"u","seq":1}`, group, `{"sendID":"u","seq":2}`, true},
		"another value of the expression":        {"{window: 1s, key: sendID}", group, `{"sendID":"u"}`, group, `{"sendID":"v"}`, false},
		"the value on another command":           {"{window: 1s, key: sendID}", group, `{"sendID":"u"}`, single, `{"sendID":"u"}`, false},
		"an empty value of the expression":       {"{window: 1s, key: sendID}", group, `{"serverMsgID":"m1"}`, group, `{"serverMsgID":"m1"}`, false},
		"an expression that fails":               {"{window: 1s, key: 'int(sendID)'}", group, `{"sendID":"u"}`, group, `{"sendID":"u"}`, false},
		"the same command by its older name":     {"10m", "/callbackMsgModifyCommand", `{"serverMsgID":"m1"}`, "/callbackBeforeMsgModifyCommand", `{"serverMsgID":"m1"}`, true},
		"a command that nobody knows":            {"10m", "/callbackNewCommand", `{"serverMsgID":"m1"}`, "/callbackNewCommand", `{"serverMsgID":"m1"}`, true},
	} {
		set := load(t, text("rules: []\ndedup: "+c.dedup))
		key, ok := set.DedupKey(decode(t, c.path, c.body))
		again, ok2 := set.DedupKey(decode(t, c.path2, c.body2))
		if got := ok && ok2 && key == again; got != c.same {
			t.Errorf("%s: taken for the same: %t; keys %q, %q", name, got, key, again)
		}
	}
}

func TestWhereDedupComesFrom(t *testing.T) {
	set := load(t, text("rules: []"))
	if key, ok := set.DedupKey(decode(t, "/callbackBeforeSendGroupMsgCommand", `{"serverMsgID":"m1"}`)); ok || set.Dedup != nil {
		t.Errorf("key %q, dedup %+v", key, set.Dedup)
	}
	const window = time.Minute
	for file, want := range map[string]time.Duration{"rules: []": window, "rules: []\ndedup: 5s": 5 * time.Second} {
		set, _ = Load([]File{text(file)}, Options{Dedup: window})
		if set.Dedup == nil || set.Dedup.Window != want {
			t.Errorf("%q with an option of %v: dedup is %+v", file, window, set.Dedup)
		}
	}
	set = okCase(t, "notify")
	if set.Dedup == nil || set.Dedup.Window != 10*time.Minute || set.Dedup.Key != "operationID + sendID" {
		t.Errorf("dedup is %+v", set.Dedup)
	}
}
