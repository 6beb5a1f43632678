package ruletest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"callboard/internal/diag"
	"callboard/internal/journal"
	"callboard/router"
	"callboard/rules"
)

// What has happened, recorded and written as tests, is what the tests expect.
func TestRecordedCallbacksPassAsTests(t *testing.T) {
	const happened = `
  - {name: group, callback: beforeSendGroupMsg, set: {contentType: Picture}, answers: {moderation: {refuse: {code: 20401, message: "no: \"x\""}, after: 3ms}}, expect: {verdict: refuse}}
  - {name: fields, callback: beforeMsgModify, answers: {moderation: {fields: {content: "new 😀", ex: null}, after: 7ms}}, expect: {fields: {content: "new 😀"}}}
  - {name: too late, callback: beforeSendSingleMsg, set: {contentType: Picture}, answers: {moderation: timeout, risk: unreachable}, expect: {verdict: refuse}}
  - {name: ill, callback: beforeSendSingleMsg, set: {contentType: Picture}, answers: {moderation: abstain, risk: 503}, expect: {verdict: refuse}}
`
	suite := suiteOf(t, table, happened)
	var records []*journal.Callback
	var lines bytes.Buffer
	for i, c := range suite.Cases {
		trace := c.play(suite.rehearsal)
		trace.ID, trace.Queued, trace.Callback = fmt.Sprintf("cb-%d", i), true, c.callback()
		r := trace.Record(true)
		r.Trace = json.RawMessage(r.Trace.(interface{ AppendJSON([]byte) []byte }).AppendJSON(nil)) // as the journal gives it back
		line, err := journal.AppendExport(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%s\n", line)
		records = append(records, r)
	}
	var file strings.Builder
	if err := WriteRecorded(&file, "seen.jsonl", records); err != nil {
		t.Fatal(err)
	}
	tests, ds := rules.ReadTests([]rules.File{{Name: "seen_test.yaml", Data: []byte(file.String())}}, suite.Set)
	if diag.HasErrors(ds) {
		t.Fatalf("%v\n%s", ds, file.String())
	}
	seen, ds := New(suite.Set, tests, router.Options{}, func(name string) ([]byte, error) {
		if name != "seen.jsonl" {
			return nil, fs.ErrNotExist
		}
		return lines.Bytes(), nil
	})
	if seen == nil {
		t.Fatal(ds)
	}
	for _, r := range seen.Run(nil) {
		if len(r.Failures) > 0 {
			t.Errorf("%s: %+v\n%s", r.Name, r.Failures, file.String())
		}
	}
	if want := `moderation: {fields: {"content": "new 😀", "ex": null}, after: 7ms}`; !strings.Contains(file.String(), want) {
		t.Errorf("no %s in\n%s", want, file.String())
	}
}
