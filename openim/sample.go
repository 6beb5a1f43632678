package openim

// Sample returns a realistic body for a command, with every field that IMServer sends, fit for
// demonstrations and tests: compact, in the catalogue's order, the same at every call. The
// message samples are text messages.
func Sample(c *Command) []byte {
	body := []byte{'{'}
	for i := range c.Request {
		f := &c.Request[i]
		if i == commandPlace(c) {
			body = appendSampleMember(body, "callbackCommand", `"`+c.Name+`"`)
		}
		body = appendSampleMember(body, f.Name, sampleValue(c, f))
	}
	return append(body, '}')
}

// commandPlace is the index of the field that callbackCommand goes before: first, except that the
// message block begins with the sender.
func commandPlace(c *Command) int {
	if c.Request[0].Name == messageFields[0].Name {
		return 1
	}
	return 0
}

func appendSampleMember(body []byte, name, value string) []byte {
	if len(body) > 1 {
		body = append(body, ',')
	}
	body = append(body, '"')
	body = append(body, name...)
	body = append(body, `":`...)
	return append(body, value...)
}

// sampleValue returns the JSON text of a field: the command's own where it differs from others.
func sampleValue(c *Command, f *Field) string {
	if own, ok := sampleExceptions[c.Short+"."+f.Name]; ok {
		return own
	}
	return sampleValues[f.Name]
}

// sampleValues maps a field's name to its JSON text: Mira (u-1001) and Jonas (u-1002) in the
// group support-1, on New Year's Day of 2026.
var sampleValues = map[string]string{
	// messages
	"sendID":           `"u-1001"`,
	"recvID":           `"u-1002"`,
	"groupID":          `"support-1"`,
	"serverMsgID":      `"9f2c41d87be05a63c1d4870e92ab35f6"`,
	"clientMsgID":      `"5b0e7a94f316c28d40a9be7713df6c05"`,
	"operationID":      `"1767225600000"`,
	"senderPlatformID": `2`,
	"senderNickname":   `"Mira"`,
	"sessionType":      `3`,
	"msgFrom":          `100`,
	"contentType":      `101`,
	"status":           `1`,
	"sendTime":         `1767225600000`,
	"createTime":       `1767225599870`,
	"content":          `"{\"content\":\"Good morning, is the refund on its way?\"}"`,
	"seq":              `0`,
	"atUserList":       `null`,
	"faceURL":          `"https://cdn.example.com/faces/u-1001.png"`,
	"ex":               `""`,
	"conversationID":   `"si_u-1001_u-1002"`,
	"Seqs":             `[4096,4097]`,
	"receiveID":        `"u-1001"`,
	"unreadMsgNum":     `4097`,

	// friends and users
	"fromUserID":    `"u-1001"`,
	"toUserID":      `"u-1002"`,
	"reqMsg":        `"Hello Jonas, this is Mira from support"`,
	"blackUserID":   `"u-1002"`,
	"HandleResult":  `1`,
	"HandleMsg":     `"Welcome"`,
	"ownerUserID":   `"u-1001"`,
	"friendUserID":  `"u-1002"`,
	"friendUserIDs": `["u-1002","u-1003"]`,
	"remark":        `"Jonas (support)"`,
	"userID":        `"u-1001"`,
	"nickName":      `"Mira"`,
	"users":         `[{"userID":"u-1001","nickname":"Mira","faceURL":"https://cdn.example.com/faces/u-1001.png","ex":"","createTime":1767225599870,"appMangerLevel":1,"globalRecvMsgOpt":0}]`,

	// groups and their members
	"groupName":              `"Support"`,
	"notification":           `"Refunds take three working days"`,
	"introduction":           `"Questions about orders"`,
	"memberCount":            `3`,
	"creatorUserID":          `"u-1001"`,
	"groupType":              `2`,
	"needVerification":       `0`,
	"lookMemberInfo":         `0`,
	"applyMemberFriend":      `0`,
	"notificationUpdateTime": `1767225599870`,
	"notificationUserID":     `"u-1001"`,
	"initMemberList":         `[{"userID":"u-1001","roleLevel":100},{"userID":"u-1002","roleLevel":20},{"userID":"u-1003","roleLevel":20}]`,
	"reason":                 `"needs help with an order"`,
	"invitedUserIDs":         `["u-1002","u-1003"]`,
	"applyID":                `"u-1002"`,
	"reqMessage":             `"I have a question about my order"`,
	"joinSource":             `3`,
	"inviterUserID":          `"u-1002"`,
	"memberList":             `[{"userID":"u-1002","ex":""},{"userID":"u-1003","ex":""}]`,
	"groupEx":                `""`,
	"roleLevel":              `null`,
	"kickedUserIDs":          `["u-1003"]`,
	"ownerID":                `"u-1001"`,
	"membersID":              `["u-1001","u-1002","u-1003"]`,
	"oldOwnerUserID":         `"u-1001"`,
	"newOwnerUserID":         `"u-1002"`,

	// presence and push
	"platformID":      `2`,
	"platform":        `"Android"`,
	"isAppBackground": `false`,
	"connID":          `""`,
	"userIDList":      `["u-1002","u-1003"]`,
	"atUserIDList":    `null`,
	"title":           `"Mira"`,
	"desc":            `"Good morning, is the refund on its way?"`,
	"iOSPushSound":    `"default"`,
	"iOSBadgeCount":   `true`,
	"signalInfo":      `""`,

	// conversations
	"ownerUserId":      `"u-1001"`,
	"conversationId":   `"si_u-1001_u-1002"`,
	"conversationType": `1`,
	"userId":           `"u-1002"`,
	"groupId":          `"support-1"`,
	"recvMsgOpt":       `0`,
	"isPinned":         `false`,
	"isPrivateChat":    `false`,
	"burnDuration":     `30`,
	"groupAtType":      `0`,
	"attachedInfo":     `""`,
}

// groupTypeAsText is how the integer 2 arrives where IMServer turns it into a character.
const groupTypeAsText = "\"\\u0002\""

// sampleExceptions maps short name, dot, field to the JSON text that differs for this command.
var sampleExceptions = map[string]string{
	"beforeSendSingleMsg.sessionType": `1`,
	"afterSendSingleMsg.sessionType":  `1`,
	"afterMsgSaveDB.recvID":           `""`,
	"afterMsgSaveDB.seq":              `4097`,
	"afterSingleMsgRead.contentType":  `1`,
	"afterGroupMsgRead.contentType":   `3`,
	"afterRevokeMsg.conversationID":   `"sg_support-1"`,
	"afterRevokeMsg.seq":              `4097`,

	"beforeUpdateUserInfo.ex":        `null`,
	"beforeUpdateUserInfoEx.faceURL": `null`,
	"beforeUpdateUserInfoEx.ex":      `null`,
	"afterUpdateUserInfoEx.faceURL":  `null`,
	"afterUpdateUserInfoEx.ex":       `null`,

	"beforeCreateGroup.groupID":                `""`,
	"beforeCreateGroup.faceURL":                `""`,
	"beforeCreateGroup.ownerUserID":            `""`,
	"beforeCreateGroup.creatorUserID":          `""`,
	"beforeCreateGroup.createTime":             `0`,
	"beforeCreateGroup.memberCount":            `0`,
	"beforeCreateGroup.status":                 `0`,
	"beforeCreateGroup.notificationUpdateTime": `0`,
	"beforeCreateGroup.notificationUserID":     `""`,
	"afterCreateGroup.faceURL":                 `""`,
	"afterCreateGroup.status":                  `0`,

	"beforeSetGroupInfo.operationID":         `""`,
	"afterSetGroupInfo.operationID":          `""`,
	"beforeSetGroupInfoEx.operationID":       `""`,
	"afterSetGroupInfoEx.operationID":        `""`,
	"beforeSetGroupInfo.faceURL":             `""`,
	"afterSetGroupInfo.faceURL":              `""`,
	"afterSetGroupInfo.ex":                   `null`,
	"afterSetGroupInfo.needVerification":     `null`,
	"afterSetGroupInfo.lookMemberInfo":       `null`,
	"afterSetGroupInfo.applyMemberFriend":    `null`,
	"beforeSetGroupInfoEx.faceURL":           `null`,
	"beforeSetGroupInfoEx.ex":                `null`,
	"beforeSetGroupInfoEx.lookMemberInfo":    `null`,
	"beforeSetGroupInfoEx.applyMemberFriend": `null`,
	"afterSetGroupInfoEx.faceURL":            `null`,
	"afterSetGroupInfoEx.ex":                 `null`,
	"afterSetGroupInfoEx.lookMemberInfo":     `null`,
	"afterSetGroupInfoEx.applyMemberFriend":  `null`,

	"beforeApplyJoinGroup.groupType":   groupTypeAsText,
	"afterDismissGroup.groupType":      groupTypeAsText,
	"beforeSetGroupMemberInfo.faceURL": `null`,
	"beforeSetGroupMemberInfo.ex":      `null`,
	"afterSetGroupMemberInfo.faceURL":  `null`,
	"afterSetGroupMemberInfo.ex":       `null`,

	"afterUserOnline.operationID":  `"p_4242_17"`,
	"afterUserOffline.operationID": `"p_4242_18"`,
	"afterUserOnline.seq":          `1767225600000`,
	"afterUserOffline.seq":         `1767225600000`,
	"afterUserKickOff.seq":         `1767225600000`,

	"beforeOnlinePush.sessionType": `1`,
	"beforeOnlinePush.groupID":     `""`,
	"beforeOnlinePush.userIDList":  `["u-1002","u-1001"]`,
	"beforeGroupOnlinePush.seq":    `4097`,

	"beforeCreateGroupChatConversations.ownerUserId":      `""`,
	"beforeCreateGroupChatConversations.conversationId":   `"sg_support-1"`,
	"beforeCreateGroupChatConversations.conversationType": `3`,
	"afterCreateGroupChatConversations.ownerUserId":       `""`,
	"afterCreateGroupChatConversations.conversationId":    `"sg_support-1"`,
	"afterCreateGroupChatConversations.conversationType":  `3`,
}
