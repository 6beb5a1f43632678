package openim

// offlinePushFields is what a system notification shows; offlinePushInfo is the same as an object.
var (
	offlinePushFields = []Field{str("title"), str("desc"), str("ex"), str("iOSPushSound"), flag("iOSBadgeCount"), str("signalInfo")}
	offlinePushInfo   = Field{Name: "offlinePushInfo", Kind: Object, Fields: offlinePushFields}
)

// pushSender and pushMessage are the blocks that the push callbacks share.
var (
	pushSender  = []Field{str("operationID"), i64("platformID").note("The sender's."), str("platform").note("The name of the sender's platform.")}
	pushMessage = []Field{
		str("clientMsgID"), str("sendID"), groupID, i32("contentType"), i32("sessionType"),
		strs("atUserIDList").note("Other callbacks call it atUserList."),
		str("content").note("A notification's content is its detail text."),
	}
	userIDList = strs("userIDList")
)

var pushCommands = []*Command{
	{
		Name: "callbackBeforeOfflinePushCommand", Short: "beforeOfflinePush", Phase: Before, Since: "v3.7",
		Older:   []string{"callbackOfflinePushCommand"},
		Request: fields(pushSender, []Field{userIDList.note("The receivers.")}, offlinePushFields, pushMessage),
		Reply:   append(replies(IfNotEmpty, userIDList.note("Replaces the receivers.")), offlinePushInfo.reply(IfPresent)),
		Notes: []string{
			"title, desc, ex, iOSPushSound, iOSBadgeCount and signalInfo are absent when the message has no push text of its own.",
			"A refusal skips the offline push; nobody gets an error.",
		},
	},
	{
		Name: "callbackBeforeOnlinePushCommand", Short: "beforeOnlinePush", Phase: Before, Since: "v3.7",
		Older:   []string{"callbackOnlinePushCommand"},
		Request: fields(pushSender, []Field{userIDList.note("The receiver and often the sender.")}, pushMessage),
		Reply:   replies(Ignored, userIDList, offlinePushInfo),
		Notes: []string{
			"Single chats and notifications; groups call beforeGroupOnlinePush.",
			"A refusal skips every push of the message, offline push included; nobody gets an error.",
		},
	},
	{
		Name: "callbackBeforeGroupOnlinePushCommand", Short: "beforeGroupOnlinePush", Phase: Before, Since: "v3.7",
		Older:   []string{"callbackSuperGroupOnlinePushCommand"},
		Request: fields(pushSender, pushMessage, []Field{i64("seq")}),
		Reply:   append(replies(IfNotEmpty, userIDList.note("The message is pushed to these only.")), offlinePushInfo.reply(Ignored)),
		Notes:   []string{"A refusal skips every push of the message, offline push included; nobody gets an error."},
	},
}
