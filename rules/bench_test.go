package rules

import (
	"strings"
	"testing"

	"callboard/openim"
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

// BenchmarkMatchNotify matches a group message against three rules that match and notify three sinks between them, two in
// order.
func BenchmarkMatchNotify(b *testing.B) {
	set := load(b, text(`
sinks:
  archive: {url: http://archive.internal/, order_by: groupID}
  search: {url: http://search.internal/, order_by: 'groupID == "" ? sendID : groupID'}
  audit: {url: http://audit.internal/}
rules:
  - {name: keep, callbacks: [beforeSendGroupMsg], notify: [archive, audit]}
  - {name: texts, callbacks: [beforeSendGroupMsg], when: 'contentType in [Text, AtText]', notify: [search]}
  - {name: support, callbacks: [beforeSendGroupMsg], when: 'groupID startsWith "support-"', notify: [audit]}
`))
	cb := callback(b, "beforeSendGroupMsg", `"sendID": "u1", "groupID": "support-7", "contentType": 101, "content": "{\"content\":\"where is my order?\"}"`)
	if got := len(set.Match(cb, noon).Notify); got != 3 {
		b.Fatalf("%d sinks to notify", got)
	}
	b.ReportAllocs()
	for b.Loop() {
		set.Match(cb, noon)
	}
}

func BenchmarkDedupKey(b *testing.B) {
	body := `"sendID": "u1", "groupID": "support-7", "operationID": "op-1", "content": "` + strings.Repeat("x", 1000) + `"`
	for name, cb := range map[string]*openim.Callback{
		"message":   callback(b, "beforeSendGroupMsg", body+`, "serverMsgID": "f3a1"`),
		"operation": callback(b, "beforeSendGroupMsg", body),
	} {
		b.Run(name, func(b *testing.B) {
			set := load(b, text("rules: []\ndedup: 10m"))
			b.ReportAllocs()
			for b.Loop() {
				set.DedupKey(cb)
			}
		})
	}
}
