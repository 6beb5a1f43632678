package router

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// shapedGateway serves rules to real sinks on a network of its own. Each sink of the rules is scripted.
func shapedGateway(t *testing.T, o Options, file string, scripts map[string][]testkit.Step) (*gatewayTest, map[string]*testkit.Sink) {
	t.Helper()
	set, found := rules.Load([]rules.File{{Name: "test.yaml", Data: []byte(file)}}, rules.Options{})
	if set == nil {
		t.Fatalf("rules do not load: %+v", found)
	}
	network, far, near := testkit.NewNetwork(), map[string]*testkit.Sink{}, map[string]Asker{}
	for _, s := range set.Sinks {
		far[s.Name] = testkit.Script(scripts[s.Name]...)
		network.Serve(t, s.Name, far[s.Name])
		sink, err := sinks.New(sinks.Options{Name: s.Name, URL: s.URL, Dial: network.DialContext, Attempts: 1,
			Cache: sinks.Cache{TTL: s.Cache.TTL, StaleOnFailure: s.Cache.StaleOnFailure}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(sink.Close)
		near[s.Name] = sink
	}
	g := newGateway(t, o, "", nil)
	g.Swap(&Table{Rules: set, Sinks: near})
	return g, far
}

func TestEachSinkGetsWhatIsShapedForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, far := shapedGateway(t, Options{}, `
sinks:
  plain: {url: http://plain/}
  fields: {url: http://fields/, set: {headers: {X-Group: groupID}, fields: {tenant: 'split(groupID, "-")[0]', bad: int(sendID)}}}
  built: {url: http://built/, body: '{"group": groupID, "at": now}'}
  broken: {url: http://broken/, body: 'data.level'}
rules:
  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [plain, fields, built, broken], on_failure: allow}}
`, nil)
		reply := g.post("beforeSendGroupMsg", map[string]any{"groupID": "eu-7", "sendID": "u1", "content": "{}"})
		if reply["actionCode"] != 0.0 || reply["nextCode"] != 0.0 {
			t.Errorf("reply %v", reply)
		}
		plain, fields, built := far["plain"].Got()[0], far["fields"].Got()[0], far["built"].Got()[0]
		if want := strings.TrimSuffix(plain.Body, "}") + `,"tenant":"eu"}`; fields.Body != want || fields.Header.Get("X-Group") != "eu-7" {
			t.Errorf("fields got %s with X-Group %q\nwant %s", fields.Body, fields.Header.Get("X-Group"), want)
		}
		if want := `{"at":"2000-01-01T00:00:00Z","group":"eu-7"}`; built.Body != want || plain.Header.Get("X-Group") != "" {
			t.Errorf("built got %s, want %s; plain has X-Group %q", built.Body, want, plain.Header.Get("X-Group"))
		}
		if n := len(far["broken"].Got()); n != 0 {
			t.Errorf("broken was asked %d times", n)
		}
		tr := g.last()
		if !strings.Contains(tr.Why, "broken failed (not asked: making its body: the expression is nil for this callback) and counts as allow") {
			t.Errorf("why: %s", tr.Why)
		}
		if diff := cmp.Diff([]string{"fields: field bad left out: this text cannot be read as an integer"}, tr.Notes); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	})
}

// A body that cannot be made decides as any failed vote does, also where nobody else is asked.
func TestABodyThatCannotBeMadeRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, far := shapedGateway(t, Options{}, `
sinks: {broken: {url: http://broken/, body: 'data.level'}}
rules:
  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [broken], on_failure: refuse, linger: true}}
`, nil)
		reply := g.post("beforeSendGroupMsg", map[string]any{"content": "{}"})
		if reply["errCode"] != 20002.0 || len(far["broken"].Got()) != 0 {
			t.Errorf("reply %v, asked %d times", reply, len(far["broken"].Got()))
		}
		set := g.Table().Rules
		cb, _ := openim.Decode(openim.Request{Path: "/callbackBeforeSendGroupMsgCommand", Body: []byte("{}")})
		rehearsed := NewRehearsal(set, Options{}).Run(cb, time.Now(), Votes{})
		if rehearsed.Verdict.Code != 20002 || rehearsed.Asked[0].Answer.Vote != openim.Failed {
			t.Errorf("rehearsed: %+v, asked %+v", rehearsed.Verdict, rehearsed.Asked)
		}
	})
}

const cached = `
sinks:
  risk: {url: http://risk/, cache: {key: sendID, ttl: 30s, stale_on_failure: 10m}}
  other: {url: http://other/}
rules:
`

func TestKeptVotesDecide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		g, far := shapedGateway(t, Options{Registerer: registry}, cached+
			"  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [risk], deadline: 1s}}\n",
			map[string][]testkit.Step{"risk": {testkit.Refuse(20401, "no"), testkit.Hang()}})
		var got []string
		for _, wait := range []time.Duration{0, 20 * time.Second, time.Minute, time.Hour} {
			time.Sleep(wait)
			begun := time.Now()
			reply := g.post("beforeSendGroupMsg", map[string]any{"sendID": "u1"})
			got = append(got, time.Since(begun).String()+" "+g.last().Why)
			if (reply["errCode"] == 20401.0) != (wait < time.Hour) {
				t.Errorf("after %v: reply %v", wait, reply)
			}
		}
		want := []string{
			`0s rule ask: policy all: risk refused (20401 "no")`,
			`0s rule ask: policy all: risk refused (20401 "no") (cached, 20s old)`,
			`1s rule ask: policy all: risk refused (20401 "no") (stale, 1m21s old: the deadline ended it after 1s)`,
			`1s rule ask: policy all: risk failed (the deadline ended it after 1s) and counts as allow`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("why (-want +got):\n%s", diff)
		}
		if n := len(far["risk"].Got()); n != 3 {
			t.Errorf("risk was asked %d times, want 3", n)
		}
		for _, word := range []string{"risk=refuse:cached", "risk=refuse:stale:1s"} {
			if !strings.Contains(g.log.String(), word) {
				t.Errorf("the log has no %s:\n%s", word, &g.log)
			}
		}
		if got, want := cacheUses(t, registry), map[string]float64{"hit": 1, "miss": 2, "stale": 1}; !cmp.Equal(got, want) {
			t.Errorf("counted %v, want %v", got, want)
		}
	})
}

func cacheUses(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	uses := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "callboard_sink_cache_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			uses[m.GetLabel()[1].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return uses
}

// An old vote comes within the deadline also where others are asked, where the request may linger, and where the rules that
// ask one sink have different deadlines.
func TestAnOldVoteComesInTime(t *testing.T) {
	for name, rule := range map[string]string{
		"beside another":           "  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [risk, other], deadline: 300ms}}\n",
		"lingering":                "  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [risk], deadline: 300ms, linger: true}}\n",
		"the first of two":         "  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [risk], deadline: 300ms}}\n  - {name: more, callbacks: [beforeSendGroupMsg], await: {sinks: [risk], deadline: 2s}}\n",
		"lingering beside another": "  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [risk, other], deadline: 300ms, linger: true, policy: {quorum: 2}}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, _ := shapedGateway(t, Options{}, cached+rule, map[string][]testkit.Step{
					"risk": {testkit.Refuse(20401, "no"), testkit.Hang()}, "other": {testkit.Allow()},
				})
				g.post("beforeSendGroupMsg", map[string]any{"sendID": "u1"})
				time.Sleep(time.Minute)
				begun := time.Now()
				reply := g.post("beforeSendGroupMsg", map[string]any{"sendID": "u1"})
				if took := time.Since(begun); reply["errCode"] != 20401.0 || took > 300*time.Millisecond {
					t.Errorf("reply %v after %v", reply, took)
				}
				tr := g.last()
				risk := tr.Asked[0]
				if risk.Cache != sinks.Stale || risk.Age < time.Minute || risk.Failure == "" || !risk.Done {
					t.Errorf("asked %+v", risk)
				}
				page := string(tracePage{tr, true}.AppendJSON(nil))
				if !strings.Contains(page, `"cache":"stale","age_ms":60`) || !strings.Contains(page, `"failure":"`) {
					t.Errorf("record %s", page)
				}
				if err := g.Drain(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Where the key fails or is empty, the sink is asked each time.
func TestWithoutAKeyNothingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, far := shapedGateway(t, Options{}, `
sinks: {risk: {url: http://risk/, cache: {key: 'sendID == "" ? "" : string(int(sendID))', ttl: 30s}}}
rules:
  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [risk]}}
`, nil)
		for range 2 {
			g.post("beforeSendGroupMsg", map[string]any{"sendID": ""})
			g.post("beforeSendGroupMsg", map[string]any{"sendID": "u1"})
		}
		if n := len(far["risk"].Got()); n != 4 {
			t.Errorf("asked %d times, want 4", n)
		}
		if diff := cmp.Diff([]string{"risk: its vote is not kept: the key of its cache failed: this text cannot be read as an integer"}, g.last().Notes); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	})
}
