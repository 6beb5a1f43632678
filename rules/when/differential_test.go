package when

import (
	"fmt"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"
)

// Rewriting must not change what a condition means: random conditions over typed fields give what
// plain expr makes of them.
func TestRewrittenConditionsMeanTheSame(t *testing.T) {
	s := schemaFor(commandsNamed(t, groupMsg))
	rapid.Check(t, func(rt *rapid.T) {
		src := condition(rt, 4, false)
		body := map[string]any{}
		for _, name := range []string{"groupID", "sendID", "ex"} {
			body[name] = rapid.SampledFrom(texts).Draw(rt, name)
		}
		for _, name := range []string{"seq", "status", "msgFrom"} {
			body[name] = rapid.IntRange(-2, 4).Draw(rt, name)
		}
		list := rapid.SliceOfN(rapid.SampledFrom(texts), 0, 4).Draw(rt, "atUserList")
		entries := make([]any, len(list))
		for i := range list {
			entries[i] = list[i]
		}
		body["atUserList"] = entries

		plain, err := expr.Compile(src, expr.Env(s.types))
		if err != nil {
			rt.Fatalf("expr does not compile %s: %v", src, err)
		}
		want, wantErr := expr.Run(plain, body)
		c, problems := Compile(src, commandsNamed(t, groupMsg))
		if c == nil {
			rt.Fatalf("%s: %+v", src, problems)
		}
		scope := NewEnv([]*Cond{c}).Bind(callback(t, groupMsg, body), noon)
		defer scope.Release()
		got, err := scope.Eval(c)
		if wantErr == nil && (got != want || err != nil) || wantErr != nil && err == nil {
			rt.Fatalf("%s for %v is %v, %v; plain expr says %v, %v", src, body, got, err, want, wantErr)
		}
		if whole := scope.Explain(c)[0]; err == nil && whole.Value != fmt.Sprint(got) {
			rt.Fatalf("%s is %v, its explanation says %s", src, got, whole.Value)
		}
	})
}

var texts = []string{"", "a", "b", "ab", "A", "ü"}

// condition writes a random condition; inside a loop it may also speak of the entry.
func condition(t *rapid.T, depth int, inLoop bool) string {
	pick := func(choices ...string) string { return rapid.SampledFrom(choices).Draw(t, "choice") }
	text := func() string {
		choices := []string{"groupID", "sendID", "ex", "lower(groupID)", `"a"`, `"ab"`, `groupID[0:1]`, `trimPrefix(ex, "a")`, `string(seq)`}
		if inLoop {
			choices = append(choices, "#", "#", "upper(#)")
		}
		return pick(choices...)
	}
	number := func() string {
		return pick("seq", "status", "msgFrom", "len(groupID)", "len(atUserList)", "-1", "2", "seq + status", "(msgFrom * 2)",
			`count(atUserList, # == "a")`, `indexOf(ex, "b")`)
	}
	sub := func() string { return condition(t, depth-1, inLoop) }
	kinds := 9
	if depth > 0 {
		kinds = 15
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0, 1:
		return text() + pick(" == ", " != ", " < ") + text()
	case 2, 3:
		return number() + pick(" == ", " > ", " <= ") + number()
	case 4:
		return text() + pick(" contains ", " startsWith ", " endsWith ", " not contains ") + text()
	case 5:
		return text() + pick(" in ", " not in ") + pick("atUserList", `["a", "b"]`, `["a"]`, `filter(atUserList, # != "a")`)
	case 6:
		return number() + pick(" in ", " not in ") + pick("[1, 2]", "-1..2", "[seq, 3]", "5..1")
	case 7:
		return text() + " matches " + pick(`"^a"`, `"(?i)A|b"`, `"ü$"`)
	case 8:
		return pick("true", "false")
	case 9:
		return number() + " < " + number() + " <= " + number()
	case 10, 11:
		return "(" + sub() + pick(" && ", " and ", " || ", " or ") + sub() + ")"
	case 12:
		return pick("!", "not ") + "(" + sub() + ")"
	case 13:
		if inLoop {
			return sub()
		}
		return pick("any", "all", "none", "one") + "(" + pick("atUserList", `split(ex, "")`, `["a", "b"]`) + ", " + condition(t, depth-1, true) + ")"
	case 14:
		return "(" + sub() + " ? " + sub() + " : " + sub() + ")"
	default:
		name := fmt.Sprintf("v%d", depth)
		if inLoop || strings.Contains(name, "-") {
			return sub()
		}
		return "(let " + name + " = " + text() + "; " + name + " == groupID || " + sub() + ")"
	}
}
