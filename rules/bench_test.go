package rules

import (
	"testing"
)

// benchRules are ten rules as teams write them.
const benchRules = `
sinks:
  moderation: {url: http://moderation.internal/}
  risk: {url: http://risk.internal/}
rules:
  - {name: support, callbacks: [beforeSendGroupMsg], when: 'groupID startsWith "support-" && contentType in [Text, AtText]', await: {sinks: moderation}}
  - {name: announcements, callbacks: [beforeSendGroupMsg], when: 'groupID == "announcements" && sendID not in ["admin1", "admin2"]', reply: {refuse: {message: no}}}
  - {name: vip, callbacks: [beforeSendGroupMsg, beforeSendSingleMsg], when: 'sendID in ["v1", "v2", "v3"]', await: {sinks: risk}}
  - {name: mentions, callbacks: [beforeSendGroupMsg], when: 'mentions("ops")', await: {sinks: risk}}
  - {name: words, callbacks: [beforeSendGroupMsg], when: 'text contains "refund"', await: {sinks: moderation}}
  - {name: pictures, callbacks: [beforeSendGroupMsg], when: 'contentType == Picture', await: {sinks: moderation}}
  - {name: phones, callbacks: [beforeSendGroupMsg], when: 'senderPlatformID in [1, 2] && groupID == "g7"', await: {sinks: risk}}
  - {name: long, callbacks: [beforeSendGroupMsg], when: 'len(content) > 5000', await: {sinks: risk}}
  - {name: friends, callbacks: [beforeAddFriend], when: 'toUserID == "u9"', await: {sinks: risk}}
  - {name: logins, callbacks: [afterUserOnline], when: 'userID == "u9"', await: {sinks: risk}}
`

// BenchmarkMatch10 matches a group message, decoded already, against ten rules of which one matches.
func BenchmarkMatch10(b *testing.B) {
	set := load(b, text(benchRules))
	cb := callback(b, "beforeSendGroupMsg", `"sendID": "u1", "groupID": "support-7", "contentType": 101, "senderPlatformID": 1,
		"content": "{\"content\":\"where is my order?\"}", "atUserList": ["u2", "u3"]`)
	if got := names(set.Match(cb, noon).Matched); got != "support" {
		b.Fatalf("matched %q", got)
	}
	b.ReportAllocs()
	for b.Loop() {
		set.Match(cb, noon)
	}
}
