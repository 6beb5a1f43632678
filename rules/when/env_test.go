package when

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"callboard/openim"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"
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

func TestReads(t *testing.T) {
	for src, want := range map[string]string{
		`groupID == "g" && contentType in [Text]`:            "contentType groupID",
		`mentions("u1") && command == "afterSendGroupMsg"`:   "atUserList command",
		`hourIn("09:00", "18:00", "UTC") && json(ex).a == 1`: "ex now",
		`let x = sendID; any(atUserList, # == x)`:            "atUserList sendID",
		`true`: "",
	} {
		if got := strings.Join(mustCompile(t, src, groupMsg).Reads(), " "); got != want {
			t.Errorf("%s reads %q, want %q", src, got, want)
		}
	}
}

func TestTypicalEvaluationsAllocateNothing(t *testing.T) {
	var conds []*Cond
	for _, src := range append(slices.Clone(typical), `any(atUserList, # startsWith "bot-")`, `sample(0.1, sendID)`,
		`data.level > 2`, `hourIn("09:00", "18:00", "Asia/Shanghai")`, `text contains "refund"`) {
		conds = append(conds, mustCompile(t, src, groupMsg))
	}
	s := NewEnv(conds).Bind(groupMessage(t, nil), noon)
	defer s.Release()
	for _, c := range conds {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := s.Eval(c); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s allocates %v times", c.Source(), n)
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

// Taking the steps of expr.Compile one by one must give what expr.Compile gives, where there is
// nothing to rewrite.
func TestProgramsAreThoseOfExpr(t *testing.T) {
	s := schemaFor(commandsNamed(t, groupMsg))
	for _, src := range []string{
		`groupID == "g" && contentType in [101, 106] || sendTime > 5`,
		`groupID startsWith "a" ? len(atUserList) > 2 : !(ex contains "x")`,
		`let x = sendID; x in ["a", "b"]`,
	} {
		want, err := expr.Compile(src, expr.Env(s.types), expr.AsBool(), expr.WarnOnAny())
		if err != nil {
			t.Fatal(err)
		}
		if got := mustCompile(t, src, groupMsg).program.Disassemble(); got != want.Disassemble() {
			t.Errorf("%s\n%s\nwant\n%s", src, got, want.Disassemble())
		}
	}
}

// Lists of constants must become sets: an array would be made and searched for every callback.
func TestListsOfConstantsAreSets(t *testing.T) {
	for src, want := range map[string]string{
		`contentType in [Text, AtText]`:                            "map[101:{} 106:{}]",
		`command in ["beforeSendGroupMsg", "beforeSendSingleMsg"]`: "map[callbackBeforeSendGroupMsgCommand:{} callbackBeforeSendSingleMsgCommand:{}]",
	} {
		if code := mustCompile(t, src).program.Disassemble(); !strings.Contains(code, want) {
			t.Errorf("%s has no %s:\n%s", src, want, code)
		}
	}
}

// The manual is made of these.
func TestDocumentedUsagesAreSound(t *testing.T) {
	for _, d := range append(Functions(), Values()...) {
		_, problems := Compile(d.Usage, nil)
		for _, p := range problems {
			if p.ID != "not-a-bool" {
				t.Errorf("%s: %s: %s", d.Name, d.Usage, p.Message)
			}
		}
		if d.Name == "" || !strings.Contains(d.Usage, d.Name) || !strings.HasSuffix(d.Summary, ".") {
			t.Errorf("incomplete: %+v", d)
		}
	}
}

// Whatever a callback holds, conditions end within their budget, and those that touch no value
// of unknown type do not fail.
func TestAnyCallback(t *testing.T) {
	total := []*Cond{
		mustCompile(t, `groupID == "a" || sendID startsWith "b" || content matches "c+" || text contains "d"`),
		mustCompile(t, `contentType in [Text, Picture] || sendTime > 5 || seq in 1..9 || senderPlatformID % 2 == 1`),
		mustCompile(t, `any(atUserList, # == sendID) || mentions(groupID) || any(users, .userID == "a" && .createTime < 5)`),
		mustCompile(t, `raw.groupID == "a" || data.x.y[0] == 1 || json(ex).z == nil || headers.a == query.b`),
		mustCompile(t, `any(data.x, .y == 1) || data.x == raw.x || first(raw.x) == last(data.y) || type(data) == "x"`),
	}
	partial := []*Cond{
		mustCompile(t, `data.x > 5 || len(raw.x) == 1 || lower(data.y) == "a"`),
		mustCompile(t, `any(raw.x, any(raw.x, # == data.y)) || int(raw.y) == 5 || raw.x && data.y`),
	}
	env := NewEnv(slices.Concat(total, partial))
	names := append(sortedKeys(allCarriers()), "x", "y", "extra")
	rapid.Check(t, func(rt *rapid.T) {
		body := map[string]any{}
		for range rapid.IntRange(0, 12).Draw(rt, "fields") {
			body[rapid.SampledFrom(names).Draw(rt, "name")] = jsonValue(3).Draw(rt, "value")
		}
		command := rapid.SampledFrom([]string{groupMsg, "beforeUserRegister", "beforeOnlinePush", "callbackNewCommand"}).Draw(rt, "command")
		cb := callback(t, command, body)
		s := env.Bind(cb, noon)
		defer s.Release()
		for i, c := range slices.Concat(total, partial) {
			before := s.total
			_, err := s.Eval(c)
			if before-s.total > evaluationSteps || s.total < 0 {
				rt.Fatalf("%s took %d steps", c.Source(), before-s.total)
			}
			if err != nil && i < len(total) {
				rt.Fatalf("%s fails: %v", c.Source(), err)
			}
			s.Explain(c)
		}
	})
}

// jsonValue generates any JSON value.
func jsonValue(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int().AsAny(), rapid.Float64Range(-1e6, 1e6).AsAny(),
		rapid.SampledFrom([]string{"", "a", "abc", `{"x":{"y":[1]}}`, `[1,"a",null]`, "\x00", "ü"}).AsAny(), rapid.String().AsAny(),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	names := rapid.SampledFrom([]string{"x", "y", "userID", "createTime", "value"})
	return rapid.OneOf(append(scalars,
		rapid.SliceOfN(jsonValue(depth-1), 0, 4).AsAny(),
		rapid.MapOfN(names, jsonValue(depth-1), 0, 3).AsAny())...)
}
