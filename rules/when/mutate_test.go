package when

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMutations(t *testing.T) {
	for source, want := range map[string][]string{
		`groupID == "a"`: {
			`groupID != "a"`, `groupID == "a~"`,
		},
		`groupID startsWith "a" && contentType in [Text, 102]`: {
			`contentType in [Text, 102]`,
			`groupID startsWith "a"`,
			`not (groupID startsWith "a") && contentType in [Text, 102]`,
			`groupID contains "a" && contentType in [Text, 102]`,
			`groupID startsWith "a~" && contentType in [Text, 102]`,
			`groupID startsWith "a" || contentType in [Text, 102]`,
			`groupID startsWith "a" && not (contentType in [Text, 102])`,
			`groupID startsWith "a" && contentType in [102]`,
			`groupID startsWith "a" && contentType in [Text]`,
		},
		`len(text) < 5 or mentionsAll()`: {
			`mentionsAll()`,
			`len(text) < 5`,
			`not (len(text) < 5) or mentionsAll()`,
			`len(text) <= 5 or mentionsAll()`,
			`len(text) >= 5 or mentionsAll()`,
			`len(text) < 6 or mentionsAll()`,
			`len(text) < 5 and mentionsAll()`,
			`len(text) < 5 or not (mentionsAll())`,
		},
		`sendID not in ["a", "b"]`: {
			`not (sendID not in ["a", "b"])`,
			`sendID not in ["b"]`, `sendID not in ["a"]`,
		},
		`sendID in ["a"]`: {
			`not (sendID in ["a"])`, `sendID in ["a~"]`,
		},
		`not (sendID == "a")`: {
			`(sendID == "a")`, `not (sendID != "a")`, `not (sendID == "a~")`,
		},
		`hourIn("09:00", "18:00", "Asia/Shanghai")`: { // another text is no time and no zone
			`not (hourIn("09:00", "18:00", "Asia/Shanghai"))`,
		},
	} {
		c, problems := Compile(source, commandsNamed(t, groupMsg))
		if c == nil {
			t.Errorf("%s does not compile: %v", source, problems)
			continue
		}
		got := map[string]bool{}
		for _, m := range c.Mutations() {
			got[m.Source] = true
			if m.Cond.Source() != m.Source || m.What == "" || m.Start > m.End {
				t.Errorf("%s: %+v does not say what it is", source, m)
			}
		}
		expected := map[string]bool{}
		for _, s := range want {
			expected[s] = true
		}
		if diff := cmp.Diff(expected, got); diff != "" {
			t.Errorf("mutations of %s (-want +got):\n%s", source, diff)
		}
	}
}
