package when

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"callboard/internal/testkit"
)

// A rewrite stands in place of the part that the gap names, and means the same: where neither fails, both are true or
// both are not.
func TestRewrites(t *testing.T) {
	for _, row := range []struct{ says, src, text, rewrite string }{
		{"of an or, not an and", `not (int(data.y) > 3 || groupID != "a")`, `int(data.y) > 3`, `groupID != "a" || int(data.y) > 3`},
		{"what can fail goes behind", `int(data.y) > 3 && groupID == "a"`, `int(data.y) > 3`, `groupID == "a" && int(data.y) > 3`},
		{"a default needs brackets", `(data.x ?? "a") in ["b"]`, `(data.x ?? "a") in ["b"]`, `(data.x ?? "a") == "b"`},
		{"so does a default that is true", `(data.x ?? true) || seq == 1`, `data.x ?? true`, `(data.x ?? true) == true`},
		{"not in is no list of equalities", `data.x not in ["a", "b"]`, `data.x not in ["a", "b"]`, ""},
		{"what is missing is in a set with the empty text", `data.x in ["a", ""]`, `data.x in ["a", ""]`, ""},
		{"what && true leaves", `data.x in ["b"] && "a" == "a"`, `data.x in ["b"]`, `data.x == "b"`},
		{"a list is lowered, too", `upper(groupID) in ["VIP", "Ab"]`, `upper(groupID) in ["VIP", "Ab"]`, `lower(groupID) in ["ab", "vip"]`},
		{"an escape stays what it is", `upper(groupID) == "\u00c4\n"`, `upper(groupID) == "\u00c4\n"`, `lower(groupID) == "ä\n"`},
		{"what only excludes is not lowered", `upper(groupID) != "VIP"`, `upper(groupID) != "VIP"`, ""},
		{"nor what is not in a list", `upper(groupID) not in ["VIP"]`, `upper(groupID) not in ["VIP"]`, ""},
	} {
		gaps := mustCompile(t, row.src, groupMsg).Gaps()
		if len(gaps) == 0 {
			t.Errorf("%s: %s has no gap", row.says, row.src)
			continue
		}
		if got := gaps[0]; got.Text != row.text || got.Rewrite != row.rewrite {
			t.Errorf("%s: of %s the part %s is rewritten as %q, want %s as %q", row.says, row.src, got.Text, got.Rewrite, row.text, row.rewrite)
		}
	}
}

func TestRewritesMeanTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		src := testkit.Condition(rt)
		commands := commandsNamed(t, groupMsg)
		c, problems := Compile(src, commands)
		if c == nil {
			rt.Skip(problems)
		}
		body := testkit.Body(rt)
		for _, gap := range c.Gaps() {
			if gap.Rewrite == "" || gap.Hides || strings.Contains(gap.Because, "upper") || strings.Count(src, gap.Text) != 1 {
				continue // what hides is rewritten with what stands behind it; some letters differ in upper(…) and lower(…)
			}
			before, after, _ := strings.Cut(src, gap.Text)
			same, problems := Compile(before+"("+gap.Rewrite+")"+after, commands)
			if same == nil {
				rt.Fatalf("%s: the rewrite of %s does not compile: %s: %v", src, gap.Text, gap.Rewrite, problems)
			}
			s := NewEnv([]*Cond{c, same}).Bind(callback(t, groupMsg, body), noon)
			got, errGot := s.Eval(same)
			want, errWant := s.Eval(c)
			if got != want && errGot == nil && errWant == nil {
				rt.Fatalf("%s is %v, and %v with %s in place of %s: %v", src, want, got, gap.Rewrite, gap.Text, body)
			}
			s.Release()
		}
	})
}
