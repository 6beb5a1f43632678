package when

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"callboard/openim"
)

// spent evaluates a condition and returns the steps it took.
func spent(t testing.TB, c *Cond, cb *openim.Callback) (int, error) {
	t.Helper()
	s := NewEnv([]*Cond{c}).Bind(cb, noon)
	defer s.Release()
	_, err := s.Eval(c)
	return callbackSteps - s.total, err
}

// hostileMessage has as much of everything as a sender can put into a message.
func hostileMessage(t testing.TB) *openim.Callback {
	mentions := make([]string, 3*maxEntries)
	for i := range mentions {
		mentions[i] = fmt.Sprintf("user-%d", i)
	}
	long := strings.Repeat("aé", maxString)
	return groupMessage(t, map[string]any{"atUserList": mentions, "content": long, "ex": "[" + strings.Repeat("[1],", 12_000) + "[1]]"})
}

// runaways are conditions that would take far too long for a hostile message.
var runaways = []string{
	`any(atUserList, any(atUserList, # == "x"))`,
	`any(atUserList, any(atUserList, false))`,
	`all(atUserList, count(atUserList, # != "") > 5)`,
	`count(atUserList, len(filter(atUserList, # != "")) == 5) > 3`,
	`any(atUserList, content contains "zzz")`,
	`any(atUserList, len(content) == 5)`,
	`any(atUserList, lower(content) == "x")`,
	`any(atUserList, content matches "(x|y)+$")`,
	`any(atUserList, "x" in filter(atUserList, true))`,
	`any(atUserList, "x" in atUserList or "y" in atUserList)`,
	`any(atUserList, content > text)`,
	`any(atUserList, raw == data)`,
	`any(atUserList, json(ex) == json(data.x ?? text))`,
	`any(atUserList, len(split(content, "a")) == 1)`,
	`any(split(content, ""), # == "x" && # == "y" && # == "z")`,
	`any(json(ex), any(json(ex), #[0] == 2))`,
	`let r = atUserList; let q = r; all(r, all(q, # != ""))`,
	`let a = filter(atUserList, true); let b = filter(a, true); let c = filter(b, true); len(c) > 5`,
	`content matches "([aé]{300})z"`,
	`any(atUserList, # matches "[a-z]{400}[0-9]{400}")`,
	`any(atUserList, sample(0, content) or inCIDR(content, "10.0.0.0/8"))`,
	`any(atUserList, "x" in split(content, "é"))`,
	`any(atUserList, [content, content, content] != [content, text, content])`,
}

func TestNoConditionRunsAway(t *testing.T) {
	cb := hostileMessage(t)
	for _, src := range runaways {
		c := mustCompile(t, src, groupMsg)
		steps, err := spent(t, c, cb)
		if !errors.Is(err, ErrBudget) {
			t.Errorf("%s took %d steps, error %v; want it to run out of its budget", src, steps, err)
		}
		if steps > evaluationSteps {
			t.Errorf("%s took %d steps, %d are allowed", src, steps, evaluationSteps)
		}
	}
}

// What a rule is likely to say fits into the budget for the longest lists and texts.
func TestOrdinaryConditionsFitTheBudget(t *testing.T) {
	cb := hostileMessage(t)
	for _, src := range []string{
		`any(atUserList, # startsWith "bot-")`,
		`count(atUserList, # matches "^bot-[0-9]+$") > 3`,
		`text matches "(?i)refund|chargeback|money back"`,
		`lower(content) contains "refund"`,
		`mentions("u1") || mentions("u2") || mentionsAll()`,
		`let a = content + content; let b = a + a; let c = b + b; let d = c + c; len(d) > 5`,
		`json(ex)[3][0] == 1`,
	} {
		if steps, err := spent(t, mustCompile(t, src, groupMsg), cb); err != nil {
			t.Errorf("%s took %d steps: %v", src, steps, err)
		}
	}
}

func TestConditionsOfACallbackShareABudget(t *testing.T) {
	c := mustCompile(t, `any(atUserList, # == "x")`, groupMsg)
	cheap := mustCompile(t, `groupID == "support-1"`, groupMsg)
	s := NewEnv([]*Cond{c, cheap}).Bind(hostileMessage(t), noon)
	defer s.Release()
	for i := range callbackSteps / maxEntries {
		if _, err := s.Eval(c); err != nil {
			t.Fatalf("evaluation %d: %v", i, err)
		}
	}
	if _, err := s.Eval(c); !errors.Is(err, ErrBudget) || !strings.Contains(err.Error(), "together") {
		t.Errorf("after %d steps: error %v, want the shared budget's", callbackSteps-s.total, err)
	}
	if matched, err := s.Eval(cheap); !matched || err != nil {
		t.Errorf("a condition that costs nothing: %v, %v", matched, err)
	}
	for _, p := range s.Explain(cheap) {
		if p.Err {
			t.Errorf("explaining with an empty budget: %+v", p)
		}
	}
}

func TestLongInputIsCutAndNoted(t *testing.T) {
	c := mustCompile(t, `len(atUserList) == 10000 && len(content) < 65536 && len(text) > 0 && len(raw.atUserList) == 10000 && has("ex")`, groupMsg)
	s := NewEnv([]*Cond{c}).Bind(hostileMessage(t), noon)
	if matched, err := s.Eval(c); !matched || err != nil {
		t.Errorf("got %v, %v", matched, err)
	}
	want := "atUserList: rules see the first 10000 of 30000 entries\n" +
		"content: rules see the first 65536 of 196608 bytes\n" +
		"text: rules see the first 65536 of 196608 bytes"
	if got := strings.Join(s.Notes(), "\n"); got != want {
		t.Errorf("notes\n%s\nwant\n%s", got, want)
	}
	content := s.variables["content"].(string)
	if !strings.HasSuffix(content, "é") && !strings.HasSuffix(content, "a") {
		t.Errorf("content is cut within a character: %q", content[len(content)-3:])
	}
	s.Release()

	env := NewEnv([]*Cond{c})
	long := groupMessage(t, map[string]any{"content": strings.Repeat("x", maxString+1)})
	for range 10 {
		for cb, want := range map[*openim.Callback]int{long: 2, groupMessage(t, nil): 0} {
			s := env.Bind(cb, noon)
			if len(s.Notes()) != want {
				t.Errorf("%d notes %q, want %d", len(s.Notes()), s.Notes(), want)
			}
			s.Release()
		}
	}
}

func TestSizeOfTheSourceIsBounded(t *testing.T) {
	list := func(n int) string {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("%q", fmt.Sprintf("group-%06d", i))
		}
		return "groupID in [" + strings.Join(ids, ", ") + "]"
	}
	repeat := func(s, sep string, n int) string { return strings.TrimSuffix(strings.Repeat(s+sep, n), sep) }
	for _, row := range []struct {
		says string
		src  string
		id   string // "": compiles
	}{
		{"a list of ten thousand literals", list(10_000), ""},
		{"a list of ten thousand negative numbers", "contentType in [" + repeat("-5", ", ", 10_000) + "]", ""},
		{"a list of literals beyond a megabyte", list(100_000), "too-long"},
		{"four hundred comparisons", repeat(`groupID == "g"`, " || ", 400), ""},
		{"a thousand comparisons", repeat(`groupID == "g"`, " || ", 800), "too-long"},
		{"seventeen thousand bytes of text", `groupID == "` + strings.Repeat("x", 17_000) + `"`, "too-long"},
		{"nothing but brackets", strings.Repeat("(", 500_000), "too-long"},
		{"nothing but exclamation marks", strings.Repeat("!", 500_000), "too-long"},
		{"nothing but list brackets", strings.Repeat("[", 500_000), "too-long"},
		{"sixteen thousand brackets", strings.Repeat("(", 16_000), "syntax"},
		{"sixteen thousand exclamation marks", strings.Repeat("!", 16_000) + "true", "too-long"},
	} {
		c, problems := Compile(row.src, commandsNamed(t, groupMsg))
		switch {
		case row.id == "" && c == nil:
			t.Errorf("%s: %+v", row.says, problems)
		case row.id != "" && (len(problems) != 1 || problems[0].ID != row.id):
			t.Errorf("%s: %.300v, want %s", row.says, problems, row.id)
		}
	}
	c := mustCompile(t, list(10_000), groupMsg)
	for id, want := range map[string]bool{"group-009999": true, "group-010000": false} {
		if got, err := eval(t, c, groupMessage(t, map[string]any{"groupID": id})); got != want || err != nil {
			t.Errorf("%s in the list: %v, %v", id, got, err)
		}
	}
}
