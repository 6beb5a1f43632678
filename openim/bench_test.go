package openim

import "testing"

func BenchmarkDecode(b *testing.B) {
	r := DocumentedGroupMessage()
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(r.Body)))
		for b.Loop() {
			if _, err := Decode(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("and 5 fields", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(r.Body)))
		for b.Loop() {
			c, err := Decode(r)
			if err != nil {
				b.Fatal(err)
			}
			_ = c.Value("groupID", String)
			_ = c.Value("contentType", Int)
			_ = c.Value("atUserList", Strings)
			_ = c.Value("sendID", String)
			_ = c.Value("content", String)
		}
	})
}

func BenchmarkReadAnswer(b *testing.B) {
	reads := func(name, text string, vote Vote) {
		body := []byte(text)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if a := ReadAnswer(200, body, DialectCurrent); a.Vote != vote {
					b.Fatal(a)
				}
			}
		})
	}
	reads("plain allow", plainAllow, Allow)
	reads("allow in other words", `{"actionCode": 0, "errCode": 0, "errMsg": "Success", "errDlt": "", "nextCode": ""}`, Allow)
	reads("refusal", `{"actionCode":0,"errCode":20401,"errMsg":"ask in the shop","errDlt":"","nextCode":1}`, Refuse)
}

func BenchmarkAppendReply(b *testing.B) {
	send, _ := Decode(DocumentedGroupMessage())
	set, _ := Lookup("beforeSetGroupInfoEx")
	echo, err := Decode(Request{Body: Sample(set)})
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 1024)
	b.Run("allow", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = AppendReply(buf[:0], send, Verdict{}, V37)
		}
	})
	b.Run("refuse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = AppendReply(buf[:0], nil, Verdict{Refuse: true, Code: 20403, Message: "Only administrators post here"}, V37)
		}
	})
	b.Run("allow with echo", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = AppendReply(buf[:0], echo, Verdict{}, V37)
		}
	})
}
