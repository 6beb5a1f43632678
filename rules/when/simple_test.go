package when

import "testing"

// What is told without a program is what the program tells.
func TestSimpleComparisonsHold(t *testing.T) {
	for _, src := range []string{
		`source == "prod"`, `source != "prod"`, `command == "beforeSendGroupMsg"`, `command in ["beforeSendSingleMsg", "callbackBeforeSendGroupMsgCommand"]`,
		`"afterSendGroupMsg" == command`, `text contains "Refund"`, `text startsWith "Refund"`, `not (text endsWith "und")`, `groupID == "support-1"`,
		`"support-1" != groupID`, `groupID in ["a", "support-1"]`, `groupID not in ["a"]`, `contentType == Text`, `contentType in [Picture, Video]`,
		`contentType in 100..101`, `contentType in 102..103`, `seq < 0`, `seq <= 0`, `seq > -1`, `0 >= seq`, `1 < seq`, `msgFrom != 100`, `mentions("u1")`, `!mentions("x")`,
		`mentionsAll()`, `"bot-2" in atUserList`, `"x" not in atUserList`, `lower(groupID) == "support-1"`, `groupID startsWith "support"`,
	} {
		c := mustCompile(t, src, groupMsg)
		s := NewEnv([]*Cond{c}).Bind(groupMessage(t, nil), noon)
		want, err := s.Eval(c)
		simple := simpleOf(newDraft(src, c.schema).joints().unnegated().node)
		if err != nil || simple == nil {
			t.Fatalf("%s: %v, %+v", src, err, simple)
		}
		got, ok := simple.holds(s, c.schema)
		if isNotOf := newDraft(src, c.schema).joints().kind == notOf; isNotOf {
			got = !got
		}
		if calls := src[:5] == "lower"; ok == calls || ok && got != want {
			t.Errorf("%s is %v; without its program %v, %v", src, want, got, ok)
		}
		s.Release()
	}
}

// unnegated is the comparison below a not.
func (j *joint) unnegated() *joint {
	if j.kind == notOf {
		return j.below[0]
	}
	return j
}
