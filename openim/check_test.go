package openim

import (
	"strings"
	"testing"
)

func TestCheckField(t *testing.T) {
	check := func(short, name, raw string) (FieldValue, string) {
		t.Helper()
		f := FieldValue{Name: name, Raw: []byte(raw)}
		got, reason := CheckField(sampleWith(t, short, nil), f)
		if string(f.Raw) != raw {
			t.Errorf("%s.%s=%s: the value was changed in place", short, name, raw)
		}
		return got, reason
	}
	takes := func(short, name, raw, want string) {
		t.Helper()
		got, reason := check(short, name, raw)
		if reason != "" || string(got.Raw) != want || !strings.EqualFold(got.Name, name) {
			t.Errorf("%s.%s=%s: got %s=%s %q, want %s", short, name, raw, got.Name, got.Raw, reason, want)
		}
	}
	leaves := func(short, name, raw, why string) {
		t.Helper()
		got, reason := check(short, name, raw)
		if reason == "" || !strings.Contains(reason, why) || strings.Contains(reason, "secret") {
			t.Errorf("%s.%s=%s: got %s %q, want a reason with %q", short, name, raw, got.Raw, reason, why)
		}
	}

	// integers
	takes("beforeCreateGroup", "groupType", `2`, `2`)
	takes("beforeCreateGroup", "groupType", ` "2" `, `2`)
	takes("beforeCreateGroup", "groupType", `1.0`, `1`)
	takes("beforeCreateGroup", "groupType", `{"value":1}`, `1`)
	takes("beforeCreateGroup", "groupType", `-2147483648`, `-2147483648`)
	leaves("beforeCreateGroup", "groupType", `2147483648`, "beyond 32 bits")
	leaves("beforeCreateGroup", "groupType", `99999999999999999999`, "beyond 32 bits")
	leaves("beforeCreateGroup", "groupType", `1.5`, "fraction")
	leaves("beforeCreateGroup", "groupType", `""`, "a string, not an integer")
	leaves("beforeCreateGroup", "groupType", `"secret"`, "a string, not an integer")
	leaves("beforeCreateGroup", "groupType", `true`, "a boolean, not an integer")
	leaves("beforeCreateGroup", "groupType", `null`, "changes nothing")
	leaves("beforeCreateGroup", "groupType", `secret`, "not JSON")
	leaves("beforeCreateGroup", "groupType", `1 2`, "not JSON")
	leaves("beforeCreateGroup", "groupType", ``, "not JSON")
	// strings
	takes("beforeCreateGroup", "groupName", `"a\u003cb"`, `"a<b"`)
	takes("beforeCreateGroup", "groupName", "\"a\xffb\"", `"a�b"`)
	takes("beforeCreateGroup", "groupName", `""`, `""`)
	takes("beforeCreateGroup", "GROUPNAME", `7`, `"7"`)
	leaves("beforeCreateGroup", "groupName", `["secret"]`, "a list, not a string")
	leaves("beforeCreateGroup", "groupName", `{"secret":1}`, "an object, not a string")
	// booleans
	takes("beforeCreateSingleChatConversations", "isPinned", `true`, `true`)
	takes("beforeCreateSingleChatConversations", "isPinned", `0`, `false`)
	takes("beforeCreateSingleChatConversations", "isPinned", `"true"`, `true`)
	leaves("beforeCreateSingleChatConversations", "isPinned", `"yes"`, "a string, not a boolean")
	// lists
	takes("beforeImportFriends", "friendUserIDs", `["u1", 2]`, `["u1","2"]`)
	leaves("beforeImportFriends", "friendUserIDs", `[]`, "empty")
	leaves("beforeImportFriends", "friendUserIDs", `null`, "null")
	leaves("beforeImportFriends", "friendUserIDs", `"u1"`, "a string, not a list")
	leaves("beforeImportFriends", "friendUserIDs", `["u1",null]`, "element 2: it is null")
	leaves("beforeSetFriendRemark", "remark", `""`, "empty")
	// nested objects
	takes("beforeOfflinePush", "offlinePushInfo", `{"desc":"d","TITLE":7,"iOSBadgeCount":"true","more":1,"ex":null}`,
		`{"title":"7","desc":"d","iOSBadgeCount":true}`)
	takes("beforeOfflinePush", "offlinePushInfo", `{}`, `{}`)
	leaves("beforeOfflinePush", "offlinePushInfo", `{"iOSBadgeCount":"secret"}`, "iOSBadgeCount: it is a string, not a boolean")
	leaves("beforeOfflinePush", "offlinePushInfo", `[]`, "a list, not an object")
	takes("beforeMsgModify", "options", `{"unreadCount":"false","history":true}`, `{"history":true,"unreadCount":false}`)
	leaves("beforeMsgModify", "options", `{"history":2}`, "a number, not a boolean")
	takes("beforeUserRegister", "users", `[{"userID":"u1","createTime":"1767225600000","appMangerLevel":1.0}]`,
		`[{"userID":"u1","createTime":1767225600000,"appMangerLevel":1}]`)
	leaves("beforeUserRegister", "users", `[{"userID":"u1"},{"nickname":"secret"}]`, "no userID")
	leaves("beforeUserRegister", "users", `[{"userID":"u1"},{"userID":"u1"}]`, "same userID")
	leaves("beforeUserRegister", "users", `[{"userID":"u1","appMangerLevel":3000000000}]`, "element 1: appMangerLevel: it is beyond 32 bits")
	takes("beforeMemberJoinGroup", "memberCallbackList", `[{"userID":"u-1002","muteEndTime":1767225600000}]`,
		`[{"userID":"u-1002","muteEndTime":1767225600000}]`)
	leaves("beforeMemberJoinGroup", "memberCallbackList", `[{"userID":"u-1002"},{"nickname":"secret"}]`, "no userID")
	leaves("beforeMemberJoinGroup", "memberCallbackList", `[null]`, "element 1: it is null, not an object")
	// what IMServer cannot bear
	takes("beforeMsgModify", "content", `"{\"content\":\"***\"}"`, `"{\"content\":\"***\"}"`)
	takes("beforeMsgModify", "content", `{"content":"***"}`, `"{\"content\":\"***\"}"`)
	takes("beforeMsgModify", "content", `{"value":"***"}`, `"{\"value\":\"***\"}"`)
	leaves("beforeMsgModify", "content", `"***"`, "not the text of a JSON object")
	leaves("beforeMsgModify", "content", `"[]"`, "not the text of a JSON object")
	leaves("beforeMsgModify", "content", `""`, "not the text of a JSON object")
	leaves("beforeMsgModify", "offlinePushInfo", `{"title":"t"}`, "the request does not carry it")
	leaves("beforeSetGroupInfo", "groupID", `""`, "empty")
	leaves("beforeSetGroupInfo", "groupName", `null`, "null")
	takes("beforeSetGroupInfo", "groupName", `""`, `""`)
	takes("beforeSetGroupInfoEx", "groupName", `null`, `null`)
	leaves("beforeSetGroupInfoEx", "groupID", `null`, "null")
	// the sample's request carries nickName, and null for the others
	takes("beforeUpdateUserInfoEx", "nickName", `"Mira B."`, `"Mira B."`)
	leaves("beforeUpdateUserInfoEx", "faceURL", `"f"`, "the request does not carry it")
	leaves("beforeUpdateUserInfoEx", "ex", `"e"`, "the request does not carry it")
	// what goes nowhere
	leaves("beforeCreateGroup", "applyMemberFriend", `1`, "ignores")
	leaves("beforeSetGroupInfo", "notification", `"n"`, "ignores")
	leaves("beforeInviteUserToGroup", "refusedMembersAccount", `["u1"]`, "ignores")
	leaves("beforeOnlinePush", "userIDList", `["u1"]`, "ignores")
	leaves("beforeSendGroupMsg", "content", `"{}"`, "beforeSendGroupMsg has no such reply field")
	leaves("beforeSendGroupMsg", "nextCode", `1`, "no such reply field")
	leaves("afterSendGroupMsg", "content", `"{}"`, "no such reply field")

	unknown := mustDecode(t, Request{Path: "/callbackX", Body: []byte(`{}`)})
	if _, reason := CheckField(unknown, FieldValue{"ex", []byte(`""`)}); reason == "" {
		t.Error("an unknown command took a field")
	}
	if _, reason := CheckField(nil, FieldValue{"ex", []byte(`""`)}); reason == "" {
		t.Error("no callback took a field")
	}
}
