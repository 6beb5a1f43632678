package when

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/rules/formula"
)

// What a formula claims is so: where it does not hold the condition does not have the outcome, and where an exact one
// holds it has.
func TestFormulasHoldWhereConditionsDo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		src := testkit.Condition(rt)
		c, problems := Compile(src, commandsNamed(t, groupMsg))
		if c == nil {
			rt.Skip(problems)
		}
		candidate, whenTrue, whenFalse := c.Candidate(), c.WhenTrue(), c.WhenFalse()
		s := NewEnv([]*Cond{c}).Bind(callback(t, groupMsg, testkit.Body(rt)), noon)
		defer s.Release()
		got, err := s.Eval(c)
		for _, claim := range []struct {
			about   string
			f       formula.Formula
			outcome bool
		}{
			{"true or failed", candidate, got || err != nil},
			{"true", whenTrue, got && err == nil},
			{"false", whenFalse, !got && err == nil},
		} {
			holds := claim.f.Holds(s.Field)
			if !holds && claim.outcome {
				rt.Fatalf("%s is %v, %v, but the formula for %s is %v, which does not hold", src, got, err, claim.about, claim.f)
			}
			if holds && claim.f.Exact && !claim.outcome {
				rt.Fatalf("%s is %v, %v, but the formula for %s is exactly %v, which holds", src, got, err, claim.about, claim.f)
			}
		}
	})
}

// Lower-case texts stay as they are: a literal with others never equals lower(…).
func TestLowerIsLower(t *testing.T) {
	for r := range rune(unicode.MaxRune + 1) {
		if once := strings.ToLower(string(r)); strings.ToLower(once) != once {
			t.Errorf("lower(%q) is %q, whose lower case is another", r, once)
		}
	}
}

// What once led an index astray, or would: each row is a condition and what it makes necessary for true or a failure.
func TestTrapsOfFormulas(t *testing.T) {
	for _, row := range []struct{ says, src, want string }{
		{"an empty range holds nothing", `seq in 3..1`, "never"},
		{"ranges that do not meet hold nothing", `seq > 5 && seq < 3`, "never"},
		{"large numbers of unknown type are compared inexactly", `data.y == 9007199254740993`, "anything"},
		{"large numbers of known type are exact", `seq == 9007199254740993`, "seq == 9007199254740993"},
		{"nothing is in a set with the empty text", `data.x in ["", "x"]`, "anything"},
		{"patterns fold more letters than lower does", `groupID matches "(?i)ſ"`, `groupID in any case contains "S"`},
		{"lower is what lower makes", `lower(groupID) == "i"`, `lower(groupID) == "i"`},
		{"len counts characters", `len(groupID) == 1`, "len(groupID) == 1"},
		{"slices count bytes and say nothing", `groupID[0:1] == "a"`, "anything"},
		{"a range of unknown type is not negated", `!(data.y < 5)`, "anything"},
		{"a range of known type is", `!(seq < 5)`, "seq >= 5"},
		{"in may look for a key", `"x" in data`, "anything"},
		{"all is true of an empty list", `all(atUserList, # == "a")`, "anything"},
		{"none is true of an empty list", `none(atUserList, # != "a")`, "anything"},
		{"what can fail hides what stands behind it", `int(data.y) > 1 && groupID == "a"`, "anything"},
		{"but not what stands before it", `groupID == "a" && int(data.y) > 1`, `groupID == "a"`},
		{"either side of or may fail", `groupID == "a" || int(data.y) > 1`, "anything"},
		{"a variable that can fail hides all", `let n = int(data.y); groupID == "a"`, "anything"},
		{"a question that can fail hides both answers", `int(data.y) > 1 ? groupID == "a" : groupID == "b"`, "anything"},
		{"the first of a list may be nothing", `first(atUserList) == "a"`, "anything"},
		{"x && true is x, which may be no boolean", `(data.x && true) && groupID == "a"`, "anything"},
		{"nor is it false where it is nothing", `!(data.x && true)`, "anything"},
		{"a variable may be no boolean either", `let v = data.x; (v && true) && groupID == "a"`, "anything"},
		{"a member without a name is not the whole", `data[""] == "a"`, "anything"},
		{"a NUL in a name is not the end of it", "data[\"x\\u0000y\"] == \"a\"", "anything"},
		{"an entry by number may be missing", `atUserList[0] == "a" && groupID == "a"`, "anything"},
		{"a set of texts fails for other values", `data.x in ["a"] && groupID == "a"`, "anything"},
		{"a broken character of a pattern is any broken byte", "groupID matches '�'", "anything"},
		{"a pattern begins where the text does", `groupID matches "^a|^b"`, `groupID startsWith one of ["a", "b"]`},
		{"but not with flag m", `groupID matches "(?m)^a"`, `groupID contains "a"`},
		{"what is repeated never or more says nothing", `groupID matches "(abc)*"`, "anything"},
		{"a costly pattern fails for long texts", `text matches "[a-z]{200}refund"`, `bytes of text >= 24615 || text contains "refund"`},
	} {
		c := mustCompile(t, row.src, groupMsg)
		if got := c.Candidate().String(); got != row.want {
			t.Errorf("%s: %s makes %s necessary, want %s", row.says, row.src, got, row.want)
		}
	}
}

// A condition that runs out of its steps fails, and its formula holds for what makes it.
func TestFormulasHoldWhereStepsRunOut(t *testing.T) {
	hostile := hostileMessage(t)
	for _, src := range append(runaways,
		`groupID == "other" && any(atUserList, any(atUserList, # == "x")) || text matches "(?i)[a-z]{300}z"`,
		`any(atUserList, # == "x") || any(atUserList, # startsWith "y") || any(atUserList, # endsWith "z")`,
		`text matches "(?i)[a-z]{90}refund"`, `lower(content) contains "z" || text matches "x{60}" || content matches "y{60}"`,
		`count(split(content, "a"), # == "b") == 1`, `len(filter(atUserList, # != "")) == 3 || len(filter(atUserList, # != "a")) == 5 || content matches "x{50}"`,
		`has("ex") && json(ex) == nil || json(content).x == 1 || "u" in split(content, "")`,
	) {
		c := mustCompile(t, src, groupMsg)
		for _, cb := range []*openim.Callback{hostile, groupMessage(t, nil)} {
			s := NewEnv([]*Cond{c}).Bind(cb, noon)
			if got, err := s.Eval(c); (got || err != nil) && !c.Candidate().Holds(s.Field) {
				t.Errorf("%s is %v, %v, but the formula %v does not hold", src, got, err, c.Candidate())
			}
			s.Release()
		}
	}
}
