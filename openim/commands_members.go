package openim

var (
	groupTypeText = str("groupType").note("The integer as one character: group type 2 arrives as U+0002.")
	memberInfo    = []Field{groupID, str("userID"), str("nickName").orNull(), str("faceURL").orNull(),
		i32("roleLevel").orNull(), str("ex").orNull()}
)

var memberCommands = []*Command{
	{
		Name: "callbackBeforeInviteJoinGroupCommand", Short: "beforeInviteUserToGroup", Phase: Before, Since: "v3.5",
		Request: []Field{str("operationID"), groupID, str("reason"), strs("invitedUserIDs")},
		Reply:   replies(Ignored, strs("refusedMembersAccount")),
	},
	{
		Name: "callbackBeforeJoinGroupCommand", Short: "beforeApplyJoinGroup", Phase: Before, Since: "v3.5",
		Request: []Field{groupID, groupTypeText, str("applyID").note("The user who wants to join."), str("reqMessage"), str("ex")},
	},
	{
		Name: "callbackAfterJoinGroupCommand", Short: "afterJoinGroup", Phase: After, Since: "v3.5",
		Request: []Field{str("operationID"), groupID, str("reqMessage"), i32("joinSource"),
			str("inviterUserID").note("The user who joined.")},
		Notes: []string{"Only for direct joins of groups that need no approval; beforeMemberJoinGroup sees every way in."},
	},
	{
		Name: "callbackBeforeMembersJoinGroupCommand", Short: "beforeMemberJoinGroup", Phase: Before, Since: "v3.8",
		Older:   []string{"callbackBeforeMemberJoinGroupCommand"},
		Request: []Field{groupID, list("memberList", str("userID"), str("ex")), str("groupEx")},
		Reply: replies(IfPresent, list("memberCallbackList", str("userID"), str("nickname"), str("faceURL"),
			i32("roleLevel"), i64("muteEndTime").note("Milliseconds."), str("ex")).
			note("Matched by userID; IMServer fails on an entry without one.")),
		Notes: []string{
			"One call for each invitation, creation, direct join or accepted application.",
			"Up to v3.7 it is called per member, with userID and ex instead of memberList.",
		},
	},
	{
		Name: "callbackBeforeSetGroupMemberInfoCommand", Short: "beforeSetGroupMemberInfo", Phase: Before, Since: "v3.5",
		Request: memberInfo,
		Reply:   replies(IfPresent, str("nickName"), str("faceURL"), str("ex"), i32("roleLevel")),
		Notes:   []string{"In a batch the first refusal ends the whole batch."},
	},
	{
		Name: "callbackAfterSetGroupMemberInfoCommand", Short: "afterSetGroupMemberInfo", Phase: After, Since: "v3.5",
		Request: memberInfo,
	},
	{
		Name: "callbackAfterQuitGroupCommand", Short: "afterQuitGroup", Phase: After, Since: "v3.7",
		Older:   []string{"callbackQuitGroupCommand"},
		Request: []Field{groupID, str("userID")},
	},
	{
		Name: "callbackAfterKickGroupCommand", Short: "afterKickGroupMember", Phase: After, Since: "v3.7",
		Older:   []string{"callbackKillGroupCommand"},
		Request: []Field{groupID, strs("kickedUserIDs"), str("reason")},
	},
	{
		Name: "callbackAfterDisMissGroupCommand", Short: "afterDismissGroup", Phase: After, Since: "v3.7",
		Older:   []string{"callbackDisMissGroupCommand"},
		Request: []Field{groupID, str("ownerID"), groupTypeText, strs("membersID")},
	},
	{
		Name: "callbackAfterTransferGroupOwnerCommand", Short: "afterTransferGroupOwner", Phase: After, Since: "v3.7",
		Older:   []string{"callbackTransferGroupOwnerAfter", "callbackAfterTransferGroupOwner"},
		Request: []Field{groupID, str("oldOwnerUserID"), str("newOwnerUserID")},
	},
}
