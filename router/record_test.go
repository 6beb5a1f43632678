package router

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callboard/openim"
)

func TestARecordHasWhatPeopleSearchFor(t *testing.T) {
	g := newGateway(t, Options{Queue: &fakeQueue{}}, `rules:
  - {name: both, owner: trust, runbook: "https://wiki/both", callbacks: [beforeSendGroupMsg], await: {sinks: [mod]}, notify: [archive]}
`, map[string]*scripted{"mod": refuses(20403, "not \"here\"", 0), "archive": says(openim.Allow, 0)})
	g.post("beforeSendGroupMsg", map[string]any{"groupID": "g1", "sendID": "u1", "operationID": "op", "content": "a secret word"})
	tr := g.last()
	if log := g.log.String(); !strings.Contains(log, "decided_by=both owner=trust") {
		t.Errorf("the log does not say who answers for the refusal: %s", log)
	}
	r := tr.Record(true)
	if r.GroupID != "g1" || r.SenderID != "u1" || r.OperationID != "op" || r.Verdict != "refuse" || r.Code != 20403 || r.Path == "" {
		t.Errorf("record %+v", r)
	}
	if !cmp.Equal(r.Rules, []string{"both"}) || len(r.Asked) != 1 || !cmp.Equal(r.Notified, []string{"archive"}) {
		t.Errorf("rules %v, asked %v, notified %v", r.Rules, r.Asked, r.Notified)
	}
	if !strings.Contains(string(r.Body), "a secret word") {
		t.Error("the body is missing")
	}
	var page struct {
		Why, DecidedBy, Reply string
		Rules                 []struct{ Rule, Decision, Why, Owner, Runbook string }
		Asked                 []struct {
			Sink, Vote, Message string
			Code, Attempts      int
		}
		Notified []struct {
			Sink  string
			Rules []string
		}
	}
	raw := r.Trace.(tracePage).AppendJSON(nil)
	if err := json.Unmarshal(raw, &page); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	if page.Rules[0].Owner != "trust" || page.Rules[0].Runbook != "https://wiki/both" {
		t.Errorf("trace %s, want the rule's owner and runbook", raw)
	}
	if page.Rules[0].Decision != "refuse" || page.Asked[0].Code != 20403 || page.Asked[0].Message != `not "here"` || page.Notified[0].Rules[0] != "both" || page.Reply == "" {
		t.Errorf("trace %s", raw)
	}

	r = tr.Record(false)
	raw = r.Trace.(tracePage).AppendJSON(nil)
	if text := string(raw); r.Body != nil || strings.Contains(text, `"reply"`) || strings.Contains(text, "secret") || strings.Contains(text, "here") {
		t.Errorf("without bodies: body %q, trace %s", r.Body, raw)
	}
	if want := `"why":"rule both: policy all: mod refused (20403)"`; !strings.Contains(string(raw), want) {
		t.Errorf("trace %s, want %s in it", raw, want)
	}
}

func TestARecordWithoutBodiesHoldsNone(t *testing.T) {
	for _, with := range []bool{true, false} {
		tr := &Trace{Callback: &openim.Callback{Body: []byte("{}")}, Reply: []byte("{}")}
		page := tr.Record(with).Trace.(tracePage)
		if (page.t.Callback != nil) != with || (page.t.Reply != nil) != with || tr.Callback == nil {
			t.Errorf("with bodies %v: it holds %v and %s", with, page.t.Callback, page.t.Reply)
		}
	}
}

func TestARecordTellsRepeatsAndHops(t *testing.T) {
	r := (&Trace{RepeatOf: "a", ReplayOf: "b", Hops: 2}).Record(true)
	if r.RepeatOf != "a" || r.ReplayOf != "b" || r.Hops != 2 {
		t.Errorf("record %+v", r)
	}
}

func TestAnEmptyTraceIsAnEmptyObject(t *testing.T) {
	if got := string(tracePage{&Trace{}, true}.AppendJSON([]byte("x"))); got != "x{}" {
		t.Errorf("got %s", got)
	}
}
