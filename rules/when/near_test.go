package when

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// marks renders what an explanation marks: the truth of the whole, what was skipped, what was missing and wanted.
func marks(t *testing.T, src string, with map[string]any, unknown ...string) string {
	t.Helper()
	c := mustCompile(t, src, groupMsg)
	s := NewEnv([]*Cond{c}).Bind(groupMessage(t, with), noon)
	defer s.Release()
	parts := s.Explain(c, unknown...)
	said := []string{parts[0].Truth.String()}
	for _, p := range parts {
		if p.Skipped && !p.IsField {
			said = append(said, "skipped "+p.Text)
		}
		if p.Missing {
			said = append(said, strings.TrimSuffix(p.Text+" wanted "+p.Wanted, " wanted "))
		}
	}
	return strings.Join(said, "; ")
}

func TestWhatWasMissing(t *testing.T) {
	for _, row := range []struct {
		says, src, want string
	}{
		{"of and, all that are false", `groupID == "a" && seq == 0 && sendID == "b"`,
			`false; groupID == "a" wanted "a"; skipped seq == 0; skipped sendID == "b"; sendID == "b" wanted "b"`},
		{"of or, the least", `groupID == "a" && sendID == "b" || seq == 5`, `false; skipped sendID == "b"; seq == 5 wanted 5`},
		{"of or, the way that has come further", `groupID == "a" || seq == 5 && msgFrom == 100`,
			`false; seq == 5 wanted 5; skipped msgFrom == 100`},
		{"not swaps them", `not (groupID == "support-1" || seq == 5)`, `false; groupID == "support-1" wanted anything but "support-1"; skipped seq == 5`},
		{"of a ternary, the shorter way", `seq == 0 ? sendID == "a" && groupID == "b" : msgFrom == 100`,
			`false; seq == 0 wanted anything but 0; skipped groupID == "b"; skipped msgFrom == 100`},
		{"below a variable", `let g = lower(groupID); g == "x" && seq == 0`, `false; g == "x" wanted "x"; skipped seq == 0`},
		{"loops are one", `any(atUserList, # == "x") && seq == 0`, `false; any(atUserList, # == "x"); skipped seq == 0`},
		{"what fails would have to come out otherwise", `data.nothing > 5 && seq == 0`, `unknown; data.nothing > 5; skipped seq == 0`},
		{"an error behind what decides changes nothing", `seq == 0 || data.nothing > 5`, `true; skipped data.nothing > 5`},
		{"what is written out cannot change", `(seq == 1 && false) || msgFrom == 1`, `false; msgFrom == 1 wanted 1`},
		{"nothing counts as false", `data.nothing || seq == 5`, `false; data.nothing`},
		{"and not of it as true", `!data.nothing && seq == 5`, `false; seq == 5 wanted 5`},
		{"what is no truth fails", `data.content || seq == 0`, `unknown; data.content; skipped seq == 0`},
		{"nothing helps", `seq == 1 && false`, `false`},
		{"lists", `contentType in [Picture, Video] && sendID not in ["u0", "u1"] && seq in 1..5`,
			`false; contentType in [Picture, Video] wanted one of Picture (102), Video (104); skipped sendID not in ["u0", "u1"]; ` +
				`sendID not in ["u0", "u1"] wanted none of "u0", "u1"; skipped seq in 1..5; seq in 1..5 wanted 1 to 5`},
		{"texts", `groupID startsWith "sales-" && sendID endsWith "x" && text contains "w" && not (text matches "(?i)refund")`,
			`false; groupID startsWith "sales-" wanted "sales-…"; skipped sendID endsWith "x"; sendID endsWith "x" wanted "…x"; ` +
				`skipped text contains "w"; text contains "w" wanted "…w…"; skipped not (text matches "(?i)refund"); skipped text matches "(?i)refund"; ` +
				`text matches "(?i)refund" wanted no match of "(?i)refund"`},
		{"numbers", `seq > 5 && !(seq <= 0) && 7 < seq`,
			`false; seq > 5 wanted more than 5; skipped !(seq <= 0); skipped seq <= 0; seq <= 0 wanted more than 0; skipped 7 < seq; 7 < seq wanted more than 7`},
		{"mentions", `mentions("x") && "y" not in atUserList`,
			`false; mentions("x") wanted one with "x"; skipped "y" not in atUserList`},
	} {
		if diff := cmp.Diff(row.want, marks(t, row.src, nil)); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", row.says, row.src, diff)
		}
	}
}

func TestWhatIsNotKnown(t *testing.T) {
	for _, row := range []struct {
		says, src, want string
	}{
		{"what reads it is unknown", `headers["X"] == "a"`, "unknown"},
		{"what does not read it decides", `headers["X"] == "a" && groupID == "a"`, `false; groupID == "a" wanted "a"`},
		{"also when it stands before", `groupID == "support-1" || headers["X"] == "a"`, `true; skipped headers["X"] == "a"`},
		{"a comparison that cannot fail leaves it to what follows", `headers["X"] == "a" || groupID == "support-1"`, "true"},
		{"one that may fail does not", `int(headers["X"]) > 5 || groupID == "support-1"`, "unknown"},
		{"not of what is unknown is", `!(headers["X"] == "a")`, "unknown"},
		{"a ternary whose ways agree", `headers["X"] == "a" ? seq == 0 : msgFrom == 100`, "true"},
		{"through a variable", `let x = headers["X"]; x == "a"`, "unknown"},
		{"has tells of the body", `has("ex")`, "true"},
	} {
		if diff := cmp.Diff(row.want, marks(t, row.src, nil, "headers")); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", row.says, row.src, diff)
		}
	}
	if got := marks(t, `has("ex")`, nil, "raw"); got != "unknown" {
		t.Errorf("has of a body that is not known is %s", got)
	}
}

// body draws the fields of a callback that random conditions read.
func drawBody(t *rapid.T) map[string]any {
	body := map[string]any{}
	for _, name := range []string{"groupID", "sendID", "ex"} {
		body[name] = rapid.SampledFrom(texts).Draw(t, name)
	}
	for _, name := range []string{"seq", "status", "msgFrom"} {
		body[name] = rapid.IntRange(-2, 4).Draw(t, name)
	}
	body["atUserList"] = rapid.SliceOfN(rapid.SampledFrom(texts), 0, 4).Draw(t, "atUserList")
	return body
}

// The parts of a condition come together to what the condition itself comes to, however they fail; with some of it unknown
// they contradict no value that it may have; and an estimate is never beyond what is missing.
func TestPartsComeTogether(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		src := condition(rt, 4, false)
		mayFail := rapid.Bool().Draw(rt, "may fail")
		if mayFail {
			src = fmt.Sprintf(`(%s) %s (%s %s (%s))`, src, rapid.SampledFrom([]string{"&&", "||"}).Draw(rt, "first"),
				rapid.SampledFrom([]string{`atUserList[1] == "a"`, "raw.nothing", "!raw.nothing", "raw.ex", "not raw.ex", "(raw.nothing ? seq == 0 : raw.seq == 0)"}).Draw(rt, "failing"),
				rapid.SampledFrom([]string{"&&", "||"}).Draw(rt, "second"), condition(rt, 2, false))
		}
		c := mustCompile(t, src, groupMsg)
		body := drawBody(rt)
		s := NewEnv([]*Cond{c}).Bind(callback(t, groupMsg, body), noon)
		defer s.Release()
		matched, err := s.Eval(c)
		want := truthOf(matched, err)

		explained := s.Explain(c)
		x := c.explained()
		e := explanation{scope: s, of: c, explainable: x, parts: make([]Part, len(x.parts)), came: map[*joint]outcomes{}}
		// expr leaves out what stands beside a literal that decides, with its error: of that only the whole can know.
		if came := e.comeTo(x.joints, false); came.truth() != want && (!mayFail || came != fails) {
			rt.Fatalf("%s for %v comes to %v, its parts to %v", src, body, want, came.truth())
		}
		missing := 0
		for _, p := range explained {
			if p.Missing {
				missing++
			}
		}
		if near := s.Near(c).Missing; want != True && near < unreachable && near > missing || want == True && missing > 0 {
			rt.Fatalf("%s for %v is %v: %d are missing, estimated as %d", src, body, want, missing, near)
		}

		unknown := rapid.SliceOfN(rapid.SampledFrom([]string{"groupID", "sendID", "ex", "seq", "atUserList"}), 1, 3).Draw(rt, "unknown")
		unknown = append(unknown, "raw") // which has them too
		said := s.Explain(c, unknown...)[0].Truth
		if short, _ := s.Truth(c, unknown...); short != said {
			rt.Fatalf("%s for %v without %v is %v, explained as %v", src, body, unknown, short, said)
		}
		other := drawBody(rt)
		for _, name := range unknown {
			body[name] = other[name]
		}
		completed := NewEnv([]*Cond{c}).Bind(callback(t, groupMsg, body), noon)
		defer completed.Release()
		matched, err = completed.Eval(c)
		if whole := truthOf(matched, err); said != Unknown && said != whole {
			rt.Fatalf("%s for %v is %v; said without %v: %v", src, body, whole, unknown, said)
		}
	})
}

// What a condition is taken apart into is as large as a hundred conditions: of a hundred thousand it is not kept for ever.
func TestPartsAreNotKept(t *testing.T) {
	c := mustCompile(t, `groupID == "a" && len(atUserList) > 2`, groupMsg)
	s := NewEnv([]*Cond{c}).Bind(callback(t, groupMsg, nil), noon)
	defer s.Release()
	if got := len(s.Explain(c)); got < 3 {
		t.Fatalf("%d parts", got)
	}
	runtime.GC()
	if c.apart.Value() != nil {
		t.Error("the parts are kept")
	}
	if got := len(s.Explain(c)); got < 3 {
		t.Errorf("%d parts the second time", got)
	}
}
