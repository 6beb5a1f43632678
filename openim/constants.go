package openim

import "slices"

// AtAllTag is the element of atUserList that means everybody.
const AtAllTag = "AtAllTag"

// The content types that have readable text.
const (
	contentText         = 101
	contentAtText       = 106
	contentQuote        = 114
	contentAdvancedText = 117
	contentMarkdownText = 118
)

// A Constant is a number of the protocol under the name that rule authors type.
//
// Names are unique over all groups and follow IMServer's own where those say what is meant. Where two groups
// would share a name, the content types and platforms, which rules name most, keep the short one
// and the other group's names begin with what they are about: GroupMuted is a notification, GroupStatusMuted
// a status; Admin is a platform, GroupAdmin a role.
type Constant struct {
	Name  string
	Value int
	Group string // the field that holds it: contentType, sessionType, platformID, …
	Doc   string // one line, or "" when the name says it
}

var constants = slices.Concat(
	group("contentType",
		is("Text", contentText), is("Picture", 102), is("Voice", 103), is("Video", 104), is("File", 105),
		is("AtText", contentAtText, "Text that mentions members."),
		is("Merger", 107, "Forwarded messages in one."),
		is("Card", 108, "A user's card."), is("Location", 109),
		is("Custom", 110, "Whatever the application sends."),
		is("Revoke", 111), is("Typing", 113, "Calls no before- and after-send callback."),
		is("Quote", contentQuote, "Text that quotes a message."),
		is("AdvancedText", contentAdvancedText), is("MarkdownText", contentMarkdownText),
		is("CustomNotTriggerConversation", 119), is("CustomOnlineOnly", 120),
		is("ReactionMessageModifier", 121), is("ReactionMessageDeleter", 122),
		is("Common", 200), is("GroupMsg", 201), is("SignalMsg", 202), is("CustomNotification", 203),
		is("NotificationBegin", 1000, "Notifications have content types from here …"),
		is("NotificationEnd", 5000, "… to here."),
	),
	group("contentType", // of notifications
		is("FriendApplicationApproved", 1201), is("FriendApplicationRejected", 1202),
		is("FriendApplication", 1203), is("FriendAdded", 1204), is("FriendDeleted", 1205),
		is("FriendRemarkSet", 1206), is("BlackAdded", 1207), is("BlackDeleted", 1208),
		is("FriendInfoUpdated", 1209), is("FriendsInfoUpdate", 1210),
		is("ConversationChange", 1300), is("UserInfoUpdated", 1303), is("UserStatusChange", 1304),
		is("UserCommandAdd", 1305), is("UserCommandDelete", 1306), is("UserCommandUpdate", 1307),
		is("UserSubscribeOnlineStatus", 1308), is("OA", 1400, "A notification sent by the business."),
		is("GroupCreated", 1501), is("GroupInfoSet", 1502), is("JoinGroupApplication", 1503),
		is("MemberQuit", 1504), is("GroupApplicationAccepted", 1505), is("GroupApplicationRejected", 1506),
		is("GroupOwnerTransferred", 1507), is("MemberKicked", 1508), is("MemberInvited", 1509),
		is("MemberEnter", 1510), is("GroupDismissed", 1511), is("GroupMemberMuted", 1512),
		is("GroupMemberCancelMuted", 1513), is("GroupMuted", 1514), is("GroupCancelMuted", 1515),
		is("GroupMemberInfoSet", 1516), is("GroupMemberSetToAdmin", 1517),
		is("GroupMemberSetToOrdinaryUser", 1518), is("GroupInfoSetAnnouncement", 1519), is("GroupInfoSetName", 1520),
		is("Signaling", 1601), is("RoomParticipantsConnected", 1602), is("RoomParticipantsDisconnected", 1603),
		is("StreamChanged", 1604), is("CustomSignal", 1605),
		is("SuperGroupUpdate", 1651), is("MsgDelete", 1652),
		is("ConversationPrivateChat", 1701), is("ConversationUnread", 1702), is("ClearConversation", 1703),
		is("ConversationDelete", 1704), is("Business", 2001),
		is("MsgRevoke", 2101), is("DeleteMsgs", 2102), is("HasReadReceipt", 2200),
	),
	group("sessionType",
		is("SingleChat", 1), is("WriteGroupChat", 2, "No server accepts it any more."),
		is("ReadGroupChat", 3, "All groups of today."), is("Notification", 4),
	),
	group("platformID",
		is("IOS", 1), is("Android", 2), is("Windows", 3), is("OSX", 4), is("Web", 5), is("MiniWeb", 6),
		is("Linux", 7), is("APad", 8, "An Android tablet."), is("IPad", 9),
		is("Admin", 10, "The server side; messages sent through send_simple_msg."),
		is("HarmonyOS", 11, "Recent servers only."),
	),
	group("msgFrom", is("UserMsg", 100), is("SysMsg", 200, "The system, which includes most of REST.")),
	group("status",
		is("MsgSending", 1), is("MsgSent", 2), is("MsgFailed", 3), is("MsgDeleted", 4), is("MsgFiltered", 5),
	),
	group("groupAtType",
		is("AtNormal", 0), is("AtMe", 1), is("AtAll", 2), is("AtAllAndMe", 3), is("AtAnnouncement", 4),
	),
	group("roleLevel", is("GroupOwner", 100), is("GroupAdmin", 60), is("GroupMember", 20)),
	group("joinSource",
		is("JoinByAdmin", 1), is("JoinByInvitation", 2), is("JoinBySearch", 3), is("JoinByQRCode", 4),
	),
	group("needVerification",
		is("ApplyNeedsApproval", 0, "An application needs approval, an invitation does not."),
		is("AllNeedApproval", 1), is("JoinDirectly", 2),
	),
	group("groupType",
		is("NormalGroup", 0), is("SuperGroup", 1), is("WorkingGroup", 2, "The only type that can be created."),
	),
	group("status", // of a group
		is("GroupStatusOk", 0), is("GroupStatusBanned", 1), is("GroupStatusDismissed", 2), is("GroupStatusMuted", 3),
	),
	group("recvMsgOpt",
		is("ReceiveMessage", 0), is("NotReceiveMessage", 1), is("ReceiveNotNotify", 2, "Received without a notification."),
	),
	group("HandleResult", is("FriendAgree", 1), is("FriendRefuse", -1)),
)

// Constants returns the protocol's numbers by name, group by group. The slice must not be changed.
func Constants() []Constant { return constants }

func group(name string, members ...Constant) []Constant {
	for i := range members {
		members[i].Group = name
	}
	return members
}

func is(name string, value int, doc ...string) Constant {
	c := Constant{Name: name, Value: value}
	if len(doc) > 0 {
		c.Doc = doc[0]
	}
	return c
}
