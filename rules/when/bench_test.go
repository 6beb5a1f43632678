package when

import (
	"testing"
	"time"

	"callboard/openim"
)

// typical are ten conditions as rules have them.
var typical = []string{
	`groupID == "announcements"`,
	`groupID startsWith "support-"`,
	`contentType in [Text, AtText]`,
	`mentions("u17")`,
	`content contains "refund"`,
	`groupID in ["g1", "g2", "g3"] && sendID != "admin1"`,
	`sendID not in ["admin1", "admin2"]`,
	`sessionType == ReadGroupChat && contentType == Picture`,
	`msgFrom == 100 && senderPlatformID == 10`,
	`command == "beforeSendGroupMsg" && groupID == "g9"`,
}

func BenchmarkBindEval10(b *testing.B) {
	var conds []*Cond
	for _, src := range typical {
		conds = append(conds, mustCompile(b, src, groupMsg))
	}
	env := NewEnv(conds)
	cb := groupMessage(b, nil)
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		s := env.Bind(cb, now)
		for _, c := range conds {
			if _, err := s.Eval(c); err != nil {
				b.Fatal(err)
			}
		}
		s.Release()
	}
}

func BenchmarkBind(b *testing.B) {
	var conds []*Cond
	for _, src := range typical {
		conds = append(conds, mustCompile(b, src, groupMsg))
	}
	env := NewEnv(conds)
	cb := groupMessage(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		env.Bind(cb, time.Time{}).Release()
	}
}

func BenchmarkEval(b *testing.B) {
	cb := groupMessage(b, map[string]any{"content": `{"content":"I want my money back, please refund it","level":3}`})
	for _, src := range append(typical, `text matches "(?i)refund|chargeback"`, `lower(content) contains "refund"`,
		`any(atUserList, # startsWith "bot-")`, `data.level > 2`, `sample(0.5, sendID)`,
		`hourIn("09:00", "18:00", "Asia/Shanghai")`) {
		b.Run(src, func(b *testing.B) {
			c := mustCompile(b, src, groupMsg)
			s := NewEnv([]*Cond{c}).Bind(cb, time.Now())
			b.ReportAllocs()
			for b.Loop() {
				s.total = callbackSteps
				if _, err := s.Eval(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	command, _ := openim.Lookup("beforeSendGroupMsg")
	commands := []*openim.Command{command}
	for b.Loop() {
		Compile(`groupID startsWith "support-" && contentType in [Text, AtText] && text contains "refund"`, commands)
	}
}
