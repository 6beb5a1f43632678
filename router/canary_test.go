package router

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callboard/openim"
)

const (
	baseRules      = "rules: [{name: common, callbacks: [beforeSendGroupMsg], await: {sinks: [old]}, notify: [archive]}]\n"
	candidateRules = `
dedup: 1h
rules:
  - {name: common, callbacks: [beforeSendGroupMsg], await: {sinks: [new]}, notify: [other]}
  - name: fresh
    callbacks: [beforeSendGroupMsg]
    stop: true
`
)

func inGroup(name string) func(*openim.Callback) bool {
	return func(cb *openim.Callback) bool { return cb.Value("groupID", openim.String) == name }
}

func TestTheCandidateDecidesItsShare(t *testing.T) {
	queue := &fakeQueue{}
	old, fresh := says(openim.Allow, 0), refuses(20403, "no", 0)
	g := newGateway(t, Options{Queue: queue}, baseRules, map[string]*scripted{"old": old, "archive": says(openim.Allow, 0)})
	second := makeTable(t, candidateRules,
		map[string]*scripted{"new": fresh, "other": says(openim.Allow, 0)})
	g.SetCandidate(second, inGroup("g1"))

	if got := g.post("beforeSendGroupMsg", map[string]any{"groupID": "g1"}); got["errCode"] != 20403.0 {
		t.Errorf("the candidate's share got %v", got)
	}
	tr := g.last()
	if !tr.Canary || tr.Revision != second.Rules.Revision || tr.Notified[0].Sink != "other" || len(fresh.asked) != 1 {
		t.Errorf("trace %+v", tr)
	}
	if !strings.Contains(g.log.String(), "canary=true") {
		t.Errorf("log %s", &g.log)
	}
	if page := string(tr.Record(false).Trace.(tracePage).AppendJSON(nil)); !strings.Contains(page, `"canary":true`) {
		t.Errorf("record %s", page)
	}

	if got := g.post("beforeSendGroupMsg", map[string]any{"groupID": "g2"}); got["errCode"] != 0.0 {
		t.Errorf("the others got %v", got)
	}
	if tr := g.last(); tr.Canary || tr.Revision == second.Rules.Revision || tr.Notified[0].Sink != "archive" {
		t.Errorf("trace %+v", tr)
	}

	g.SetCandidate(nil, nil)
	g.post("beforeSendGroupMsg", map[string]any{"groupID": "g1"})
	if g.last().Canary || len(fresh.asked) != 1 {
		t.Error("without a candidate it still decides")
	}
}

// What a callback repeats does not depend on who decides: a share that grows in between does not ask and notify twice.
func TestARepeatIsOneOnEitherSide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, fresh := says(openim.Allow, 0), says(openim.Allow, 0)
		g := newGateway(t, Options{Queue: &fakeQueue{}}, "dedup: 1h\n"+baseRules, map[string]*scripted{"old": old, "archive": says(openim.Allow, 0)})
		g.post("beforeSendGroupMsg", map[string]any{"groupID": "g1", "serverMsgID": "m"})
		g.SetCandidate(makeTable(t, candidateRules, map[string]*scripted{"new": fresh, "other": says(openim.Allow, 0)}), inGroup("g1"))
		time.Sleep(time.Second)
		g.post("beforeSendGroupMsg", map[string]any{"groupID": "g1", "serverMsgID": "m"})
		if tr := g.last(); !tr.Canary || tr.RepeatOf == "" || len(fresh.asked) != 0 {
			t.Errorf("trace %+v", tr)
		}
	})
}

func TestWithoutATableTheCandidateDecidesNothing(t *testing.T) {
	g := newGateway(t, Options{}, "", nil)
	g.SetCandidate(makeTable(t, "rules: [{name: a, stop: true}]\n", nil), func(*openim.Callback) bool { return true })
	g.post("beforeSendGroupMsg", nil)
	if tr := g.last(); tr.Trouble != string(noTable) || tr.Canary {
		t.Errorf("trace %+v", tr)
	}
}

func TestReplaysGoThroughTheRulesThatServe(t *testing.T) {
	queue := &fakeQueue{}
	g := newGateway(t, Options{Queue: queue}, baseRules, map[string]*scripted{"old": says(openim.Allow, 0), "archive": says(openim.Allow, 0)})
	g.SetCandidate(makeTable(t, candidateRules, map[string]*scripted{"new": says(openim.Allow, 0), "other": says(openim.Allow, 0)}),
		func(*openim.Callback) bool { return true })
	c, _ := openim.Lookup("beforeSendGroupMsg")
	sinks, err := g.Replay(context.Background(), openim.Request{Path: "/" + c.Name, Body: openim.Sample(c)}, "cb", nil, true)
	if err != nil || len(sinks) != 1 || sinks[0] != "archive" {
		t.Errorf("notified %v, %v", sinks, err)
	}
}

// Series last as long as one of the tables has their rule or sink.
func TestSeriesOfTwoTables(t *testing.T) {
	registry := prometheus.NewRegistry()
	g := newGateway(t, Options{Registerer: registry, Queue: &fakeQueue{}}, baseRules, map[string]*scripted{"old": says(openim.Allow, 0), "archive": says(openim.Allow, 0)})
	g.SetCandidate(makeTable(t, candidateRules, map[string]*scripted{"new": says(openim.Allow, 0), "other": says(openim.Allow, 0)}), inGroup("g1"))
	g.post("beforeSendGroupMsg", map[string]any{"groupID": "g1"})
	g.post("beforeSendGroupMsg", map[string]any{"groupID": "g2"})
	g.Swap(makeTable(t, "rules: [{name: none, stop: true}]\n", nil))
	if got := seriesOf(t, registry, "callboard_rule_matches_total"); got != "common,fresh" {
		t.Errorf("with the candidate's rules: %s", got)
	}
	if got := seriesOf(t, registry, "callboard_sink_attempts_total"); got != "new,other" {
		t.Errorf("with the candidate's sinks: %s", got)
	}
	g.SetCandidate(nil, nil)
	if got := seriesOf(t, registry, "callboard_rule_matches_total") + seriesOf(t, registry, "callboard_sink_attempts_total"); got != "" {
		t.Errorf("without the candidate: %s", got)
	}
}

// seriesOf returns the values of the first label of a metric, joined.
func seriesOf(t *testing.T, registry *prometheus.Registry, name string) string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			values = append(values, m.GetLabel()[0].GetValue())
		}
	}
	return strings.Join(values, ",")
}
