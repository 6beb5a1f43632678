package openim

import "strings"

// Documented returns the body that the public documentation shows for the callback after sending
// a group message: its fields in its order, with values of our own. It keeps what is odd there:
// session type 2, content type 1 and a bare text as content.
func Documented() []byte {
	members := strings.Join([]string{
		`"sendID":"u-1001"`,
		`"callbackCommand":"callbackAfterSendGroupMsgCommand"`,
		`"serverMsgID":"9f2c41d87be05a63c1d4870e92ab35f6"`,
		`"clientMsgID":"5b0e7a94f316c28d40a9be7713df6c05"`,
		`"operationID":"1767225600000"`,
		`"senderPlatformID":1`,
		`"senderNickname":"Mira"`,
		`"sessionType":2`,
		`"msgFrom":1`,
		`"contentType":1`,
		`"status":1`,
		`"sendTime":1767225600000`,
		`"createTime":1767225599870`,
		`"content":"Good morning, is the refund on its way?"`,
		`"seq":1`,
		`"atUserList":["u-1002","u-1003"]`,
		`"faceURL":"http://cdn.example.com/faces/u-1001.png"`,
		`"ex":"from the docs"`,
		`"groupID":"support-1"`,
	}, ",")
	return []byte("{" + members + "}")
}

// DocumentedGroupMessage returns the whole documented request: Documented with its path and its query,
// which no server sends.
func DocumentedGroupMessage() Request {
	return Request{
		Path:     "/callbackAfterSendGroupMsgCommand",
		RawQuery: "contenttype=json",
		Body:     Documented(),
	}
}
