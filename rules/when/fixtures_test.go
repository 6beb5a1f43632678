package when

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"callboard/openim"
)

const groupMsg = "beforeSendGroupMsg"

// noon is what conditions in tests read as now: a Friday.
var noon = time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)

func commandsNamed(t testing.TB, names ...string) []*openim.Command {
	t.Helper()
	var commands []*openim.Command
	for _, name := range names {
		c, ok := openim.Lookup(name)
		if !ok {
			t.Fatalf("no command %q", name)
		}
		commands = append(commands, c)
	}
	return commands
}

// mustCompile compiles a condition for the named commands, all when there are none.
func mustCompile(t testing.TB, src string, commands ...string) *Cond {
	t.Helper()
	c, problems := Compile(src, commandsNamed(t, commands...))
	if c == nil {
		t.Fatalf("Compile(%s): %+v", src, problems)
	}
	return c
}

// groupMessage is a group message with some fields replaced (nil: null).
func groupMessage(t testing.TB, with map[string]any) *openim.Callback {
	t.Helper()
	return callback(t, groupMsg, map[string]any{
		"sendID": "u0", "groupID": "support-1", "contentType": 101, "sessionType": 3, "msgFrom": 100,
		"senderPlatformID": 1, "sendTime": 1772798400000, "content": `{"content":"please Refund","level":3}`,
		"atUserList": []string{"u1", "bot-2"}, "ex": `{"vip":true,"tags":["a","b"]}`, "seq": 0,
	}, with)
}

// callback is a callback of the command whose body has the fields of bodies, later ones first.
func callback(t testing.TB, command string, bodies ...map[string]any) *openim.Callback {
	t.Helper()
	body := map[string]any{}
	if c, ok := openim.Lookup(command); ok {
		command = c.Name
	}
	body["callbackCommand"] = command
	for _, b := range bodies {
		maps.Copy(body, b)
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := openim.Decode(openim.Request{
		Path:     "/prod/" + command,
		RawQuery: "key=k1&key=k2",
		Header:   map[string][]string{"Operationid": {"op1"}, "X-Real-Ip": {"10.1.2.3"}},
		Body:     text,
	})
	if err != nil {
		t.Fatal(err)
	}
	return cb
}

// eval evaluates one condition for one callback.
func eval(t testing.TB, c *Cond, cb *openim.Callback) (bool, error) {
	t.Helper()
	s := NewEnv([]*Cond{c}).Bind(cb, noon)
	defer s.Release()
	return s.Eval(c)
}
