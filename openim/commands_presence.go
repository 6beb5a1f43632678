package openim

// presenceFields is the block that the three presence callbacks begin with.
var presenceFields = []Field{
	str("operationID").note("Shared by all users of one batch."),
	i64("platformID"), str("platform").note("The platform's name."), str("userID"),
	i64("seq").note("The time of the call in milliseconds."),
}

var presenceCommands = []*Command{
	{
		Name: "callbackAfterUserOnlineCommand", Short: "afterUserOnline", Phase: After, Since: "v3.7",
		Older:   []string{"callbackUserOnlineCommand"},
		Request: fields(presenceFields, []Field{flag("isAppBackground"), str("connID").note(`"" on recent servers.`)}),
		Notes:   []string{"Every connected user is announced again every 10 minutes, once per connection."},
	},
	{
		Name: "callbackAfterUserOfflineCommand", Short: "afterUserOffline", Phase: After, Since: "v3.7",
		Older:   []string{"callbackUserOfflineCommand"},
		Request: fields(presenceFields, []Field{str("connID")}),
	},
	{
		Name: "callbackAfterUserKickOffCommand", Short: "afterUserKickOff", Phase: After, Since: "v3.7",
		Older:   []string{"callbackUserKickOffCommand"},
		Request: fields(presenceFields),
		Notes:   []string{"No version since v3.7.0 sends it."},
	},
}
