package demo

import (
	"encoding/json"

	"callboard/openim"
	"callboard/router"
)

// A sample is one callback of the stream, with what must come of it under examples/quickstart.
type sample struct {
	command           string         // as people type it
	query             string         // after the path, without the question mark
	documented        bool           // sent as openim.DocumentedGroupMessage has it
	fields            map[string]any // put over openim.Sample's
	risk              health         // of the risk service meanwhile
	withoutCompliance bool           // whether the compliance service is out of order meanwhile
	want              want
}

// A want is the part of a reply that a sample is checked for.
type want struct {
	refused bool
	code    int64
	fields  map[string]any // reply fields of an allow, as decoded JSON
}

// samples is the stream, in order. Rows say who does what and what comes of it.
var samples = []sample{
	documented().allowed(),
	says("alice", "support-42", "Where is my parcel?").allowed(),
	says("mallory", "support-42", "Cheap refund-scam here, pay first").refused(codeScam),
	withoutCompliance(says("bob", "announcements", "Anyone up for lunch?").refused(20403)),
	withoutCompliance(says("admin1", "announcements", "The office is closed on Friday").allowed()),
	withoutCompliance(says("carol", "support-42", "I want a refund").whileRiskIs(slow).allowed()),
	withoutCompliance(says("carol", "support-42", "Hello? Anybody?").whileRiskIs(down).allowed()),
	withoutCompliance(says("dave", "payments-7", "Sending 4000 to the new account").refused(codeRisky)),
	says("erin", "payments-7", "Invoice 1007 is paid").whileRiskIs(down).refused(router.CodeFailed),
	mentioning("helpdesk-bot", says("frank", "team-blue", "@helpdesk-bot how do I reset my password?")).allowed(),
	mentioning("AtAllTag", says("frank", "team-blue", "@everyone cake in the kitchen")).refused(20404),
	modified("grace", "This damn printer again").allowedWith("content", `{"content":"This **** printer again"}`),
	renamed("support-42", "Support, Monday to Friday").allowedWith("groupID", "support-42", "groupName", "Support, Monday to Friday"),
	renamed("support-42", "Official refund-scam desk").refused(codeScam),
	{command: "afterRevokeMsg", fields: map[string]any{"conversationID": "sg_support-42", "userID": "alice", "seq": 7}},
	{command: "afterUserOnline", fields: map[string]any{"userID": "heidi"}}, // no rule speaks of it
}

// documented is the protocol's own example of the callback after a group message was sent.
func documented() sample {
	return sample{command: "afterSendGroupMsg", query: openim.DocumentedGroupMessage().RawQuery, documented: true}
}

func says(who, group, text string) sample {
	return sample{command: "beforeSendGroupMsg", fields: map[string]any{
		"sendID": who, "senderNickname": who, "groupID": group, "content": textContent(text),
	}}
}

// mentioning makes a group message one that mentions somebody.
func mentioning(whom string, s sample) sample {
	var content struct {
		Text string `json:"content"`
	}
	_ = json.Unmarshal([]byte(s.fields["content"].(string)), &content) // textContent wrote it
	s.fields["contentType"] = 106
	s.fields["atUserList"] = []string{whom}
	s.fields["content"] = jsonText(map[string]any{
		"text": content.Text, "atUserList": []string{whom}, "atUsersInfo": nil, "quoteMessage": nil, "isAtSelf": false,
	})
	return s
}

func modified(who, text string) sample {
	return sample{command: "beforeMsgModify", fields: map[string]any{
		"sendID": who, "senderNickname": who, "content": textContent(text),
	}}
}

func renamed(group, name string) sample {
	return sample{command: "beforeSetGroupInfo", fields: map[string]any{"groupID": group, "groupName": name}}
}

// withoutCompliance is a sample that the compliance service hears of late.
func withoutCompliance(s sample) sample { s.withoutCompliance = true; return s }

func (s sample) whileRiskIs(h health) sample { s.risk = h; return s }
func (s sample) allowed() sample             { return s }

func (s sample) refused(code int64) sample {
	s.want = want{refused: true, code: code}
	return s
}

// allowedWith wants reply fields, given as name, value, name, value ….
func (s sample) allowedWith(pairs ...string) sample {
	s.want.fields = make(map[string]any)
	for i := 0; i+1 < len(pairs); i += 2 {
		s.want.fields[pairs[i]] = pairs[i+1]
	}
	return s
}

// textContent is the content of a text message.
func textContent(text string) string { return jsonText(map[string]string{"content": text}) }

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers, lists and maps of them
	}
	return string(b)
}
