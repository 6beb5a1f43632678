package when

import (
	"fmt"
	"strings"
	"testing"

	"callboard/openim"

	"github.com/google/go-cmp/cmp"
)

// explain renders the explanation of a condition, indented by depth.
func explain(t *testing.T, src string, cb *openim.Callback) string {
	t.Helper()
	c := mustCompile(t, src, groupMsg)
	s := NewEnv([]*Cond{c}).Bind(cb, noon)
	defer s.Release()
	var lines []string
	for _, p := range s.Explain(c) {
		mark := ""
		if p.Err {
			mark = "!"
		}
		if at := src[p.Start:p.End]; at != p.Text && p.Start != p.End {
			t.Errorf("%q is said to stand where %q stands", p.Text, at)
		}
		wanted := map[string]Truth{"true": True, "false": False}[p.Value]
		if p.Err {
			wanted = Unknown
		}
		if p.Truth != wanted {
			t.Errorf("%q with the value %s: truth %q, want %q", p.Text, p.Value, p.Truth, wanted)
		}
		lines = append(lines, fmt.Sprintf("%s%s → %s%s", strings.Repeat("  ", p.Depth), p.Text, mark, p.Value))
	}
	return strings.Join(lines, "\n")
}

func TestExplain(t *testing.T) {
	for _, row := range []struct {
		says, src, want string
	}{
		{"operands and the fields they compare", `groupID startsWith "sales-" && contentType in [Text, AtText]`, `
groupID startsWith "sales-" && contentType in [Text, AtText] → false
  groupID startsWith "sales-" → false
    groupID → "support-1"
  contentType in [Text, AtText] → true
    contentType → 101`},
		{"a condition of one comparison", `sendID == groupID`, `
sendID == groupID → false
  sendID → "u0"
  groupID → "support-1"`},
		{"brackets are kept inside and left out around", `(seq == 0 or (seq == 1)) and not (sendID in ["a", "b"])`, `
(seq == 0 or (seq == 1)) and not (sendID in ["a", "b"]) → true
  seq == 0 or (seq == 1) → true
    seq == 0 → true
      seq → 0
    seq == 1 → false
      seq → 0
  not (sendID in ["a", "b"]) → true
    sendID in ["a", "b"] → false
      sendID → "u0"`},
		{"operands of one operator are beside each other", `seq == 0 && true && msgFrom == 100`, `
seq == 0 && true && msgFrom == 100 → true
  seq == 0 → true
    seq → 0
  msgFrom == 100 → true
    msgFrom → 100`},
		{"not in is one comparison", `sendID not in ["u0"]`, `
sendID not in ["u0"] → false
  sendID → "u0"`},
		{"chained comparisons are one", `100 < contentType <= 105`, `
100 < contentType <= 105 → true
  contentType → 101`},
		{"helpers show what they read", `mentions("u1") && hourIn("13:00", "14:00", "UTC") && len(atUserList) > 2`, `
mentions("u1") && hourIn("13:00", "14:00", "UTC") && len(atUserList) > 2 → false
  mentions("u1") → true
    atUserList → ["u1", "bot-2"]
  hourIn("13:00", "14:00", "UTC") → false
    now → 2026-03-06T12:00:00Z
  len(atUserList) > 2 → false
    atUserList → ["u1", "bot-2"]`},
		{"members are shown, errors too", `data.nothing > 5 || json(ex).vip == false`, `
data.nothing > 5 || json(ex).vip == false → !error: evaluating column 14: invalid operation: nothing > int
  data.nothing > 5 → !error: evaluating column 14: invalid operation: nothing > int
    data.nothing → nil
  json(ex).vip == false → false
    json(ex).vip → true`},
		{"loops are one part", `any(atUserList, # == sendID)`, `
any(atUserList, # == sendID) → false
  atUserList → ["u1", "bot-2"]
  sendID → "u0"`},
		{"variables are known below their declaration", `let g = lower(groupID); let n = len(g); n > 5 && g == "x"`, `
let g = lower(groupID); let n = len(g); n > 5 && g == "x" → false
  lower(groupID) → "support-1"
  len(g) → 9
  n > 5 → true
    n → 9
  g == "x" → false
    g → "support-1"`},
		{"a ternary has its three parts", `seq == 0 ? groupID == "x" : true`, `
seq == 0 ? groupID == "x" : true → false
  seq == 0 → true
    seq → 0
  groupID == "x" → false
    groupID → "support-1"`},
		{"pipes and lines", "groupID | upper() == \"A\"\n  && sendID == 'ü'", `
groupID | upper() == "A"
  && sendID == 'ü' → false
  groupID | upper() == "A" → false
    groupID → "support-1"
  sendID == 'ü' → false
    sendID → "u0"`},
	} {
		if diff := cmp.Diff(strings.TrimPrefix(row.want, "\n"), explain(t, row.src, groupMessage(t, nil))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.says, diff)
		}
	}
}

func TestExplainShortensValues(t *testing.T) {
	many := make([]string, 500)
	for i := range many {
		many[i] = fmt.Sprint("u", i)
	}
	cb := groupMessage(t, map[string]any{"atUserList": many, "ex": strings.Repeat("é", 5000)})
	got := explain(t, `len(atUserList) > 1 && ex != ""`, cb)
	for _, want := range []string{
		`atUserList → ["u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9", … 500 in all]`,
		`ex → "` + strings.Repeat("é", maxShown-2) + "…",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}
