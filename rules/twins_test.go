package rules

import (
	"fmt"
	"strings"
	"testing"

	"callboard/internal/diag"
)

// Each key of a rule and of its await says something that two rules must have in common to be the same, or is for people or
// for the order of matching alone.
func TestTwinsHaveEveryKeyInCommon(t *testing.T) {
	base := map[string]string{
		"callbacks": "[beforeSendGroupMsg]", "when": `groupID == "a"`, "await": "AWAIT", "notify": "[archive]", "reply": "allow", "stop": "false",
		"on_error": "skip", "priority": "0", "owner": "one", "runbook": "http://wiki/1", "labels": "{a: b}", "expires": "2027-01-01", "description": "one", "name": "",
	}
	await := map[string]string{
		"sinks": "[risk, score]", "policy": "all", "deadline": "1s", "on_failure": "allow", "merge": "first", "linger": "false",
	}
	unlike := map[string]string{
		"callbacks": "[beforeSendGroupMsg, beforeCreateGroup]", "when": `groupID == "b"`, "await": "", "notify": "[archive, search]",
		"reply": "{refuse: {message: closed}}", "stop": "true", "on_error": "match",
		"await.sinks": "[score, risk]", "await.policy": "any", "await.deadline": "2s", "await.on_failure": "{risk: refuse}", "await.merge": "last", "await.linger": "true",
	}
	alike := map[string]string{
		"name": "", "description": "two", "priority": "1", "owner": "two", "runbook": "http://wiki/2", "labels": "{a: c}", "expires": "2027-01-02",
	}
	all := ruleKeys.names()
	for _, name := range awaitKeys.names() {
		all = append(all, "await."+name)
	}
	for _, key := range all {
		value, differs := unlike[key]
		if other, same := alike[key]; same {
			value = other
		} else if !differs {
			t.Errorf("key %s is neither among those that twins have in common nor among the others: is it in deeds?", key)
			continue
		}
		text := "sinks: {risk: {url: 'http://risk/'}, score: {url: 'http://score/'}, archive: {url: 'http://archive/'}, search: {url: 'http://search/'}}\nrules:\n" +
			ruleWith("r1", base, await, "", "") + ruleWith("r2", base, await, key, value) + "  - {name: more, callbacks: [afterSendGroupMsg], notify: search}\n"
		_, found := Load([]File{{Name: "r.yaml", Data: []byte(text)}}, corpusOptions)
		twins := 0
		for _, d := range found {
			if d.ID == idTwin {
				twins++
			} else if d.Severity == diag.Error {
				t.Fatalf("%s: %v\n%s", key, d, text)
			}
		}
		if (twins > 0) == differs {
			t.Errorf("rules that differ in %s: %d are found to do the same; %v", key, twins, found)
		}
	}
}

// ruleWith writes a rule in which one key has another value.
func ruleWith(name string, base, await map[string]string, key, value string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  - name: %s\n", name)
	for _, k := range ruleKeys.names() {
		v := base[k]
		if k == key {
			v = value
		}
		if v == "AWAIT" {
			v = "{"
			for _, a := range awaitKeys.names() {
				if "await."+a == key {
					v += a + ": " + value + ", "
				} else {
					v += a + ": " + await[a] + ", "
				}
			}
			v += "}"
		}
		if v != "" {
			fmt.Fprintf(&b, "    %s: %s\n", k, v)
		}
	}
	return b.String()
}
