package openim

var (
	fromUserID    = str("fromUserID")
	toUserID      = str("toUserID")
	ownerUserID   = str("ownerUserID")
	friendUserID  = str("friendUserID")
	friendUserIDs = strs("friendUserIDs")
	blackUserID   = str("blackUserID")
	friendAnswer  = []Field{
		fromUserID,
		blackUserID.note("The user who answers; no blacklist is meant."),
		i32("HandleResult").note("With a capital H; 1 is agreement, and only agreement is reported."),
		str("HandleMsg").note("With a capital H."),
	}
)

var friendCommands = []*Command{
	{
		Name: "callbackBeforeAddFriendCommand", Short: "beforeAddFriend", Phase: Before, Since: "v2",
		Request: []Field{fromUserID, toUserID, str("reqMsg"), str("ex")},
	},
	{
		Name: "callbackAfterAddFriendCommand", Short: "afterAddFriend", Phase: After, Since: "v3.5",
		Request: []Field{fromUserID, toUserID, str("reqMsg")},
		Notes:   []string{"The application has been made; they are not friends yet."},
	},
	{
		Name: "callbackBeforeAddFriendAgreeCommand", Short: "beforeAddFriendAgree", Phase: Before, Since: "v3.5",
		Request: friendAnswer,
	},
	{
		Name: "callbackAfterAddFriendAgreeCommand", Short: "afterAddFriendAgree", Phase: After, Since: "v3.8",
		Request: friendAnswer,
	},
	{
		Name: "callbackAfterDeleteFriendCommand", Short: "afterDeleteFriend", Phase: After, Since: "v3.5",
		Request: []Field{ownerUserID, friendUserID},
	},
	{
		Name: "callbackBeforeSetFriendRemarkCommand", Short: "beforeSetFriendRemark", Phase: Before, Since: "v3.7",
		Older:   []string{"callbackBeforeSetFriendRemark"},
		Request: []Field{ownerUserID, friendUserID, str("remark")},
		Reply:   replies(IfNotEmpty, str("remark")),
	},
	{
		Name: "callbackAfterSetFriendRemarkCommand", Short: "afterSetFriendRemark", Phase: After, Since: "v3.7",
		Older:   []string{"callbackAfterSetFriendRemark"},
		Request: []Field{ownerUserID, friendUserID, str("remark")},
	},
	{
		Name: "callbackBeforeImportFriendsCommand", Short: "beforeImportFriends", Phase: Before, Since: "v3.5",
		Request: []Field{ownerUserID, friendUserIDs},
		Reply:   replies(IfNotEmpty, friendUserIDs),
	},
	{
		Name: "callbackAfterImportFriendsCommand", Short: "afterImportFriends", Phase: After, Since: "v3.5",
		Request: []Field{ownerUserID, friendUserIDs},
	},
	{
		Name: "callbackBeforeAddBlackCommand", Short: "beforeAddBlack", Phase: Before, Since: "v3.5",
		Request: []Field{ownerUserID, blackUserID},
	},
	{
		Name: "callbackAfterRemoveBlackCommand", Short: "afterRemoveBlack", Phase: After, Since: "v3.5",
		Request: []Field{ownerUserID, blackUserID},
	},
}
