package openim

import (
	"strings"
	"testing"
)

// TestTheObservedMatrix is what IMServer's own client was seen to conclude from replies to
// beforeSendGroupMsg, v3.8.3 and main alike.
func TestTheObservedMatrix(t *testing.T) {
	command, _ := Lookup("beforeSendGroupMsg")
	concludes := func(reply string, want Reading) {
		t.Helper()
		got := ReadReply([]byte(reply), command, V37)
		if got.Why == "" || strings.Contains(got.Why, "secret") {
			t.Errorf("%q: why is %q", reply, got.Why)
		}
		got.Why = ""
		if got != want {
			t.Errorf("%q: got %+v, want %+v", reply, got, want)
		}
	}
	proceeds := func(reply string) { t.Helper(); concludes(reply, Reading{}) }
	refuses := func(reply string, code int64, message string) {
		t.Helper()
		concludes(reply, Reading{Refused: true, Code: code, Message: message})
	}
	dataError := func(reply string) { t.Helper(); refuses(reply, 90007, "DataError") }

	proceeds(`{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}`)
	proceeds(`{}`)
	proceeds(`null`)
	proceeds(`{"more":{"a":[1]},"nextCode":0}`)
	proceeds(" \r\n{ } \t")
	proceeds(`{"pad":"` + strings.Repeat("x", 2<<20) + `"}`)
	refuses(`{"actionCode":0,"nextCode":1,"errCode":20001,"errMsg":"blocked","errDlt":"rule r1"}`, 20001, "blocked")
	refuses(`{"nextCode":1}`, 0, "")
	refuses(`{"nextCode":1,"errCode":0,"errMsg":"blocked"}`, 0, "blocked")
	refuses(`{"nextCode":1,"errCode":-7}`, -7, "")
	refuses(`{"nextCode":1,"errCode":14}`, 14, "")
	proceeds(`{"actionCode":1,"nextCode":1,"errCode":5001}`)
	proceeds(`{"actionCode":1,"nextCode":0,"errCode":5001}`)
	proceeds(`{"actionCode":0,"nextCode":0,"errCode":5001}`)
	proceeds(`{"nextCode":2}`)
	proceeds(`{"nextCode":null}`)
	proceeds(`{"errMsg":null}`)
	dataError(`{"actionCode":0,"nextCode":""}`)
	dataError(`{"nextCode":"1"}`)
	dataError(`{"nextCode":1.0}`)
	dataError(`{"nextCode":true}`)
	dataError(`{"actionCode":"0"}`)
	dataError(`{"errCode":3000000000}`)
	dataError(`{"errMsg":5}`)
	refuses(`{"NEXTCODE":1,"ErrCode":9}`, 9, "")
	proceeds(`{"nextCode":1,"nextCode":0}`)
	refuses(`{"nextCode":1,"nextCode":null}`, 0, "")
	refuses("{\"nextCode\":1,\"errMsg\":\"a\xffb\"}", 0, "a\ufffdb")
	dataError(``)
	dataError(`ok secret`)
	dataError(`"secret"`)
	dataError(`[]`)
	dataError(`<html>secret</html>`)
	dataError("\ufeff{}")
	dataError(`{}{}`)
	dataError(`{} secret`)
}

func TestReplyFieldsOfAWrongTypeAreADataError(t *testing.T) {
	reads := func(short, reply string, refused bool) {
		t.Helper()
		command, _ := Lookup(short)
		if r := ReadReply([]byte(reply), command, V37); r.Refused != refused || refused && r.Code != 90007 {
			t.Errorf("%s: %s reads as %+v", short, reply, r)
		}
	}
	reads("beforeCreateGroup", `{"groupType":2}`, false)
	reads("beforeCreateGroup", `{"groupType":"2"}`, true)
	reads("beforeCreateGroup", `{"applyMemberFriend":"2"}`, true) // decoded, though ignored
	reads("beforeSendGroupMsg", `{"groupType":"2"}`, false)
	reads("beforeMsgModify", `{"options":{"history":1}}`, true)
	reads("beforeMsgModify", `{"atUserIDList":["u1",2]}`, true)
	reads("beforeUserRegister", `{"users":[{"userID":"u1","createTime":1}]}`, false)
	reads("beforeUserRegister", `{"users":[{"userID":1}]}`, true)
	reads("beforeOfflinePush", `{"offlinePushInfo":{"iOSBadgeCount":1}}`, true)
	reads("beforeCreateSingleChatConversations", `{"isPinned":"true"}`, true)
}

func TestVersionsDecideDifferently(t *testing.T) {
	command, _ := Lookup("beforeSendGroupMsg")
	refusedBy := func(reply string, want ...Version) {
		t.Helper()
		for _, version := range versions {
			wanted := false
			for _, w := range want {
				wanted = wanted || w == version
			}
			if r := ReadReply([]byte(reply), command, version); r.Refused != wanted {
				t.Errorf("%s on %s: %+v, want refused %v", reply, version, r, wanted)
			}
		}
	}
	refusedBy(`{}`)
	refusedBy(`{"actionCode":1,"errCode":5001,"nextCode":1}`, V35, V30, V2)
	refusedBy(`{"actionCode":0,"errCode":20001,"nextCode":1}`, V37, V35, V30)
	refusedBy(`{"errCode":20001}`, V30)
	refusedBy(`{"nextCode":1}`, V37, V35)
	refusedBy(`{"nextCode":""}`, V37) // the others follow failedContinue, or know no nextCode
	refusedBy(`<html>`, V37)
}

func TestReadReplySaysWhatPeopleTripOver(t *testing.T) {
	mentions := func(short, reply string, version Version, want string) {
		t.Helper()
		command, _ := Lookup(short)
		if r := ReadReply([]byte(reply), command, version); !strings.Contains(r.Why, want) {
			t.Errorf("%s on %s: why is %q, want %q in it", reply, version, r.Why, want)
		}
	}
	mentions("beforeSendGroupMsg", `{"nextCode":1}`, V37, "report success")
	mentions("beforeSendGroupMsg", `{"nextCode":1,"errCode":5}`, V37, "internal error")
	mentions("beforeSendGroupMsg", `{"nextCode":""}`, V37, "nextCode is of type string, where IMServer reads int32")
	mentions("beforeSendGroupMsg", `{"nextCode":""}`, V35, "failedContinue")
	mentions("beforeSendGroupMsg", `{"nextCode":""}`, V30, "a non-zero actionCode or errCode refuses") // it knows no nextCode
	mentions("beforeSendGroupMsg", `{}`, V35, "v3.6 never refuses")
	mentions("beforeSetGroupInfo", `{}`, V37, "lacks the request's groupID")
	mentions("beforeSetGroupInfoEx", `{"groupID":"g"}`, V37, "only actionCode 0")
	mentions("afterSendGroupMsg", `<html>`, V37, "ignores")
	if r := ReadReply([]byte(`{"nextCode":1,"errCode":20001}`), nil, V37); !r.Refused {
		t.Errorf("an unknown command: %+v", r)
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]Version{
		"v3.7": V37, "v3.5": V35, "v3.0": V30, "v2": V2,
		"v3.8.3": V37, "3.8": V37, "v3.8.3-patch.16": V37, "main": V37, "v3.10": V37,
		"v3.6.0": V35, "v3.4.1": V30, "v2.3.3": V2, "2": V2,
	} {
		if got, err := ParseVersion(text); err != nil || got != want {
			t.Errorf("ParseVersion(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "v", "v1", "v3", "v4.0", "3.x", "latest", "v2.x", "v37"} {
		if got, err := ParseVersion(text); err == nil {
			t.Errorf("ParseVersion(%q) = %s", text, got)
		}
	}
	for _, v := range versions {
		if got, err := ParseVersion(v.String()); err != nil || got != v {
			t.Errorf("%s reads as %s, %v", v, got, err)
		}
	}
}
