package openim

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadAnswer(t *testing.T) {
	reads := func(status int, body string, d Dialect, vote Vote, reason string) Answer {
		t.Helper()
		a := ReadAnswer(status, []byte(body), d)
		if a.Vote != vote || !strings.Contains(a.Reason, reason) || reason == "" && a.Reason != "" {
			t.Errorf("%d %q: %s %q, want %s with %q", status, body, a.Vote, a.Reason, vote, reason)
		}
		if strings.Contains(a.Reason, "secret") {
			t.Errorf("%d %q: the reason tells what was sent: %q", status, body, a.Reason)
		}
		return a
	}
	allows := func(body string) { t.Helper(); reads(200, body, DialectCurrent, Allow, "") }
	allowsBut := func(body, remark string) { t.Helper(); reads(200, body, DialectCurrent, Allow, remark) }
	abstains := func(status int, body string) { t.Helper(); reads(status, body, DialectCurrent, Abstain, "") }
	fails := func(status int, body, reason string) {
		t.Helper()
		reads(status, body, DialectCurrent, Failed, reason)
	}
	refuses := func(body string, d Dialect, code int32, message string) {
		t.Helper()
		a := reads(200, body, d, Refuse, "")
		if a.Code != code || a.Message != message {
			t.Errorf("%s: code %d %q, want %d %q", body, a.Code, a.Message, code, message)
		}
	}

	allows(`{"actionCode":0,"errCode":0,"errMsg":"","errDlt":"","nextCode":0}`)
	allows(`{"actionCode":0,"errCode":0,"errMsg":"Success","errDlt":"Successful","nextCode":""}`) // the documentation's reply
	allows(`{}`)
	allows(`null`)
	allows("\ufeff {\"actionCode\":0}\r\n")
	allows(`{"nextCode":"0"}`)
	allows(`{"nextCode":0.0}`)
	allows(`{"nextCode":false}`)
	allows(`{"nextCode":null,"errMsg":null}`)
	allows(`{"actionCode":" "}`)
	allows(`{"nextCode":1,"nextCode":0}`)
	allowsBut(`{"nextCode":2}`, "nextCode 2 does not refuse")
	allowsBut(`{"errCode":5001}`, "errCode 5001 alone does not refuse")
	allowsBut(`{"errCode":"secret"}`, "errCode is no 32-bit integer")
	allowsBut(`{"errMsg":["secret"]}`, "errMsg is a list")

	refuses(`{"actionCode":0,"nextCode":1,"errCode":20001,"errMsg":"blocked"}`, DialectCurrent, 20001, "blocked")
	refuses(`{"nextCode":"1","errCode":"20001","errMsg":5}`, DialectCurrent, 20001, "5")
	refuses(`{"nextCode":1.0}`, DialectCurrent, 0, "")
	refuses(`{"nextCode":true}`, DialectCurrent, 0, "")
	refuses(`{"NEXTCODE":1,"ErrCode":9,"errMSG":"no"}`, DialectCurrent, 9, "no")
	refuses(`{"nextCode":0,"nextCode":1}`, DialectCurrent, 0, "")
	refuses(`{"nextCode":1,"nextCode":null}`, DialectCurrent, 0, "")
	refuses(`{"next\u0043ode":1}`, DialectCurrent, 0, "")
	refuses("{\"nextCode\":1,\"errMsg\":\"a\xffb\"}", DialectCurrent, 0, "a\ufffdb")
	if a := reads(200, `{"nextCode":1,"errCode":3000000000}`, DialectCurrent, Refuse, "counts as 0"); a.Code != 0 {
		t.Errorf("code %d", a.Code)
	}
	if a := reads(200, `{"nextCode":1,"errDlt":"rule r1"}`, DialectCurrent, Refuse, ""); a.Detail != "rule r1" {
		t.Errorf("detail %q", a.Detail)
	}

	abstains(204, ``)
	abstains(204, `{"nextCode":1}`)
	abstains(200, ``)
	abstains(201, " \r\n")
	abstains(200, "\ufeff")

	fails(200, `[{"secret":1}]`, "a list")
	fails(200, `[secret`, "a broken list")
	fails(200, `"secret"`, "a string")
	fails(200, `17`, "a number")
	fails(200, `true`, "a boolean")
	fails(200, `ok secret`, "text")
	fails(200, `<html>secret</html>`, "HTML")
	fails(200, `{"nextCode":1`, "broken JSON")
	fails(200, `{"nextCode":secret}`, "broken JSON, at byte")
	fails(200, `{"nextCode":0]`, "broken JSON")
	fails(200, `{} secret`, "goes on after the object")
	fails(200, `{}{}`, "goes on after the object")
	fails(200, `{"nextCode":"secret"}`, "nextCode is a string that holds no integer")
	fails(200, `{"actionCode":{}}`, "actionCode is an object that holds no integer")
	fails(200, `{"nextCode":1.5}`, "nextCode is no 64-bit integer")
	fails(302, `{}`, "redirect, which is not followed")
	fails(304, ``, "redirect")
	fails(503, `{}`, "answered HTTP 503")
	fails(404, ``, "answered HTTP 404")
	fails(0, `{}`, "answered HTTP 0")
	fails(200, `{"actionCode":3}`, "answered actionCode 3")
	fails(200, `{"actionCode":1,"nextCode":1}`, "a refusal was probably meant")
	if a := ReadAnswer(200, []byte(`{"actionCode":1,"errCode":5001,"errMsg":"db down"}`), DialectCurrent); a.Code != 5001 || a.Message != "db down" {
		t.Errorf("a failure's own words: %+v", a)
	}

	refuses(`{"actionCode":1,"errCode":5001,"errMsg":"no"}`, DialectV2, 5001, "no")
	reads(200, `{"actionCode":0}`, DialectV2, Allow, "")
	reads(200, `{"actionCode":0,"nextCode":1}`, DialectV2, Allow, "does not refuse in the v2 dialect")
	reads(200, `<html>`, DialectV2, Failed, "HTML")
	reads(200, manyFields(maxFields+1), DialectCurrent, Failed, "more than 1024 fields")
}

func TestAnswersCarryReplyFields(t *testing.T) {
	body := []byte(`{"content":"{}","nextCode":0,"ex":1,"Content":[1, 2],"nested":{"a":null}}`)
	a := ReadAnswer(200, body, DialectCurrent)
	clear(body)
	want := []FieldValue{{"Content", []byte(`[1, 2]`)}, {"ex", []byte(`1`)}, {"nested", []byte(`{"a":null}`)}}
	if diff := cmp.Diff(want, a.Fields); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Reading an answer is work that no deadline stops, so it is bounded by the fields as it is by the bytes.
func TestAnswersHaveABoundOfFields(t *testing.T) {
	most := ReadAnswer(200, []byte(manyFields(maxFields)), DialectCurrent)
	if most.Vote != Allow || len(most.Fields) != maxFields {
		t.Errorf("%s with %d fields, want all %d", most.Vote, len(most.Fields), maxFields)
	}
	if more := ReadAnswer(200, []byte(manyFields(maxFields+1)), DialectCurrent); more.Vote != Failed {
		t.Errorf("one field more: %s", more.Vote)
	}
}
