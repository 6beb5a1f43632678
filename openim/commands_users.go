package openim

var (
	userNickName = str("nickName").note("With a capital N.")
	neverFilled  = str("ex").orNull().note("Never filled: always null.")
	users        = list("users", str("userID"), str("nickname"), str("faceURL"), str("ex"), i64("createTime"),
		i32("appMangerLevel").note("Misspelt on the wire."), i32("globalRecvMsgOpt"))
	userInfoEx = []Field{str("userID"), userNickName.orNull(), str("faceURL").orNull(), neverFilled}
)

var userCommands = []*Command{
	{
		Name: "callbackBeforeUpdateUserInfoCommand", Short: "beforeUpdateUserInfo", Phase: Before, Since: "v3.5",
		Request: []Field{str("userID"), userNickName, str("faceURL"), neverFilled},
		Reply:   replies(IfPresent, userNickName, str("faceURL"), str("ex")),
	},
	{
		Name: "callbackAfterUpdateUserInfoCommand", Short: "afterUpdateUserInfo", Phase: After, Since: "v3.5",
		Request: []Field{str("userID"), userNickName, str("faceURL"), str("ex").note(`Always "".`)},
	},
	{
		Name: "callbackBeforeUpdateUserInfoExCommand", Short: "beforeUpdateUserInfoEx", Phase: Before, Since: "v3.7",
		Request: userInfoEx,
		Reply:   replies(IfCarried, userNickName, str("faceURL"), str("ex")),
		Notes:   []string{"A reply may only set a field that the user's request carried; IMServer fails otherwise."},
	},
	{
		Name: "callbackAfterUpdateUserInfoExCommand", Short: "afterUpdateUserInfoEx", Phase: After, Since: "v3.7",
		Request: userInfoEx,
	},
	{
		Name: "callbackBeforeUserRegisterCommand", Short: "beforeUserRegister", Phase: Before, Since: "v3.5",
		Request: []Field{users},
		Reply:   replies(IfNotEmpty, users.note("Replaces the whole list, after the checks for empty and repeated ids.")),
	},
	{
		Name: "callbackAfterUserRegisterCommand", Short: "afterUserRegister", Phase: After, Since: "v3.5",
		Request: []Field{users},
	},
}
