package when

import (
	"slices"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
)

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
