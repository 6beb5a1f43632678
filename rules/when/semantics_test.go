package when

import (
	"strings"
	"testing"
	"time"

	"callboard/openim"
)

func TestConditions(t *testing.T) {
	for _, row := range []struct {
		says string
		src  string
		want bool
	}{
		{"a field equals a text", `groupID == "support-1"`, true},
		{"single quotes are quotes", `groupID == 'support-1'`, true},
		{"a constant is its number", `contentType == Text`, true},
		{"constants stand in lists", `contentType in [Picture, AtText]`, false},
		{"a range includes its ends", `contentType in 101..101`, true},
		{"a range may use constants", `contentType in NotificationBegin..NotificationEnd`, false},
		{"an empty range holds nothing", `contentType in 110..100`, false},
		{"sixty-four bits are kept", `sendTime == 1772798400000`, true},
		{"comparisons can be chained", `100 < contentType < 105`, true},
		{"regular expressions search", `text matches "(?i)REFUND$"`, true},
		{"text is the readable part of content", `text == "please Refund"`, true},
		{"data is content decoded", `data.level == 3 && data.content == text`, true},
		{"a missing member is nil", `data.x.y[3].z == nil`, true},
		{"a missing member is false", `!data.vip && !(data.vip && true) && (data.vip ? false : true)`, true},
		{"a missing list has no entries", `any(data.users, .id == "x") || count(data.users, true) > 0`, false},
		{"a missing member is false in a loop", `all(json("[{}]"), .vip) || none(json("[{},{\"vip\":true}]"), .vip)`, false},
		{"a missing text contains nothing", `data.title contains "x"`, false},
		{"members of unknown lists are numbered", `json(ex).tags[1] == "b" && json(ex).tags[-1] == "b" && json(ex).tags[2] == nil`, true},
		{"json of no JSON is nil", `json(groupID) == nil && json("") == nil && json("{} x") == nil`, true},
		{"json keeps integers", `json("[9007199254740993, 1.5]")[0] == 9007199254740993 && type(json("5")) == "int" && json("[1, 1.5]")[1] == 1.5`, true},
		{"raw has every field", `raw.groupID == groupID && raw.callbackCommand == command`, true},
		{"raw has fields that the catalogue lacks", `raw.extra.level == 7 && raw["extra"]["level"] == 7`, true},
		{"optional chaining changes nothing", `raw?.extra?.level == 7 && raw?.nothing?.level == nil`, true},
		{"headers have lower-case names", `headers["x-real-ip"] == "10.1.2.3"`, true},
		{"headers are found in any case", `headers["X-Real-IP"] == "10.1.2.3" && headers.OperationID == "op1"`, true},
		{"headers can be looked for", `"X-Real-IP" in headers && "x-other" not in headers`, true},
		{"a missing header is empty", `headers["x-other"] == "" && len(headers["x-other"]) == 0`, true},
		{"query has the first of several values", `query.key == "k1" && query.none == ""`, true},
		{"source is the path before the command", `source == "prod"`, true},
		{"command is the wire name", `command == "callbackBeforeSendGroupMsgCommand"`, true},
		{"command equals short names", `command == "beforeSendGroupMsg" && "beforeSendGroupMsg" == command`, true},
		{"command differs from other names", `command != "beforeSendSingleMsg" && command not in ["afterSendGroupMsg"]`, true},
		{"command stands in lists of short names", `command in ["beforeSendSingleMsg", "beforeSendGroupMsg"]`, true},
		{"has asks whether a field was sent", `has("ex") && has("groupID")`, true},
		{"has is false of null and of what was not sent", `has("faceURL") || has("senderNickname")`, false},
		{"a mention is an entry of the list", `mentions("u1") && !mentions("u2")`, true},
		{"a mention can be of a field", `mentions(sendID)`, false},
		{"nobody mentioned everybody", `mentionsAll()`, false},
		{"membership in a list", `"u1" in atUserList && "u9" not in atUserList`, true},
		{"a loop finds an entry", `any(atUserList, # startsWith "bot-")`, true},
		{"a loop counts entries", `count(atUserList, # contains "u") == 1 && len(filter(atUserList, true)) == 2`, true},
		{"loops can be nested", `all(atUserList, any(atUserList, # == "bot-2"))`, true},
		{"none and one", `none(atUserList, # == "x") && one(atUserList, # == "u1")`, true},
		{"an entry by number", `len(atUserList) > 0 && atUserList[0] == "u1"`, true},
		{"first and last", `first(atUserList) == "u1" && last(atUserList) == "bot-2"`, true},
		{"first of nothing is nil", `first(filter(atUserList, false)) == nil`, true},
		{"a glob with a star at the end", `glob(groupID, "support-*") && !glob(groupID, "port-*")`, true},
		{"a glob with a star in front", `glob(groupID, "*-1") && !glob(groupID, "*port")`, true},
		{"a glob with stars around", `glob(groupID, "*port*") && glob(groupID, "*")`, true},
		{"a glob without a star is the whole text", `glob(groupID, "support-1") && !glob(groupID, "support-")`, true},
		{"a glob in the middle", `glob(groupID, "s*-?") && !glob(groupID, "s*-??")`, true},
		{"a glob takes other signs as they are", `glob("a.b(c)", "a.b(*)") && !glob("axb(c)", "a.b(c)?*")`, true},
		{"an address is in a network", `inCIDR(headers["x-real-ip"], "192.168.0.0/16", "10.0.0.0/8")`, true},
		{"an address is in no network", `inCIDR("11.0.0.1", "10.0.0.0/8")`, false},
		{"a network of one address", `inCIDR("10.1.2.3", "10.1.2.3")`, true},
		{"addresses of version six", `inCIDR("fd00::1", "fd00::/8") && !inCIDR("fe80::1", "fd00::/8")`, true},
		{"a mapped address is one of version four", `inCIDR("::ffff:10.1.2.3", "10.0.0.0/8")`, true},
		{"a mapped network is one of version four", `inCIDR("10.1.2.3", "::ffff:10.0.0.0/104") && !inCIDR("11.1.2.3", "::ffff:10.0.0.0/104")`, true},
		{"a mapped address is a network of version four", `inCIDR("::ffff:10.1.2.3", "::ffff:10.1.2.3")`, true},
		{"an address may have white space around it", `inCIDR(" 10.1.2.3", "10.0.0.0/8") && inCIDR(" 10.1.2.3:443 ", "10.0.0.0/8")`, true},
		{"an address may have a zone", `inCIDR("fe80::1%eth0", "fe80::/10")`, true},
		{"a port is no part of the address", `inCIDR("10.1.2.3:443", "10.0.0.0/8") && inCIDR("[fd00::1]:443", "fd00::/8")`, true},
		{"what is no address is in no network", `inCIDR(groupID, "0.0.0.0/0") || inCIDR("", "::/0")`, false},
		{"noon is in the hours of the day", `hourIn("09:00", "18:00", "UTC")`, true},
		{"hours are those of the zone", `hourIn("09:00", "18:00", "Asia/Shanghai")`, false},
		{"hours may span midnight", `hourIn("19:00", "06:00", "Asia/Shanghai") && !hourIn("22:00", "06:00", "UTC")`, true},
		{"the first hour is in, the second is out", `hourIn("12:00", "12:01", "UTC") && !hourIn("11:00", "12:00", "UTC")`, true},
		{"a day ends at 24:00", `hourIn("00:00", "24:00", "UTC")`, true},
		{"the day of the week", `weekday("UTC") == "Fri" && weekday("Pacific/Kiritimati") in ["Sat", "Sun"]`, true},
		{"now is a time", `now > date("2026-03-06") && now < date("2026-03-06 12:00:01") && now.Hour() == 12`, true},
		{"spans of time", `now - date("2026-03-05T12:00:00Z") == duration("24h")`, true},
		{"all of a sample", `sample(1, sendID) && sample(1.0, groupID)`, true},
		{"none of a sample", `sample(0, sendID)`, false},
		{"variables", `let g = groupID; let n = len(g); g startsWith "support" && n == 9`, true},
		{"pipes", `groupID | upper() | hasPrefix("SUPPORT")`, true},
		{"lower and trim", `lower(trim("  AbC ")) == "abc" && trimPrefix(groupID, "support-") == "1"`, true},
		{"split", `split(groupID, "-")[0] == "support"`, true},
		{"joining texts", `"g:" + groupID == "g:support-1"`, true},
		{"conversions", `int("7") == 7 && int(data.level) == 3 && string(contentType) == "101" && float("1.5") > 1`, true},
		{"not binds to one word", `!(groupID == "x") && not (groupID == "y") && groupID != "x"`, true},
		{"a ternary", `groupID == "x" ? false : contentType == Text`, true},
		{"a zero value", `seq == 0 && createTime == 0 && senderNickname == ""`, true},
		{"comments", "groupID == 'support-1' // the team's\n && /* not */ true", true},
		{"null reads as the zero value", `faceURL == ""`, true},
	} {
		c, problems := Compile(row.src, commandsNamed(t, groupMsg))
		if c == nil {
			t.Errorf("%s: Compile(%s): %+v", row.says, row.src, problems)
			continue
		}
		cb := groupMessage(t, map[string]any{"extra": map[string]any{"level": 7}, "faceURL": nil})
		if got, err := eval(t, c, cb); got != row.want || err != nil {
			t.Errorf("%s: %s is %v, %v; want %v", row.says, row.src, got, err, row.want)
		}
	}
}

func TestFailingConditionsDoNotMatch(t *testing.T) {
	for _, row := range []struct{ src, want string }{
		{`data.nothing > 5`, "evaluating column 14: invalid operation: nothing > int"},
		{`len(data.nothing) > 5`, "evaluating column 1: invalid argument for len (type nothing)"},
		{`atUserList[5] == "u"`, "evaluating column 11: index out of range: 5 (array length is 2)"},
		{`int(content) == 5`, "this text cannot be read as an integer"},
		{`data.level && groupID != ""`, "a number cannot be read as true or false"},
		{`contentType % seq == 1`, "evaluating column 13: runtime error: integer divide by zero"},
		{`string(data) == ""`, "an object cannot be read as text"},
		{`data.content > 5`, "evaluating column 14: invalid operation: string > int"},
	} {
		c, problems := Compile(row.src, commandsNamed(t, groupMsg))
		if c == nil {
			t.Errorf("Compile(%s): %+v", row.src, problems)
			continue
		}
		got, err := eval(t, c, groupMessage(t, nil))
		if got || err == nil || err.Error() != row.want {
			t.Errorf("%s is %v, %q; want error %q", row.src, got, err, row.want)
		}
		if err != nil && strings.Contains(err.Error(), "Refund") {
			t.Errorf("%s: the error shows the payload: %v", row.src, err)
		}
	}
}

// Where clocks are changed, an hour is what the clocks there show: one that is left out never comes, one that
// comes twice counts twice.
func TestHoursFollowTheClocksOfThePlace(t *testing.T) {
	c := mustCompile(t, `hourIn("02:00", "03:00", "Europe/Berlin")`)
	night := mustCompile(t, `hourIn("22:00", "03:00", "Europe/Berlin")`)
	for _, row := range []struct {
		says          string
		now           time.Time
		want, atNight bool
	}{
		{"before the hour that is left out", time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC), false, true},
		{"after the hour that is left out", time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC), false, false},
		{"before the hour that comes twice", time.Date(2026, 10, 24, 23, 59, 59, 0, time.UTC), false, true},
		{"the first time", time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), true, true},
		{"the second time", time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), true, true},
		{"after the second time", time.Date(2026, 10, 25, 2, 0, 0, 0, time.UTC), false, false},
	} {
		s := NewEnv([]*Cond{c, night}).Bind(groupMessage(t, nil), row.now)
		in, err := s.Eval(c)
		atNight, errNight := s.Eval(night)
		if in != row.want || atNight != row.atNight || err != nil || errNight != nil {
			t.Errorf("%s: %v and %v, want %v and %v; errors %v, %v", row.says, in, atNight, row.want, row.atNight, err, errNight)
		}
		s.Release()
	}
}

// The answer for a key must never change: rules rely on it over updates and machines.
func TestSampleIsStable(t *testing.T) {
	in := 0
	for _, key := range []string{"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9"} {
		if sampled(0.5, key) {
			in = in<<1 | 1
		} else {
			in <<= 1
		}
	}
	if want := 0b1100010101; in != want {
		t.Errorf("half of ten keys is %010b, want %010b", in, want)
	}
	hits := 0
	for i := range 100_000 {
		if sampled(0.1, "user-"+string(rune('a'+i%26))+strings.Repeat("x", i%7)+string(rune(i))) {
			hits++
		}
	}
	if hits < 9_500 || hits > 10_500 {
		t.Errorf("a tenth of 100000 keys is %d", hits)
	}
}

func TestMentionsLooksWhereTheCommandHasThem(t *testing.T) {
	list := func(name string, ids ...any) map[string]any { return map[string]any{name: ids} }
	for _, row := range []struct {
		says     string
		commands []string
		cb       *openim.Callback
		want     bool
	}{
		{"messages have atUserList", []string{groupMsg}, callback(t, groupMsg, list("atUserList", "u1")), true},
		{"pushes have atUserIDList", []string{"beforeOnlinePush"}, callback(t, "beforeOnlinePush", list("atUserIDList", "u1")), true},
		{"a rule for both looks into both (messages)", []string{groupMsg, "beforeOnlinePush"}, callback(t, groupMsg, list("atUserList", "u1")), true},
		{"a rule for both looks into both (pushes)", []string{groupMsg, "beforeOnlinePush"}, callback(t, "beforeOnlinePush", list("atUserIDList", "u1")), true},
		{"a rule for all looks into both", nil, callback(t, "beforeOnlinePush", list("atUserIDList", "u1")), true},
		{"an unknown command may have either", nil, callback(t, "callbackNewCommand", list("atUserList", "u1")), true},
		{"null mentions nobody", []string{groupMsg}, callback(t, groupMsg, map[string]any{"atUserList": nil}), false},
		{"a command without mentions mentions nobody", nil, callback(t, "afterUserOnline"), false},
	} {
		c := mustCompile(t, `mentions("u1")`, row.commands...)
		if got, err := eval(t, c, row.cb); got != row.want || err != nil {
			t.Errorf("%s: got %v, %v; want %v", row.says, got, err, row.want)
		}
	}
	for command, field := range map[string]string{groupMsg: "atUserList", "beforeGroupOnlinePush": "atUserIDList"} {
		everybody := mustCompile(t, `mentionsAll()`, command)
		if got, err := eval(t, everybody, callback(t, command, list(field, "AtAllTag"))); !got || err != nil {
			t.Errorf("%s: mentionsAll() of AtAllTag is %v, %v", command, got, err)
		}
	}
}

func TestCommandIsTodaysNameOfOlderOnes(t *testing.T) {
	c := mustCompile(t, `command == "beforeMsgModify" && raw.callbackCommand == "callbackMsgModifyCommand"`)
	if got, err := eval(t, c, callback(t, "beforeMsgModify", map[string]any{"callbackCommand": "callbackMsgModifyCommand"})); !got || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	unknown := mustCompile(t, `command == "callbackNewCommand" && groupID == "g" && text == ""`)
	if got, err := eval(t, unknown, callback(t, "callbackNewCommand", map[string]any{"groupID": "g"})); !got || err != nil {
		t.Errorf("unknown command: got %v, %v", got, err)
	}
}

func TestObjectsHaveTypedMembers(t *testing.T) {
	c := mustCompile(t, `any(users, .userID startsWith "bot-" && .createTime == 5 && .nickname == "")`, "beforeUserRegister")
	users := []any{map[string]any{"userID": "u1"}, nil, map[string]any{"userID": "bot-1", "createTime": 5}}
	if got, err := eval(t, c, callback(t, "beforeUserRegister", map[string]any{"users": users})); !got || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := eval(t, c, callback(t, "beforeUserRegister")); got || err != nil {
		t.Errorf("without users: got %v, %v", got, err)
	}
	everywhere := mustCompile(t, `any(users, .userID == "u1" && .createTime == 0)`)
	for _, users := range []any{[]any{map[string]any{"userID": "u1"}}, []any{map[string]any{"userID": 7}, map[string]any{"userID": "u1", "createTime": "x"}}} {
		if got, err := eval(t, everywhere, callback(t, "callbackNewCommand", map[string]any{"users": users})); !got || err != nil {
			t.Errorf("unknown command with %v: got %v, %v", users, got, err)
		}
	}
}
