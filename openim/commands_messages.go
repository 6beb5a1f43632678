package openim

// messageFields is the block that all message callbacks begin with.
var messageFields = []Field{
	str("sendID"),
	str("serverMsgID").note("New for every attempt to send, also when a client repeats a message."),
	str("clientMsgID").note("The same when a client repeats a message."),
	str("operationID"),
	i32("senderPlatformID"),
	str("senderNickname"),
	i32("sessionType").note("Groups are 3; the documentation's example shows 2, which no server sends."),
	i32("msgFrom").note("100 for users, 200 for the system, which includes most of REST."),
	i32("contentType"),
	i32("status"),
	i64("sendTime").note("Milliseconds."),
	i64("createTime").note("Milliseconds."),
	str("content").note("Itself a JSON text for ordinary types; text and data read it."),
	i64("seq").note("0 before the message is stored; unsigned 32 bits on the server's side."),
	strs("atUserList").note("Usually null, read as the empty list."),
	str("faceURL").note("The sender's avatar."),
	str("ex"),
}

var (
	recvID  = str("recvID")
	groupID = str("groupID")
)

var messageCommands = []*Command{
	{
		Name: "callbackBeforeSendSingleMsgCommand", Short: "beforeSendSingleMsg", Phase: Before, Since: "v2",
		Request: fields(messageFields, []Field{recvID}),
		Notes: []string{
			"Called before the blacklist and friend checks, so an allowed message may still be refused.",
			"Not called for configured administrators and for notifications.",
		},
	},
	{
		Name: "callbackAfterSendSingleMsgCommand", Short: "afterSendSingleMsg", Phase: After, Since: "v2",
		Request: fields(messageFields, []Field{recvID}),
		Notes:   []string{"Recent servers add the query parameter key, with which one can answer into the conversation."},
	},
	{
		Name: "callbackBeforeSendGroupMsgCommand", Short: "beforeSendGroupMsg", Phase: Before, Since: "v2",
		Request: fields(messageFields, []Field{groupID}),
		Notes:   []string{"Called after the membership and mute checks."},
	},
	{
		Name: "callbackAfterSendGroupMsgCommand", Short: "afterSendGroupMsg", Phase: After, Since: "v2",
		Request: fields(messageFields, []Field{groupID}),
		Notes: []string{
			"Messages sent through REST call it too: a bot that answers there triggers itself.",
			"Recent servers add the query parameter key, with which one can answer into the conversation.",
		},
	},
	{
		Name: "callbackBeforeMsgModifyCommand", Short: "beforeMsgModify", Phase: Before, Since: "v3.7",
		Older:   []string{"callbackMsgModifyCommand"},
		Request: fields(messageFields),
		Reply:   modifyReply(),
		Notes: []string{
			"Carries neither groupID nor recvID.",
			"Up to the v3.8.3 line it is called for text messages only.",
			"The reply says senderFaceURL and atUserIDList where the request says faceURL and atUserList.",
		},
	},
	{
		Name: "callbackAfterMsgSaveDBCommand", Short: "afterMsgSaveDB", Phase: After, Since: "main",
		Request: fields(messageFields, []Field{
			recvID.note("Empty for group messages."),
			groupID.note("Empty for single messages and notifications."),
		}),
		Notes: []string{"Called for every message of a batch, also when storing failed, and again when the batch comes back."},
	},
	{
		Name: "callbackAfterSingleMsgReadCommand", Short: "afterSingleMsgRead", Phase: After, Since: "v3.7",
		Older: []string{"callbackSingleMsgRead"},
		Request: []Field{
			str("conversationID"),
			str("userID").note("Who read."),
			{Name: "Seqs", Kind: Ints, Note: "With a capital S."},
			i32("contentType").note("Holds the conversation type."),
		},
	},
	{
		Name: "callbackAfterGroupMsgReadCommand", Short: "afterGroupMsgRead", Phase: After, Since: "v3.7",
		Older: []string{"callbackGroupMsgReadCommand"},
		Request: []Field{
			str("sendID").note("Who read."),
			str("receiveID").note("Who read, once more."),
			i64("unreadMsgNum").note("Holds the sequence number read up to."),
			i64("contentType").note("Holds the conversation type, always 3."),
		},
		Notes: []string{"Carries no group id."},
	},
	{
		Name: "callbackBeforeAfterMsgCommand", Short: "afterRevokeMsg", Phase: After, Since: "v3.5",
		Request: []Field{str("conversationID"), i64("seq"), str("userID").note("Who revoked.")},
		Notes:   []string{"An after-callback in spite of its wire name.", "Carries nothing else of the message."},
	},
}

// modifyReply lists what a reply to beforeMsgModify changes before the message is stored.
func modifyReply() []ReplyField {
	applied := replies(IfPresent,
		str("content").note("Must be the text of a JSON object; recent servers refuse the message otherwise."),
		recvID.note("Re-routes the message after the checks were made."),
		groupID.note("Re-routes the message after the checks were made."),
		str("clientMsgID"), str("serverMsgID"), i32("senderPlatformID"), str("senderNickname"),
		str("senderFaceURL"), i32("sessionType"), i32("msgFrom"), i32("contentType"), i32("status"),
		Field{Name: "options", Kind: Bools, Note: "Replaces the whole map."},
		strs("atUserIDList"), str("attachedInfo"), str("ex"),
	)
	return append(applied,
		offlinePushInfo.note("The request does not show whether the message has one, and IMServer fails when it has none.").reply(IfCarried),
		str("msgDataList").note("Base64.").reply(Ignored),
	)
}
