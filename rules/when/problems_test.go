package when

import (
	"strings"
	"testing"
)

// problem is what a row of a table expects: the marked text, and parts of message and hint.
type expected struct {
	id, marked, message, hint string
}

func (e expected) check(t *testing.T, src string, p Problem) {
	t.Helper()
	marked := src[p.Start:p.End]
	if p.Start == 0 && p.End == 0 {
		marked = src
	}
	if p.ID != e.id || marked != e.marked || !strings.Contains(p.Message, e.message) || !strings.Contains(p.Hint, e.hint) {
		t.Errorf("%s\n got %s at %q: %s\n     hint: %s\nwant %s at %q: %s\n     hint: %s",
			src, p.ID, marked, p.Message, p.Hint, e.id, e.marked, e.message, e.hint)
	}
}

func TestMistakes(t *testing.T) {
	for _, row := range []struct {
		src  string
		want expected
	}{
		// Signs and words of other languages.
		{`groupID = "x"`, expected{"syntax", `=`, "unexpected =", "compare with =="}},
		{`groupID === "x"`, expected{"syntax", `=`, "unexpected ===", "compare with =="}},
		{`groupID <> "x"`, expected{"syntax", `>`, "unexpected <>", "compare with !="}},
		{`groupID == "x" & contentType == 1`, expected{"syntax", `&`, "unexpected &", "&&"}},
		{`groupID == "x" | contentType == 1`, expected{"syntax", `|`, "unexpected |", "||"}},
		{`groupID == "x" AND contentType == 1`, expected{"syntax", `AND`, "unexpected AND", "write and in lower case"}},
		{`groupID like "x%"`, expected{"syntax", `like`, "unexpected like", "glob("}},
		{`groupID is "x"`, expected{"syntax", `is`, "unexpected is", "compare with =="}},
		{`groupID not == "x"`, expected{"syntax", `==`, "unexpected ==", "!="}},
		{`groupID =~ "x"`, expected{"syntax", `=`, "unexpected =~", "matches"}},
		{`groupID == “x”`, expected{"syntax", `“`, "unexpected “", "plain quotes"}},
		{`groupID in ("a", "b")`, expected{"syntax", `,`, "unexpected ,", "square brackets"}},
		{`groupID in "a", "b"`, expected{"syntax", `,`, "unexpected ,", "square brackets"}},
		{`groupID in ("a")`, expected{"type-mismatch", `groupID in ("a")`, "in looks into lists", `groupID in ["a"]`}},
		{`groupID == "x" &&`, expected{"syntax", `&`, "ends too early", "must follow"}},
		{`(groupID == "x"`, expected{"syntax", `"`, "ends too early", "closing bracket is missing"}},
		{`if groupID == "x" {true}`, expected{"syntax", `}`, "ends too early", "if needs an else"}},
		{`groupID == "x`, expected{"syntax", `x`, "no closing quote", "plain quotes"}},
		{`groupID matches "\d"`, expected{"syntax", `d`, "backslash", `"\\d+"`}},
		{`any(atUserList, # == "a"; true)`, expected{"syntax", `;`, "unexpected ;", "&& or ||"}},
		{`groupID == "x"; true`, expected{"sequence", `groupID == "x"; true`, "only the last", "&& or ||"}},
		{`   `, expected{"syntax", ` `, "empty", "groupID"}},
		{``, expected{"syntax", ``, "empty", "groupID"}},
		{`groupID == b"x"`, expected{"bytes", `b"x"`, "no byte texts", "leave out the b"}},

		// Types.
		{`!groupID == "x"`, expected{"type-mismatch", `!groupID == "x"`, "! cannot stand before a string", `groupID != "x"`}},
		{`not groupID in ["x"]`, expected{"type-mismatch", `not groupID in ["x"]`, "not cannot stand", `groupID not in ["x"]`}},
		{`!groupID`, expected{"type-mismatch", `!groupID`, "! cannot stand before a string", `groupID != ""`}},
		{`groupID == "a" or "b"`, expected{"type-mismatch", `groupID == "a" or "b"`, `"b" is a string`, `groupID in ["a", "b"]`}},
		{`contentType != 1 && 2`, expected{"type-mismatch", `contentType != 1 && 2`, `2 is an integer`, `contentType not in [1, 2]`}},
		{`groupID == 1`, expected{"type-mismatch", `groupID == 1`, "a string and an integer", `groupID == "1"`}},
		{`contentType == "101"`, expected{"type-mismatch", `contentType == "101"`, "an integer and a string", "101 without quotes"}},
		{`contentType == "Text"`, expected{"type-mismatch", `contentType == "Text"`, "an integer and a string", "constant Text stands without quotes"}},
		{`contentType in ["1"]`, expected{"type-mismatch", `contentType in ["1"]`, "contentType is an integer", "without quotes"}},
		{`groupID in [1, 2]`, expected{"type-mismatch", `groupID in [1, 2]`, "groupID is a string", "in quotes"}},
		{`"u" in groupID`, expected{"type-mismatch", `"u" in groupID`, "groupID is a string", `groupID contains "u", or groupID == "u"`}},
		{`atUserList == "u"`, expected{"type-mismatch", `atUserList == "u"`, "a list of strings and a string", `"u" in atUserList`}},
		{`atUserList contains "u"`, expected{"type-mismatch", `atUserList contains "u"`, "a list of strings", `"u" in atUserList`}},
		{`atUserList startsWith "u"`, expected{"type-mismatch", `atUserList startsWith "u"`, "a list of strings", `any(atUserList, # startsWith "u")`}},
		{`groupID > 5`, expected{"type-mismatch", `groupID > 5`, "a string and an integer", `int(groupID) > 5`}},
		{`(groupID) + (1) == "a"`, expected{"type-mismatch", `(groupID) + (1)`, "a string and an integer", ``}},
		{`groupID.name == "x"`, expected{"unknown-member", `name`, "has no members", "json(groupID).name"}},
		{`atUserList.name == "x"`, expected{"unknown-member", `name`, "is a list", "any(atUserList, .name"}},
		{`atUserList["u"] == "x"`, expected{"type-mismatch", `"u"`, "numbered, from 0", `"u" in atUserList`}},
		{`groupID[0] == "x"`, expected{"type-mismatch", `groupID[0]`, "no elements", "startsWith"}},
		{`groupID == nil`, expected{"never-nil", `groupID == nil`, "never nil", `has("groupID")`}},
		{`nil != atUserList`, expected{"never-nil", `nil != atUserList`, "never nil", `len(atUserList) == 0`}},
		{`groupID`, expected{"not-a-bool", `groupID`, "a string, not true or false", `groupID != ""`}},
		{`let x = 1; contentType`, expected{"not-a-bool", `let x = 1; contentType`, "an integer", `contentType != 0`}},
		{`atUserList`, expected{"not-a-bool", `atUserList`, "a list of strings", `len(atUserList) > 0`}},
		{`json(ex).vip`, expected{"not-a-bool", `json(ex).vip`, "unknown type", `json(ex).vip == true`}},
		{`5 % 0 == 1`, expected{"not-understood", `%`, "divide by zero", ``}},

		// Names.
		{`sendId == "x"`, expected{"unknown-name", `sendId`, "unknown name sendId", `did you mean "sendID"? fields of beforeSendGroupMsg: atUserList, clientMsgID,`}},
		{`gruopID == "x"`, expected{"unknown-name", `gruopID`, "unknown name", `did you mean "groupID"`}},
		{`contentType == Txt`, expected{"unknown-name", `Txt`, "unknown name", `did you mean "Text"`}},
		{`contentType == text1 && true`, expected{"unknown-name", `text1`, "unknown name", `did you mean "text"`}},
		{`recvID == "x"`, expected{"field-not-carried", `recvID`, "no field of this rule's callbacks", "recvID is carried by beforeSendSingleMsg, "}},
		{`atUserIDList == []`, expected{"field-not-carried", `atUserIDList`, "no field", `did you mean "atUserList"`}},
		{`has("groupId")`, expected{"field-not-carried", `"groupId"`, "no field", `did you mean "groupID"`}},
		{`has("keyVersion")`, expected{"unknown-name", `"keyVersion"`, "unknown field", `raw.keyVersion`}},
		{`has(groupID)`, expected{"bad-argument", `groupID`, "written out", `has("ex")`}},
		{`keyVersion == 1`, expected{"unknown-name", `keyVersion`, "unknown name", `raw.keyVersion`}},
		{`callbackCommand == "x"`, expected{"unknown-name", `callbackCommand`, "unknown name", `use command`}},
		{`ex == null`, expected{"unknown-name", `null`, "unknown name", `nil`}},
		{`mention("u1")`, expected{"unknown-function", `mention("u1")`, "unknown function mention", `did you mean "mentions"`}},
		{`teleport(1) == 1`, expected{"unknown-function", `teleport(1)`, "unknown function", `functions: glob, has`}},
		{`groupID("x")`, expected{"unknown-function", `groupID("x")`, "a value, not a function", `without parentheses`}},
		{`now() > now`, expected{"now-called", `now()`, "a value, not a function", `without parentheses`}},
		{`len > 5`, expected{"function-not-called", `len`, "len is a function", `len(atUserList)`}},
		{`$env.groupID == "x"`, expected{"unknown-name", `$env`, "unknown name", ``}},
		{`__step(1)`, expected{"unknown-function", `__step(1)`, "unknown function", ``}},
		{`let groupID = 1; true`, expected{"variable-name", `let groupID = 1; true`, "groupID is taken", ``}},
		{`fromJSON(ex).a == 1`, expected{"function-not-available", `fromJSON(ex)`, "no function fromJSON", `json(ex)`}},
		{`len(map(atUserList, #)) > 1`, expected{"function-not-available", `map(atUserList, #)`, "no function map", `any(`}},
		{`reduce(atUserList, #acc + 1, 0) > 1`, expected{"function-not-available", `reduce(atUserList, #acc + 1, 0)`, "no function reduce", ``}},
		{`repeat("x", 9) == "x"`, expected{"function-not-available", `repeat("x", 9)`, "no function repeat", `functions: `}},
		{`data.foo() == 1`, expected{"unknown-method", `data.foo`, "no methods", ``}},
		{`now.Local() == now`, expected{"unknown-method", `now.Local`, "no such method", `hourIn`}},

		// Arguments.
		{`lower(1) == "x"`, expected{"bad-argument", `1`, "lower takes a string here, not an integer", `lower(content)`}},
		{`len(contentType) > 1`, expected{"bad-argument", `len(contentType)`, "len does not take an integer", `len(atUserList)`}},
		{`any(groupID, true)`, expected{"bad-argument", `groupID`, "any takes a list here, not a string", `any(atUserList`}},
		{`any(atUserList, # == 1)`, expected{"type-mismatch", `# == 1`, "a string and an integer", `# == "1"`}},
		{`trim(content, ex) == ""`, expected{"bad-argument", `ex`, "a few characters", `trim(content)`}},
		{`count(atUserList) > 1`, expected{"bad-argument", `count(atUserList)`, "needs a predicate", `len(atUserList)`}},
		{`mentions(1)`, expected{"bad-argument", `1`, "mentions takes a string here, not an integer", `mentions("u1")`}},
		{`mentions()`, expected{"bad-argument", `mentions()`, "not enough arguments", `mentions("u1")`}},
		{`mentions("a", "b")`, expected{"bad-argument", `mentions("a", "b")`, "too many arguments", `mentions("u1")`}},
		{`sample(10, sendID)`, expected{"bad-argument", `10`, "between 0 and 1", `sample(0.1, sendID)`}},
		{`sample(contentType, sendID)`, expected{"bad-argument", `contentType`, "between 0 and 1", ``}},
		{`sample(0.1)`, expected{"bad-argument", `sample(0.1)`, "not enough arguments", `sample(0.1, sendID)`}},
		{`sample(0.1, contentType)`, expected{"bad-argument", `contentType`, "sample takes a string here, not an integer", ``}},
		{`glob(groupID, ex)`, expected{"bad-argument", `ex`, "written out", ``}},
		{`inCIDR(ex, "10.0.0.0/33")`, expected{"bad-argument", `"10.0.0.0/33"`, "no network", ``}},
		{`inCIDR(ex)`, expected{"bad-argument", `inCIDR(ex)`, "not enough arguments", ``}},
		{`hourIn("9h", "18:00", "UTC")`, expected{"bad-argument", `"9h"`, "such as 09:00", ``}},
		{`hourIn("09:00", "25:00", "UTC")`, expected{"bad-argument", `"25:00"`, "such as 09:00", ``}},
		{`hourIn("09:00", "09:00", "UTC")`, expected{"bad-argument", `"09:00"`, "the same", ``}},
		{`hourIn("09:00", "18:00", "Asia/Shangri-La")`, expected{"bad-argument", `"Asia/Shangri-La"`, "no time zone", ``}},
		{`hourIn("09:00", "18:00", "Local")`, expected{"bad-argument", `"Local"`, "no time zone", ``}},
		{`now > date("tomorrow")`, expected{"bad-argument", `"tomorrow"`, "no date", "2026-01-31"}},
		{`now - now > duration("1 hour")`, expected{"bad-argument", `"1 hour"`, "no duration", "90m"}},
		{`now > date(ex)`, expected{"bad-argument", `date(ex)`, "written out", ""}},

		// Bounds.
		{`groupID matches "("`, expected{"bad-pattern", `"("`, "missing closing )", ``}},
		{`groupID matches ex`, expected{"pattern-not-constant", `ex`, "written out", ``}},
		{`groupID matches "x{1000}y{900}"`, expected{"bad-pattern", `"x{1000}y{900}"`, "too large", ``}},
		{`contentType in 1..sendTime`, expected{"range-not-constant", `sendTime`, "must be numbers", ``}},
		{`any(1..5, # == 2)`, expected{"range-as-list", `1..5`, "right of in", ``}},
		{`data.level in 1..5`, expected{"range-of-unknown", `data.level`, "must be an integer", `int(data.level)`}},
		{`any(atUserList, any(atUserList, any(atUserList, true)))`, expected{"nested-too-deep", `true`, "2 deep", ``}},
		{`any(atUserList, # + "x" == "y")`, expected{"text-joined", `# + "x"`, "inside a predicate", ``}},
		{`content+ex+content+ex+content+ex == ""`, expected{"text-joined", `content+ex`, "4 times", ``}},

		{`contentType in [Text, 106, "x"]`, expected{"type-mismatch", `"x"`, "is an integer, this element is a string", ``}},
		{`contentType in [Text, 1.5]`, expected{"type-mismatch", `1.5`, "is a number", ``}},
		{`sendID not in ["a", 5]`, expected{"type-mismatch", `5`, "is a string, this element is an integer", ``}},
		{`sendTime == 99999999999999999999`, expected{"syntax", `99999999999999999999`, "beyond 64 bits", ``}},

		// Places in texts of other scripts.
		{`"ü€𝄞" == groupID && sendId == "x"`, expected{"unknown-name", `sendId`, "", `"sendID"`}},
		{`groupID == "群组" && "群组" in groupID`, expected{"type-mismatch", `"群组" in groupID`, "", ``}},
	} {
		c, problems := Compile(row.src, commandsNamed(t, groupMsg))
		if c != nil || len(problems) != 1 {
			t.Errorf("Compile(%s) is %v with %d problems %+v, want one", row.src, c, len(problems), problems)
			continue
		}
		row.want.check(t, row.src, problems[0])
	}
}

func TestWarnings(t *testing.T) {
	for _, row := range []struct {
		src  string
		want expected
	}{
		{`command == "beforeSendGroupMessage"`, expected{"unknown-command", `"beforeSendGroupMessage"`, "no known callback", `did you mean "beforeSendGroupMsg"?`}},
		{`command in ["beforeSendGroupMsg", "x"]`, expected{"unknown-command", `"x"`, "no known callback", ``}},
		{`command != "beforeSendSingleMsg"`, expected{"never-true", `"beforeSendSingleMsg"`, "not for beforeSendSingleMsg", `for beforeSendGroupMsg`}},
		{`command startsWith "before"`, expected{"unknown-command", `command startsWith "before"`, "begins with callback", `short names`}},
		{`weekday("UTC") == "Monday"`, expected{"never-true", `"Monday"`, `never "Monday"`, "Mon, Tue"}},
		{`split(groupID, "-")[1] == "u"`, expected{"index-unguarded", `split(groupID, "-")[1]`, "fails when the list is shorter", ""}},
		{`split(groupID, "")[0] == "u"`, expected{"index-unguarded", `split(groupID, "")[0]`, "fails when the list is shorter", ""}},
		{`atUserList[0] == "u"`, expected{"index-unguarded", `atUserList[0]`, "fails when the list is shorter", "len(atUserList) > 0 && …"}},
	} {
		c, problems := Compile(row.src, commandsNamed(t, groupMsg))
		if c == nil || len(problems) != 1 || !problems[0].Warning {
			t.Errorf("Compile(%s) is %v with %+v, want one warning", row.src, c, problems)
			continue
		}
		row.want.check(t, row.src, problems[0])
	}
}

func TestAllProblemsAreReportedInOrder(t *testing.T) {
	src := `sendId == "x" && recvID == "y" || refund(1) && any(atUserList, # == Txt) && groupID matches ex`
	_, problems := Compile(src, commandsNamed(t, groupMsg))
	var marked []string
	for _, p := range problems {
		marked = append(marked, src[p.Start:p.End])
	}
	if got, want := strings.Join(marked, " "), "sendId recvID refund(1) Txt ex"; got != want {
		t.Errorf("problems at %s, want %s", got, want)
	}
	types := `groupID == 1 && (contentType == "x" || "u" in sendID) && lower(5) == "x"`
	if _, problems := Compile(types, commandsNamed(t, groupMsg)); len(problems) != 4 {
		t.Errorf("%d type problems %+v, want 4", len(problems), problems)
	}
}

func TestFieldsDependOnTheCommands(t *testing.T) {
	for _, row := range []struct {
		says     string
		src      string
		commands []string
		want     expected
	}{
		{"a field of one of two commands is fine", `groupID == "" && recvID == ""`, []string{groupMsg, "beforeSendSingleMsg"}, expected{}},
		{"every field is fine for all commands", `groupID == "" && friendUserID == "" && iOSBadgeCount`, nil, expected{}},
		{"a field that commands type differently", `groupType == 2`, []string{"beforeCreateGroup", "beforeApplyJoinGroup"},
			expected{"field-types-differ", "groupType", "a string for beforeApplyJoinGroup", "a rule for each"}},
		{"such a field for all commands", `groupType == 2`, nil,
			expected{"field-types-differ", "groupType", "an integer for beforeCreateGroup", "raw.groupType"}},
		{"such a field for one command", `groupType == 2`, []string{"beforeCreateGroup"}, expected{}},
		{"such a field for the other command", `groupType == "\u0002"`, []string{"beforeApplyJoinGroup"}, expected{}},
		{"an unknown name for all commands", `gruppe == "x"`, nil, expected{"unknown-name", "gruppe", "", "fields of every callback"}},
		{"mentions without a list of them", `mentions("u1")`, []string{"afterUserOnline"}, expected{"field-not-carried", `mentions("u1")`, "do not carry", "atUserList is carried by"}},
		{"a member of a list's objects", `any(users, .userId == "x")`, []string{"beforeUserRegister"}, expected{"unknown-member", "userId", "no member userId", `did you mean "userID"`}},
	} {
		c, problems := Compile(row.src, commandsNamed(t, row.commands...))
		if row.want == (expected{}) {
			if c == nil {
				t.Errorf("%s: %+v", row.says, problems)
			}
			continue
		}
		if c != nil || len(problems) != 1 {
			t.Errorf("%s: %v with %+v, want one problem", row.says, c, problems)
			continue
		}
		row.want.check(t, row.src, problems[0])
	}
}
