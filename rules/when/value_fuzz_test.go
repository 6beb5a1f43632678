package when

import (
	"encoding/json"
	"testing"

	"callboard/openim"
)

// Whatever somebody writes as a value, compiling does not panic and points at places that exist; what compiles ends within its
// budget for every callback, and comes to the same JSON each time, or to an error.
func FuzzCompileValue(f *testing.F) {
	for _, src := range []string{
		`{"group": groupID, "text": text, "who": map(atUserList, {{"id": #, "n": #index}})}`, `join(split(groupID, "-"), "/") + "x"`,
		`map(filter(atUserList, # startsWith "u"), # + groupID)`, `[raw, data, json(ex), headers, query.x, now, now.Month()]`,
		`let a = [raw, raw]; [a, a]`, `{(groupID): seq / 2, "b": nil, "c": now.Unix()}`, `count(map(atUserList, len(#)), # > 2) > 1 ? 1 : {}`,
		`map(map(atUserList, [#]), #[0])`, `any(map(atUserList, #), # == "u1")`, `first(map(filter(atUserList, true), upper(#)))`,
	} {
		f.Add(src, true)
		f.Add(src, false)
	}
	callbacks := []*openim.Callback{groupMessage(f, nil), hostileMessage(f), callback(f, "beforeUserRegister"), callback(f, "callbackNewCommand")}
	f.Fuzz(func(t *testing.T, src string, one bool) {
		var commands []string
		if one {
			commands = []string{groupMsg}
		}
		for _, compile := range []func(string, []*openim.Command) (*Value, []Problem){CompileValue, CompileText} {
			v, problems := compile(src, commandsNamed(t, commands...))
			for _, p := range problems {
				if p.Start < 0 || p.End > len(src) || p.Start > p.End || p.Message == "" || p.ID == "" {
					t.Fatalf("%q has a problem at no place: %+v", src, p)
				}
			}
			if v == nil {
				if len(problems) == 0 {
					t.Fatalf("%q fails without a problem", src)
				}
				continue
			}
			env := NewValueEnv([]*Value{v})
			for _, cb := range callbacks {
				s := env.Bind(cb, noon)
				value, err := s.Value(v)
				if steps := callbackSteps - s.total; steps > evaluationSteps || err != nil && value != nil {
					t.Fatalf("%q took %d steps and gave %v, %v", src, steps, value, err)
				}
				if err == nil {
					holdsJSON(t, src, value, v)
				}
				_, _ = s.Text(v)
				s.Release()
			}
		}
	})
}

func holdsJSON(t *testing.T, src string, value any, v *Value) {
	raw, err := AppendJSON(nil, value)
	again, err2 := AppendJSON(nil, value)
	if string(raw) != string(again) || (err == nil) != (err2 == nil) || err == nil && !json.Valid(raw) {
		t.Fatalf("%q is %.200s, %v; then %.200s, %v", src, raw, err, again, err2)
	}
	if err == nil && raw[0] == '{' && !v.MayBeObject() {
		t.Fatalf("%q is an object, which it may not be: %.200s", src, raw)
	}
}
