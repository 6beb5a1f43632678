package when

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"callboard/openim"
)

func TestCompilerCompilesOnce(t *testing.T) {
	var c Compiler
	group, single := commandsNamed(t, groupMsg), commandsNamed(t, "beforeSendSingleMsg")
	first, _ := c.Compile(`sendID == "u1"`, group)
	again, _ := c.Compile(`sendID == "u1"`, group)
	other, _ := c.Compile(`sendID == "u1"`, single)
	if first == nil || first != again || first == other {
		t.Errorf("one condition of one command, of it again, of another: %p, %p, %p", first, again, other)
	}
	_, problems := c.Compile(`groupID == `, group)
	if _, same := c.Compile(`groupID == `, group); len(problems) == 0 || fmt.Sprint(same) != fmt.Sprint(problems) {
		t.Errorf("problems %v, and when compiled again %v", problems, same)
	}
	key, _ := c.CompileKey("sendID", group)
	if sameKey, _ := c.CompileKey("sendID", group); key == nil || key != sameKey {
		t.Errorf("a key %p, and again %p", key, sameKey)
	}
	if got := c.Compiled(); got != 4 {
		t.Errorf("%d expressions compiled, want 4", got)
	}
}

func TestCompilerForgetsWhatIsOutOfUse(t *testing.T) {
	var c Compiler
	var conds []*Cond
	for i := range 4 * spare {
		cond, _ := c.Compile(fmt.Sprintf(`sendID == "u%d"`, i), nil)
		conds = append(conds, cond)
	}
	c.Forget(conds, nil, nil)
	if len(c.conds) != len(conds) {
		t.Errorf("of %d conditions in use, %d are kept", len(conds), len(c.conds))
	}
	c.Forget(conds[:10], nil, nil)
	if len(c.conds) != 10 {
		t.Errorf("of 10 conditions in use, %d are kept", len(c.conds))
	}
	if again, _ := c.Compile(`sendID == "u0"`, nil); again != conds[0] {
		t.Error("a condition in use was forgotten")
	}
}

// What programs share, and what is taken out of them, changes neither results nor errors.
func TestCompactProgramsDoTheSame(t *testing.T) {
	compiler := &Compiler{}
	commands := commandsNamed(t, groupMsg)
	compare := func(t rapid.TB, src string, cb *openim.Callback) {
		want, problems := Compile(src, commands)
		if want == nil {
			t.Fatalf("%s: %v", src, problems)
		}
		got, _ := compiler.Compile(src, commands)
		if code(got) != code(want) {
			t.Fatalf("%s compiles to %s, want %s", src, code(got), code(want))
		}
		scope := func(c *Cond) *Scope { return NewEnv([]*Cond{c}).Bind(cb, noon) } // each with a machine of its own
		wantTrue, wantErr := scope(want).Eval(want)
		gotTrue, gotErr := scope(got).Eval(got)
		if gotTrue != wantTrue || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Fatalf("%s is %t (%v), want %t (%v)", src, gotTrue, gotErr, wantTrue, wantErr)
		}
	}
	cb := groupMessage(t, map[string]any{"ex": "{"})
	for _, src := range append(typical, `json(ex).vip > 2`, `atUserList[5] == "u"`, `let x = sendID; let y = groupID; any(atUserList, # == x || # == y)`,
		`hourIn("09:00", "18:00", "Asia/Shanghai")`, `sample(0.5, sendID)`, `text matches "(?i)refund"`, `headers["x-real-ip"] == "10.1.2.3"`) {
		compare(t, src, cb)
		if kept, _ := compiler.Compile(src, commands); kept.program.Node() != nil {
			t.Errorf("%s keeps its tree", src)
		}
	}
	rapid.Check(t, func(rt *rapid.T) { compare(rt, condition(rt, 4, false), cb) })
}

// code is all of a program that runs.
func code(c *Cond) string {
	p := c.program
	return fmt.Sprintf("%v %v %d %v %v %v", p.Bytecode, p.Arguments, len(p.Constants), p.Locations(), c.slots, c.reads)
}
