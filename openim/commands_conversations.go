package openim

var (
	conversationSettings = []Field{
		i32("recvMsgOpt"), flag("isPinned"), flag("isPrivateChat"), i32("burnDuration"), i32("groupAtType"),
		str("attachedInfo"), str("ex"),
	}
	singleConversation = conversation(str("ownerUserId"), str("userId"))
	groupConversation  = conversation(str("ownerUserId").note(`Always "".`), str("groupId"))
)

const idSpelling = "Field names end in Id, unlike everywhere else."

var conversationCommands = []*Command{
	{
		Name:  "callbackBeforeCreateSingleChatConversationsCommand",
		Short: "beforeCreateSingleChatConversations", Phase: Before, Since: "main",
		Request: singleConversation,
		Reply:   replies(IfPresent, conversationSettings...),
		Notes:   []string{idSpelling, "A new conversation makes the call twice with the same body."},
	},
	{
		Name:  "callbackAfterCreateSingleChatConversationsCommand",
		Short: "afterCreateSingleChatConversations", Phase: After, Since: "main",
		Request: singleConversation,
		Notes:   []string{idSpelling},
	},
	{
		Name:  "callbackBeforeCreateGroupChatConversationsCommand",
		Short: "beforeCreateGroupChatConversations", Phase: Before, Since: "main",
		Request: groupConversation,
		Reply:   replies(IfPresent, conversationSettings...),
		Notes:   []string{idSpelling},
	},
	{
		Name:  "callbackAfterCreateGroupChatConversationsCommand",
		Short: "afterCreateGroupChatConversations", Phase: After, Since: "main",
		Request: groupConversation,
		Notes:   []string{idSpelling},
	},
}

// conversation is the block of all four, for an owner and a peer.
func conversation(owner, peer Field) []Field {
	return fields([]Field{owner, str("conversationId"), i32("conversationType"), peer}, conversationSettings)
}
