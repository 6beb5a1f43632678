package openim

var (
	needVerification  = i32("needVerification")
	lookMemberInfo    = i32("lookMemberInfo")
	applyMemberFriend = i32("applyMemberFriend")
	emptyOperationID  = str("operationID").note(`Always "" here; the header has it.`)
	initMemberList    = list("initMemberList", str("userID"), i32("roleLevel"))
)

// groupFields is the block that describes a whole group.
var groupFields = []Field{
	groupID, str("groupName"), str("notification"), str("introduction"), str("faceURL"), ownerUserID,
	i64("createTime").note("Milliseconds."),
	i64("memberCount").note("Unsigned 32 bits on the server's side."),
	str("ex"), i32("status"), str("creatorUserID"), i32("groupType"),
	needVerification, lookMemberInfo, applyMemberFriend,
	i64("notificationUpdateTime").note("Milliseconds."), str("notificationUserID"),
}

// groupTexts and groupSwitches are what the set-group-info callbacks carry; how much of it may
// be null differs.
var (
	groupTexts    = []Field{groupID, str("groupName"), str("notification"), str("introduction"), str("faceURL")}
	groupSwitches = []Field{needVerification, lookMemberInfo, applyMemberFriend}
	groupInfoEx   = fields([]Field{emptyOperationID, groupID}, nullable(fields(groupTexts[1:], []Field{str("ex")}, groupSwitches)))
)

var groupCommands = []*Command{
	{
		Name: "callbackBeforeCreateGroupCommand", Short: "beforeCreateGroup", Phase: Before, Since: "v2",
		Request: fields([]Field{str("operationID")}, groupFields, []Field{initMemberList}),
		Reply: append(replies(IfPresent,
			groupID, str("groupName"), str("notification"), str("introduction"), str("faceURL"), ownerUserID, str("ex"),
			i32("status"), str("creatorUserID"), i32("groupType"), needVerification, lookMemberInfo),
			applyMemberFriend.reply(Ignored)),
		Notes: []string{"Most of the group is still empty; its owner is in initMemberList with roleLevel 100."},
	},
	{
		Name: "callbackAfterCreateGroupCommand", Short: "afterCreateGroup", Phase: After, Since: "v3.5",
		Request: fields(groupFields, []Field{initMemberList}),
		Notes:   []string{"initMemberList holds the owner, the administrators and then all members, the owner once more."},
	},
	{
		Name: "callbackBeforeSetGroupInfoCommand", Short: "beforeSetGroupInfo", Phase: Before, Since: "v3.5",
		Request: fields([]Field{emptyOperationID}, groupTexts, []Field{str("ex")}, groupSwitches),
		Reply: append(
			replies(Always, groupID, str("groupName"), str("faceURL"), str("introduction")),
			append(replies(IfPresent, str("ex"), needVerification, lookMemberInfo, applyMemberFriend),
				str("notification").reply(Ignored))...),
		Notes: []string{
			"An allow must repeat the request's groupID, groupName, faceURL and introduction, or the change is lost; Callboard does.",
			"The three integers are 0 also when the user did not set them.",
		},
	},
	{
		Name: "callbackAfterSetGroupInfoCommand", Short: "afterSetGroupInfo", Phase: After, Since: "v3.5",
		Request: fields([]Field{emptyOperationID}, groupTexts, nullable(fields([]Field{str("ex")}, groupSwitches))),
	},
	{
		Name: "callbackBeforeSetGroupInfoExCommand", Short: "beforeSetGroupInfoEx", Phase: Before, Since: "v3.8",
		Request: groupInfoEx,
		Reply: append(append(replies(Always, groupID),
			replies(Always, nullable([]Field{str("groupName"), str("faceURL"), str("introduction"), str("ex"),
				needVerification, lookMemberInfo, applyMemberFriend})...)...),
			str("notification").reply(Ignored)),
		Notes: []string{
			"An allow must repeat every field of the request but notification, or the change is lost; Callboard does.",
			"null means that the operation does not change the field.",
		},
	},
	{
		Name: "callbackAfterSetGroupInfoExCommand", Short: "afterSetGroupInfoEx", Phase: After, Since: "v3.8",
		Request: groupInfoEx,
	},
}

// nullable makes every field of a block nullable.
func nullable(block []Field) []Field {
	out := fields(block)
	for i := range out {
		out[i].Nullable = true
	}
	return out
}
