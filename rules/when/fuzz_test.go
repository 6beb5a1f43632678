package when

import (
	"testing"
	"unicode/utf8"

	"callboard/openim"
)

// Whatever somebody writes, Compile does not panic and points at places that exist; whatever
// compiles ends within its budget for every callback, and can be explained.
func FuzzCompile(f *testing.F) {
	for _, src := range typical {
		f.Add(src, true)
	}
	for _, src := range []string{
		`any(atUserList, any(atUserList, # == "x")) ? data?.a[0]["b"] == json(ex).c : now - now > duration("1h")`,
		`let x = filter(atUserList, # != "" and #index > 1); len(x) in 1..5 or not (text matches "(?i)a|b{2}")`,
		`glob(groupID, "*a?b*") && sample(0.5, sendID) && weekday("UTC") in ["Sat"] && command == "beforeSendGroupMsg"`,
		`raw.x | string() | split(",") | any({# == 'ü'}) and headers["X"] not contains query.y`,
		`if groupID == "a" { seq > 1 } else { -seq ** 2 >= 0x10 }`, `{a: 1}.a == 1 ?? true`, `groupID[1:2] == "u" || [1, 2.5, nil][0] == 1`,
		`!(groupID = "x`, `a | b`, `any(1..9, #)`, `groupID`, `groupID == "" ? sendID : seq`, `source + "/" + string(seq)`,
		"`x` == \"\\u{1F600}\" /* c */ // d", `$env["groupID"]`, `data.a.b() == ::len("x")`,
	} {
		f.Add(src, false)
	}
	callbacks := []*openim.Callback{groupMessage(f, nil), hostileMessage(f), callback(f, "beforeUserRegister"), callback(f, "callbackNewCommand")}
	f.Fuzz(func(t *testing.T, src string, one bool) {
		var commands []string
		if one {
			commands = []string{groupMsg}
		}
		c, problems := Compile(src, commandsNamed(t, commands...))
		for _, p := range problems {
			if p.Start < 0 || p.End > len(src) || p.Start > p.End || p.Message == "" || p.ID == "" {
				t.Fatalf("Compile(%q) has a problem at no place: %+v", src, p)
			}
			if utf8.ValidString(src) && !utf8.ValidString(src[p.Start:p.End]) {
				t.Fatalf("Compile(%q) has a problem within a character: %+v", src, p)
			}
			if p.ID == "not-understood" && c != nil {
				t.Fatalf("Compile(%q) is both sound and not: %+v", src, p)
			}
		}
		checkKey(t, src, commandsNamed(t, commands...), callbacks)
		if c == nil {
			if len(problems) == 0 {
				t.Fatalf("Compile(%q) fails without a problem", src)
			}
			return
		}
		env := NewEnv([]*Cond{c})
		for _, cb := range callbacks {
			s := env.Bind(cb, noon)
			_, _ = s.Eval(c)
			if steps := callbackSteps - s.total; steps > evaluationSteps {
				t.Fatalf("%q took %d steps", src, steps)
			}
			if len(s.Explain(c)) == 0 {
				t.Fatalf("%q has no explanation", src)
			}
			s.Explain(c, "headers", "groupID", "raw")
			s.Near(c)
			s.Release()
		}
	})
}

// checkKey holds CompileKey to the same, and to giving no value with an error.
func checkKey(t *testing.T, src string, commands []*openim.Command, callbacks []*openim.Callback) {
	k, problems := CompileKey(src, commands)
	for _, p := range problems {
		if p.Start < 0 || p.End > len(src) || p.Start > p.End || p.Message == "" || p.ID == "" {
			t.Fatalf("CompileKey(%q) has a problem at no place: %+v", src, p)
		}
	}
	if k == nil {
		if len(problems) == 0 {
			t.Fatalf("CompileKey(%q) fails without a problem", src)
		}
		return
	}
	env := NewEnv(nil, k)
	for _, cb := range callbacks {
		s := env.Bind(cb, noon)
		got, err := s.Key(k)
		if steps := callbackSteps - s.total; steps > evaluationSteps || err != nil && got != "" {
			t.Fatalf("%q took %d steps and gave %q, %v", src, steps, got, err)
		}
		if again, err2 := s.Key(k); again != got || (err == nil) != (err2 == nil) {
			t.Fatalf("%q gave %q, %v; then %q, %v", src, got, err, again, err2)
		}
		s.Release()
	}
}
