package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAShownTraceTellsOfKeptVotes(t *testing.T) {
	var trace any
	page := `{"asked":[
		{"sink":"a","vote":"allow","ms":0,"cache":"hit","age_ms":12500},
		{"sink":"b","vote":"refuse","code":20401,"message":"no","attempts":1,"ms":900,"cache":"stale","age_ms":180000,"failure":"no answer within 900ms"},
		{"sink":"c","vote":"allow","attempts":1,"ms":3,"cache":"miss"}]}`
	if err := json.Unmarshal([]byte(page), &trace); err != nil {
		t.Fatal(err)
	}
	read, err := readTrace(trace)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := writeTrace(&b, read); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for i, end := range []string{"REASON", "cached, 12.5s old", "no stale, 3m0s old: no answer within 900ms", "-"} {
		if !strings.HasSuffix(strings.TrimSpace(lines[i]), end) {
			t.Errorf("line %d is %q, want it to end with %q", i, lines[i], end)
		}
	}
}
