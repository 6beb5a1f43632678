package rules

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"callboard/openim"
)

// claimParts are what conditions are made of here, beside parts: operators and fields that the formulas of an analysis know.
var claimParts = append([]string{
	`groupID != "a"`, `groupID not in ["a", "b"]`, `groupID endsWith "b"`, `groupID contains ""`, `groupID matches "^a$"`, `groupID matches "(?i)^a"`,
	`lower(groupID) == "a"`, `len(groupID) == 0`, `len(groupID) > 1`, `len(groupID) < 3`, `contentType < 2`, `contentType not in [1, 2]`, `contentType >= 0`,
	`any(atUserList, # == "u")`, `none(atUserList, # == "u")`, `all(atUserList, # != "u")`, `len(atUserList) == 0`, `raw.vip == true`, `raw.vip != true`,
	`command == "callbackBeforeSendGroupMsgCommand"`, `command == "beforeGroupOnlinePush"`, `ex == "2"`, `ex in ["", "2"]`, `(seq > 0 ? groupID == "a" : groupID == "b")`, `data.x == "a"`, `data.x != "a"`,
	`data.x in ["a"]`, `(data.x && true)`, `data.x == nil`, `has("groupID")`, `let g = groupID; g == "a"`,
}, parts...)

func claimCondition(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if depth == 0 || rapid.Bool().Draw(t, "part") {
			return "(" + rapid.SampledFrom(claimParts).Draw(t, "condition") + ")"
		}
		operator := rapid.SampledFrom([]string{" && ", " || ", " && not ", " or not "}).Draw(t, "operator")
		return "(" + strings.Join(rapid.SliceOfN(claimCondition(depth-1), 2, 3).Draw(t, "sides"), operator) + ")"
	})
}

var ruleNamed = regexp.MustCompile(`rule "(r\d+)"`)

// What the analysis claims of conditions is so of every callback: always, never for a callback, and the same as another.
func TestClaimsOfTheAnalysisAreSo(t *testing.T) {
	commands := []string{"beforeSendGroupMsg", "beforeGroupOnlinePush"}
	replies := []string{"allow", "{refuse: {message: no}}", "{refuse: {message: never}}"}
	rapid.Check(t, func(t *rapid.T) {
		text := "rules:\n"
		for i := range rapid.IntRange(1, 5).Draw(t, "rules") {
			callbacks := rapid.SliceOfNDistinct(rapid.SampledFrom(commands), 1, 2, rapid.ID[string]).Draw(t, "callbacks")
			text += fmt.Sprintf("  - {name: r%d, callbacks: [%s], when: '%s', reply: %s}\n", i, strings.Join(callbacks, ", "),
				claimCondition(rapid.IntRange(0, 2).Draw(t, "depth")).Draw(t, "when"), rapid.SampledFrom(replies).Draw(t, "reply"))
		}
		set, found := Load([]File{{Name: "r.yaml", Data: []byte(text)}}, corpusOptions)
		if set == nil {
			return // a part reads a field that no callback of its rule carries
		}
		for range 40 {
			cb, short := claimCallback(t, commands)
			plan := set.Match(cb, noon)
			matches := func(name string) (matched, failed bool) {
				matched = slices.ContainsFunc(plan.Matched, func(r *Rule) bool { return r.Name == name })
				return matched, slices.ContainsFunc(plan.Errors, func(e RuleError) bool { return e.Rule.Name == name })
			}
			for _, d := range found {
				names := ruleNamed.FindAllStringSubmatch(d.Message, -1)
				if len(names) == 0 {
					continue
				}
				i := slices.IndexFunc(set.Rules, func(r *Rule) bool { return r.Name == names[0][1] })
				rule := set.Rules[i]
				if !rule.IsFor(cb) {
					continue
				}
				matched, failed := matches(rule.Name)
				wrong := false
				switch d.ID {
				case idNeverMatches:
					wrong = matched
				case idAlwaysMatches:
					wrong = !matched && !failed
				case idNeverForCallback:
					claim, _, _ := strings.Cut(d.Message, ":")
					wrong = matched && strings.Contains(claim, short)
				case idTwin, idContradicting:
					other := set.Rules[slices.IndexFunc(set.Rules, func(r *Rule) bool { return r.Name == names[1][1] })]
					otherMatched, _ := matches(other.Name)
					wrong = other.IsFor(cb) && matched != otherMatched
				}
				if wrong {
					t.Fatalf("%s (%s), but rule %s matches: %t, for %s\n%s", d.Message, d.ID, rule.Name, matched, cb.Body, text)
				}
			}
		}
	})
}

func claimCallback(t *rapid.T, commands []string) (cb *openim.Callback, short string) {
	short = rapid.SampledFrom(commands).Draw(t, "command")
	known, _ := openim.Lookup(short)
	fields := map[string]any{
		"groupID": rapid.SampledFrom([]string{"", "a", "b", "ab", "A", "abc", "c"}).Draw(t, "group"), "contentType": rapid.IntRange(-1, 3).Draw(t, "type"),
		"sendID":     rapid.SampledFrom([]string{"u", "vw"}).Draw(t, "sender"),
		"atUserList": rapid.SampledFrom([][]string{nil, {"u"}, {"v"}, {"u", "v"}}).Draw(t, "mentioned"),
		"ex":         rapid.SampledFrom([]string{"", "2", "x"}).Draw(t, "ex"), "seq": rapid.IntRange(0, 1).Draw(t, "seq"),
		"content": rapid.SampledFrom([]string{"", `{"x":"a"}`, `{"x":"b"}`, `{"x":true}`, `{"x":false}`, `{"x":1}`, `{}`}).Draw(t, "content"),
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) { // IMServer sends what the catalogue says
		if _, carried := known.Field(name); !carried || rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
			delete(fields, name)
		}
	}
	fields["callbackCommand"] = known.Name
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	cb, err = openim.Decode(openim.Request{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return cb, short
}
