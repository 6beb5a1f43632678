package when

import (
	"fmt"
	"sync"
	"testing"

	"callboard/openim"
)

// zeroTests are true of fields that were not sent.
var zeroTests = map[openim.Kind]string{
	openim.String: `%[1]s == "" && not (%[1]s startsWith "x") && len(%[1]s) == 0 && lower(%[1]s) == ""`,
	openim.Int:    `%[1]s == 0 && %[1]s < 1 && %[1]s in [0] && %[1]s in -1..1`,
	openim.Bool:   `!%[1]s && %[1]s == false`,
	openim.Strings: `len(%[1]s) == 0 && "x" not in %[1]s && all(%[1]s, false) && none(%[1]s, true)
		&& count(%[1]s, # == "x") == 0`,
	openim.Ints:    `len(%[1]s) == 0 && 5 not in %[1]s && !any(%[1]s, # > 5)`,
	openim.Objects: `len(%[1]s) == 0 && !any(%[1]s, true)`,
}

func TestEveryFieldIsTypedForEveryCallback(t *testing.T) {
	for _, command := range openim.Commands() {
		for _, f := range command.Request {
			src, ok := zeroTests[f.Kind]
			if !ok {
				t.Fatalf("%s %s: no test for fields of kind %s", command.Short, f.Name, f.Kind)
			}
			if isReserved(f.Name) {
				t.Errorf("%s %s has the name of a value, a constant or a function", command.Short, f.Name)
			}
			c := mustCompile(t, fmt.Sprintf(src, f.Name), command.Short)
			for says, body := range map[string]map[string]any{
				"not sent":   {},
				"null":       {f.Name: nil},
				"wrong type": {f.Name: otherType(f.Kind)},
			} {
				if got, err := eval(t, c, callback(t, command.Name, body)); !got || err != nil {
					t.Errorf("%s of %s, %s: %s is %v, %v", f.Name, command.Short, says, c.Source(), got, err)
				}
			}
		}
	}
}

func isReserved(name string) bool {
	_, isValue := values[name]
	_, isConstant := constants()[name]
	return isValue || isConstant || helperNamed[name] != nil || builtinNamed[name] != nil
}

func otherType(k openim.Kind) any {
	if k == openim.String {
		return 5
	}
	return "text"
}

// Rules for different commands may use one name for different types in one table.
func TestOneNameWithTwoTypes(t *testing.T) {
	number := mustCompile(t, `groupType == 2`, "beforeCreateGroup")
	text := mustCompile(t, `groupType == "\u0002"`, "beforeApplyJoinGroup")
	env := NewEnv([]*Cond{number, text})
	for _, row := range []struct {
		cb   *openim.Callback
		cond *Cond
	}{
		{callback(t, "beforeCreateGroup", map[string]any{"groupType": 2}), number},
		{callback(t, "beforeApplyJoinGroup", map[string]any{"groupType": "\x02"}), text},
	} {
		s := env.Bind(row.cb, noon)
		for _, c := range []*Cond{number, text} {
			if got, err := s.Eval(c); got != (c == row.cond) || err != nil {
				t.Errorf("%s for %s: %v, %v", c.Source(), row.cb.Command.Short, got, err)
			}
		}
		s.Release()
		if m := row.cb.Mismatches(); len(m) > 0 {
			t.Errorf("asking for one type only, yet mismatches %v", m)
		}
	}
}

func TestNothingOfOneCallbackIsSeenInTheNext(t *testing.T) {
	conds := []*Cond{
		mustCompile(t, `groupID != "" || contentType != 0 || len(atUserList) > 0`),
		mustCompile(t, `text != "" || data.level == 3 || json(ex).vip == true || raw.groupID != nil || has("ex")`),
		mustCompile(t, `headers["x-real-ip"] != "" || query.key != "" || source != ""`),
	}
	env := NewEnv(conds)
	for range 100 {
		s := env.Bind(groupMessage(t, nil), noon)
		for _, c := range conds {
			if got, err := s.Eval(c); !got || err != nil {
				t.Fatalf("%s of a full callback: %v, %v", c.Source(), got, err)
			}
		}
		s.Release()
		empty, err := openim.Decode(openim.Request{Path: "/callbackBeforeSendGroupMsgCommand", Body: []byte(`{}`)})
		if err != nil {
			t.Fatal(err)
		}
		s = env.Bind(empty, noon)
		for _, c := range conds {
			if got, err := s.Eval(c); got || err != nil {
				t.Fatalf("%s of an empty callback: %v, %v", c.Source(), got, err)
			}
		}
		s.Release()
	}
}

// Other editions and versions of IMServer send fields that the catalogue knows of other commands
// only. What a rule sees must not depend on which other rules there are.
func TestFieldsThatOnlyTheBodyHas(t *testing.T) {
	forAll := mustCompile(t, `recvID == "r1"`)
	forTwo := mustCompile(t, `recvID == "r1" && groupID == "support-1"`, groupMsg, "beforeSendSingleMsg")
	for _, conds := range [][]*Cond{{forAll}, {forTwo}, {forAll, forTwo}} {
		env := NewEnv(conds)
		for i := range 10 {
			with, want := map[string]any{"recvID": "r1"}, true
			if i%2 == 1 {
				with, want = nil, false
			}
			s := env.Bind(groupMessage(t, with), noon)
			for _, c := range conds {
				if got, err := s.Eval(c); got != want || err != nil {
					t.Fatalf("%s among %d, message %d: %v, %v", c.Source(), len(conds), i, got, err)
				}
			}
			s.Release()
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	cb := func() *openim.Callback { return groupMessage(t, nil) }
	c := mustCompile(t, `any(atUserList, # startsWith "bot-") && data.level == 3 && glob(groupID, "s*-?")`, groupMsg)
	env := NewEnv([]*Cond{c})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				s := env.Bind(cb(), noon)
				if got, err := s.Eval(c); !got || err != nil {
					t.Errorf("got %v, %v", got, err)
				}
				if parts := s.Explain(c); len(parts) < 4 {
					t.Errorf("parts %+v", parts)
				}
				s.Release()
				Compile(`groupID == "x" && contentType == Text`, commandsNamed(t, groupMsg))
			}
		})
	}
	wg.Wait()
}
