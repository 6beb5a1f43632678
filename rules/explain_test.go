package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callboard/rules/when"
)

const nearRules = `
rules:
  - {name: far, callbacks: beforeSendGroupMsg, when: 'groupID == "a" && sendID == "b" && contentType == Picture', reply: allow}
  - {name: one-of-three, callbacks: beforeSendGroupMsg, when: 'contentType == Text && sendID == "u1" && groupID startsWith "sales-"', reply: allow}
  - {name: one-of-one, callbacks: beforeSendGroupMsg, when: 'groupID == "sales-1"', reply: allow}
  - {name: loop, callbacks: beforeSendGroupMsg, when: 'any(atUserList, # == "u9") && any(atUserList, # == "u8") && any(atUserList, # == "u7")', reply: allow}
  - {name: headers, callbacks: beforeSendGroupMsg, when: 'headers["x-tenant"] == "t1"', reply: allow}
  - {name: known, callbacks: beforeSendGroupMsg, when: 'headers["x-tenant"] == "t1" && groupID == "x"', reply: allow}
  - {name: other, callbacks: afterUserOnline, reply: allow}
  - {name: fails, callbacks: beforeSendGroupMsg, when: 'atUserList[3] == "u"', reply: allow}
  - {name: yes, callbacks: beforeSendGroupMsg, when: 'contentType == Text', stop: true}
  - {name: behind, callbacks: beforeSendGroupMsg, when: 'sendID == "u1"', reply: allow}
`

func TestExamineTellsTheNearest(t *testing.T) {
	set := load(t, text(nearRules))
	cb := callback(t, "beforeSendGroupMsg", `"groupID": "support-1", "sendID": "u1", "contentType": 101, "atUserList": []`)
	for _, row := range []struct {
		says string
		how  Explaining
		want string
	}{
		{"nothing but what matches", Explaining{}, ""},
		{"the nearest", Explaining{Nearest: 4}, "behind 0, one-of-three 1, one-of-one 1, headers 1"},
		{"all, nearest first", Explaining{Nearest: -1},
			"behind 0, one-of-three 1, one-of-one 1, headers 1, fails 1, known 2, far 3, loop 3"},
		{"without headers, what depends on them is none", Explaining{Nearest: 5, Unknown: []string{"headers"}},
			"behind 0, one-of-three 1, known 1, one-of-one 1, fails 1"},
	} {
		x := set.Examine(cb, noon, row.how)
		var near []string
		for _, i := range x.Near {
			near = append(near, fmt.Sprintf("%s %d", x.Rules[i].Rule.Name, x.Rules[i].Missing))
		}
		if diff := cmp.Diff(row.want, strings.Join(near, ", ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.says, diff)
		}
	}
}

func TestExamineTakesApartWhatIsWanted(t *testing.T) {
	set := load(t, text(nearRules))
	cb := callback(t, "beforeSendGroupMsg", `"groupID": "support-1", "sendID": "u1", "contentType": 101`)
	var got []string
	for _, e := range set.Examine(cb, noon, Explaining{Rule: "far", Unknown: []string{"headers"}}).Rules {
		if e.Parts != nil {
			got = append(got, fmt.Sprintf("%s %v %v: %s", e.Rule.Name, e.Matched, e.MayMatch, e.Reason))
		}
	}
	want := []string{
		"far false false: its condition is false",
		"headers false true: its condition depends on headers, of which nothing is known",
		"yes true false: its condition is true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Secrets in conditions do not show in what was wanted.
func TestWantedHidesSecrets(t *testing.T) {
	set, _ := Load([]File{{Name: "a.yaml", Data: []byte(`
rules:
  - {name: secret, callbacks: beforeSendGroupMsg, when: 'groupID == "${env:SECRET}"', reply: allow}
`)}}, Options{LookupEnv: func(string) (string, bool) { return "hush", true }})
	x := set.Examine(callback(t, "beforeSendGroupMsg", ""), noon, Explaining{Nearest: -1})
	if parts := x.Rules[0].Parts; parts[0].Wanted != `"${env:SECRET}"` {
		t.Errorf("parts %+v", parts)
	}
}

// manyRules are rules of many tenants: by group, by list, by user and text.
func manyRules(n int) string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range n {
		when := fmt.Sprintf(`groupID == "g-%d" && contentType in [Text, AtText]`, i)
		switch i % 10 {
		case 5, 6:
			when = fmt.Sprintf(`groupID in ["g-%d", "g-%d", "g-%d"] && sendID != "u-%d"`, i, i+1, i+2, i)
		case 7, 8:
			when = fmt.Sprintf(`"u-%d" in atUserList || groupID startsWith "team-%d-"`, i, i)
		case 9:
			when = fmt.Sprintf(`text contains "word%d" && len(content) > %d && groupID != "x"`, i, i%1000)
		}
		fmt.Fprintf(&b, "  - {name: r%d, callbacks: [beforeSendGroupMsg], when: '%s', reply: allow}\n", i, when)
	}
	return b.String()
}

// BenchmarkExamine explains a group message with the five nearest of many rules, all for its command. The first time a near
// condition is compiled part by part; that is not measured.
func BenchmarkExamine(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var files []File
			for i := 0; i < n; i += 1000 {
				files = append(files, File{fmt.Sprintf("f%d.yaml", i), []byte(strings.ReplaceAll(manyRules(1000), "name: r", fmt.Sprintf("name: f%d-r", i)))})
			}
			set, ds := Load(files, Options{})
			if set == nil {
				b.Fatal(ds)
			}
			cb := callback(b, "beforeSendGroupMsg", `"groupID": "g-none", "sendID": "u1", "contentType": 101, "content": "{\"content\":\"where is it?\"}"`)
			for b.Loop() {
				if x := set.Examine(cb, noon, Explaining{Nearest: 5}); len(x.Near) != 5 || x.Rules[x.Near[0]].Parts[0].Truth != when.False {
					b.Fatal(x.Near)
				}
			}
		})
	}
}
