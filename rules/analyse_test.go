package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"callboard/openim"
)

// parts are few, so that conditions made of them contradict and imply each other.
var parts = []string{
	`groupID == "a"`, `groupID == "b"`, `groupID in ["a", "b"]`, `groupID != "a"`, `groupID startsWith "a"`, `groupID == ""`,
	`contentType == 1`, `contentType > 1`, `contentType in 0..1`, `sendID == "u"`, `len(sendID) > 1`, `lower(groupID) == "A"`,
	`mentions("u")`, `not mentions("u")`, `command == "beforeSendSingleMsg"`, `int(ex) > 1`, `true`,
}

func condition(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if depth == 0 || rapid.Bool().Draw(t, "part") {
			return rapid.SampledFrom(parts).Draw(t, "condition")
		}
		operator := rapid.SampledFrom([]string{" && ", " || "}).Draw(t, "operator")
		sides := rapid.SliceOfN(condition(depth-1), 2, 3).Draw(t, "sides")
		return "(" + strings.Join(sides, operator) + ")"
	})
}

// What the analysis says of rules is so of every callback: those that never match or are never reached take no part, unless
// their condition fails and on_error counts that as a match.
func TestTheAnalysisAgreesWithMatching(t *testing.T) {
	commands := []string{"beforeSendGroupMsg", "beforeSendSingleMsg"}
	rapid.Check(t, func(t *rapid.T) {
		text := "rules:\n"
		for i := range rapid.IntRange(1, 6).Draw(t, "rules") {
			callbacks := rapid.SliceOfNDistinct(rapid.SampledFrom(commands), 1, 2, rapid.ID[string]).Draw(t, "callbacks")
			text += fmt.Sprintf("  - {name: r%d, callbacks: [%s], when: '%s', stop: true, priority: %d, on_error: %s}\n", i, strings.Join(callbacks, ", "),
				condition(2).Draw(t, "when"), rapid.IntRange(0, 2).Draw(t, "priority"), rapid.SampledFrom(onErrorWords).Draw(t, "on_error"))
		}
		set, found := Load([]File{{Name: "r.yaml", Data: []byte(text)}}, corpusOptions)
		if set == nil {
			return // a part reads a field that no callback of its rule carries
		}
		idle := map[string]string{} // rule → the finding that it takes no part
		for _, d := range found {
			if slices.Contains([]string{idNeverMatches, idUnreachable}, d.ID) {
				_, rest, _ := strings.Cut(d.Message, `rule "`)
				name, _, _ := strings.Cut(rest, `"`)
				idle[name] = d.Message
			}
		}
		for range 30 {
			command := rapid.SampledFrom(commands).Draw(t, "command")
			known, _ := openim.Lookup(command)
			fields := map[string]any{
				"callbackCommand": known.Name, "groupID": rapid.SampledFrom([]string{"", "a", "b", "ab", "A"}).Draw(t, "group"),
				"contentType": rapid.IntRange(0, 3).Draw(t, "type"), "sendID": rapid.SampledFrom([]string{"u", "vw"}).Draw(t, "sender"),
				"atUserList": rapid.SampledFrom([][]string{nil, {"u"}, {"v"}}).Draw(t, "mentioned"), "ex": rapid.SampledFrom([]string{"", "2"}).Draw(t, "ex"),
			}
			for name := range fields { // IMServer sends what the catalogue says
				if _, carried := known.Field(name); !carried && name != "callbackCommand" {
					delete(fields, name)
				}
			}
			body, _ := json.Marshal(fields)
			cb, err := openim.Decode(openim.Request{Body: body})
			if err != nil {
				t.Fatal(err)
			}
			plan := set.Match(cb, time.Now())
			for _, r := range plan.Matched {
				failed := slices.ContainsFunc(plan.Errors, func(e RuleError) bool { return e.Rule == r })
				if message := idle[r.Name]; message != "" && !failed {
					t.Fatalf("%s, but it matches %s\n%s", message, body, text)
				}
			}
		}
	})
}
