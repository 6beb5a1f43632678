package router

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A scripted sink answers after a while, or when its context ends.
type scripted struct {
	after  time.Duration
	answer openim.Answer
	panics bool
	asked  chan sinks.Request // buffered
	ended  chan error         // how the context stood when it returned
}

func says(v openim.Vote, after time.Duration) *scripted {
	return sayAnswer(openim.Answer{Vote: v}, after)
}

func sayAnswer(a openim.Answer, after time.Duration) *scripted {
	return &scripted{after: after, answer: a, asked: make(chan sinks.Request, 10000), ended: make(chan error, 10000)}
}

func refuses(code int32, message string, after time.Duration) *scripted {
	return sayAnswer(openim.Answer{Vote: openim.Refuse, Code: code, Message: message}, after)
}

func (s *scripted) Ask(ctx context.Context, r sinks.Request) sinks.Result {
	s.asked <- r
	start := time.Now()
	select {
	case <-time.After(s.after):
	case <-ctx.Done():
		s.ended <- ctx.Err()
		return sinks.Result{Attempts: 1, Duration: time.Since(start), Answer: openim.Answer{Reason: "cut off"}}
	}
	if s.panics {
		panic("sink broke")
	}
	s.ended <- nil
	return sinks.Result{Attempts: 1, Duration: time.Since(start), Status: 200, Answer: s.answer}
}

type gatewayTest struct {
	*Gateway
	t      *testing.T
	log    bytes.Buffer
	mu     sync.Mutex // guards traces
	traces []*Trace
}

// newGateway serves rules whose sinks are scripted; the sinks part of the file is written from askers.
func newGateway(t *testing.T, o Options, rulesPart string, askers map[string]*scripted) *gatewayTest {
	t.Helper()
	g := &gatewayTest{t: t}
	o.OnTrace = func(tr *Trace) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.traces = append(g.traces, tr)
	}
	o.Log = slog.New(slog.NewTextHandler(&g.log, nil))
	g.Gateway = New(o)
	if rulesPart != "" {
		g.Swap(makeTable(t, rulesPart, askers))
	}
	return g
}

func makeTable(t *testing.T, rulesPart string, askers map[string]*scripted) *Table {
	t.Helper()
	var b strings.Builder
	sinkMap := map[string]Asker{}
	if len(askers) > 0 {
		b.WriteString("sinks:\n")
	}
	for name, a := range askers {
		b.WriteString("  " + name + ": {url: 'http://" + name + "/'}\n")
		sinkMap[name] = a
	}
	b.WriteString(rulesPart)
	set, ds := rules.Load([]rules.File{{Name: "test.yaml", Data: []byte(b.String())}}, rules.Options{})
	if set == nil {
		t.Fatalf("rules do not load: %+v\n%s", ds, b.String())
	}
	return &Table{Rules: set, Sinks: sinkMap}
}

// post sends a sample of a command with some of its fields replaced and returns the reply.
func (g *gatewayTest) post(command string, set map[string]any) map[string]any {
	g.t.Helper()
	c, ok := openim.Lookup(command)
	if !ok {
		g.t.Fatalf("no command %s", command)
	}
	var body map[string]any
	if err := json.Unmarshal(openim.Sample(c), &body); err != nil {
		g.t.Fatal(err)
	}
	for k, v := range set {
		body[k] = v
	}
	raw, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	return g.send(httptest.NewRequest(http.MethodPost, "/im/"+c.Name, bytes.NewReader(raw)))
}

func (g *gatewayTest) send(r *http.Request) map[string]any {
	g.t.Helper()
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		g.t.Errorf("status %d, want 200", w.Code)
	}
	var reply map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
		g.t.Fatalf("reply %q: %v", w.Body, err)
	}
	for _, f := range []string{"actionCode", "errCode", "nextCode"} {
		if _, ok := reply[f].(float64); !ok {
			g.t.Errorf("reply %q: %s is no number", w.Body, f)
		}
	}
	return reply
}

func (g *gatewayTest) last() *Trace {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.traces) == 0 {
		g.t.Fatal("no trace")
	}
	return g.traces[len(g.traces)-1]
}

func code(reply map[string]any) int {
	if reply["nextCode"] == 1.0 && reply["actionCode"] == 0.0 {
		return int(reply["errCode"].(float64))
	}
	return 0
}

// ruleOf is a rules part with one rule for group messages.
func ruleOf(await string) string {
	return "rules:\n  - name: check\n    callbacks: [beforeSendGroupMsg]\n    await: " + await + "\n"
}

func TestAnswerLeavesWhenTheVotesDecide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick, slow := refuses(20401, "blocked", 20*time.Millisecond), says(openim.Allow, 3*time.Second)
		g := newGateway(t, Options{}, ruleOf("{sinks: [quick, slow]}"), map[string]*scripted{"quick": quick, "slow": slow})
		start := time.Now()
		if got := code(g.post("beforeSendGroupMsg", nil)); got != 20401 {
			t.Errorf("code %d, want 20401", got)
		}
		if took := time.Since(start); took != 20*time.Millisecond {
			t.Errorf("answered after %s, want 20ms", took)
		}
		if err := <-slow.ended; err != context.Canceled {
			t.Errorf("the loser ended with %v, want it cancelled", err)
		}
	})
}

func TestLingeringSinkFinishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick, slow := refuses(20401, "blocked", 20*time.Millisecond), says(openim.Allow, 3*time.Second)
		g := newGateway(t, Options{}, ruleOf("{sinks: [quick, slow], linger: true}"), map[string]*scripted{"quick": quick, "slow": slow})
		start := time.Now()
		g.post("beforeSendGroupMsg", nil)
		if took := time.Since(start); took != 20*time.Millisecond {
			t.Errorf("answered after %s, want 20ms", took)
		}
		if err := <-slow.ended; err != nil {
			t.Errorf("the lingering sink was cut off: %v", err)
		}
		if err := g.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAfterCallbacksLetEverySinkHear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken, slow := says(openim.Failed, time.Millisecond), says(openim.Allow, time.Second)
		g := newGateway(t, Options{}, "rules:\n  - name: tell\n    callbacks: [afterSendGroupMsg]\n    await: {sinks: [broken, slow]}\n",
			map[string]*scripted{"broken": broken, "slow": slow})
		reply := g.post("afterSendGroupMsg", nil)
		if reply["actionCode"] != 1.0 || reply["nextCode"] != 0.0 {
			t.Errorf("reply %v, want actionCode 1 and nextCode 0: the policy was not met", reply)
		}
		if err := <-slow.ended; err != nil {
			t.Errorf("the other sink was cut off: %v", err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	tests := []struct {
		name   string
		await  string
		budget time.Duration
		took   time.Duration
		code   int
	}{
		{"the rule's deadline ends the wait and fails open", "{sinks: [hung], deadline: 300ms}", 0, 300 * time.Millisecond, 0},
		{"and fails closed where asked", "{sinks: [hung], deadline: 300ms, on_failure: refuse}", 0, 300 * time.Millisecond, CodeFailed},
		{"the budget ends it where the rule has none", "{sinks: [hung]}", 0, 4 * time.Second, 0},
		{"the budget is a setting", "{sinks: [hung]}", time.Second, time.Second, 0},
		{"abstaining leaves the others to decide", "{sinks: [hung, no], deadline: 1s, on_failure: abstain, policy: any}", 0, time.Second, 20401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hung, no := says(openim.Allow, time.Hour), refuses(20401, "no", time.Millisecond)
				g := newGateway(t, Options{AnswerWithin: tt.budget}, ruleOf(tt.await), map[string]*scripted{"hung": hung, "no": no})
				start := time.Now()
				if got := code(g.post("beforeSendGroupMsg", nil)); got != tt.code {
					t.Errorf("code %d, want %d", got, tt.code)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("answered after %s, want %s", took, tt.took)
				}
				if err := g.Drain(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A sink that ignores its context may hold its own goroutine, not the answer, as long as another is asked with it.
type deaf struct{ release chan struct{} }

func (d deaf) Ask(context.Context, sinks.Request) sinks.Result {
	<-d.release
	return sinks.Result{}
}

func TestDeafSinkDoesNotHoldTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGateway(t, Options{}, ruleOf("{sinks: [s, quick], deadline: 1s}"), map[string]*scripted{"s": says(openim.Allow, 0), "quick": says(openim.Allow, 0)})
		d := deaf{make(chan struct{})}
		table := *g.Table()
		table.Sinks = map[string]Asker{"s": d, "quick": table.Sinks["quick"]}
		g.Swap(&table)
		start := time.Now()
		g.post("beforeSendGroupMsg", nil)
		if took := time.Since(start); took != time.Second {
			t.Errorf("answered after %s, want 1s", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Drain(ctx); err == nil {
			t.Error("Drain did not say that a request was left")
		}
		close(d.release)
	})
}

func TestSinkUnderTwoRulesIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := refuses(20401, "no", time.Millisecond)
		g := newGateway(t, Options{}, `
rules:
  - {name: low, callbacks: [beforeSendGroupMsg], await: {sinks: [s]}}
  - {name: high, priority: 10, callbacks: [beforeSendGroupMsg], await: {sinks: [s]}}
`, map[string]*scripted{"s": s})
		g.post("beforeSendGroupMsg", nil)
		if len(s.asked) != 1 {
			t.Errorf("asked %d times, want once", len(s.asked))
		}
		if got := g.last(); got.DecidedBy != "high" || len(got.Rules) != 2 || got.Rules[1].Decision != "refuse" {
			t.Errorf("decided by %q, rules %+v: want high to decide and both refusals in the trace", got.DecidedBy, got.Rules)
		}
	})
}

func TestOwnReplies(t *testing.T) {
	const readOnly = `
rules:
  - name: read-only
    callbacks: [beforeSendGroupMsg]
    when: groupID == "announcements"
    reply: {refuse: {code: 20403, message: "Only administrators post here"}}
  - name: moderate
    callbacks: [beforeSendGroupMsg]
    await: {sinks: [s]}
`
	synctest.Test(t, func(t *testing.T) {
		s := says(openim.Allow, time.Second)
		g := newGateway(t, Options{}, readOnly, map[string]*scripted{"s": s})
		reply := g.post("beforeSendGroupMsg", map[string]any{"groupID": "announcements"})
		if code(reply) != 20403 || reply["errMsg"] != "Only administrators post here" {
			t.Errorf("reply %v, want the rule's own refusal", reply)
		}
		if len(s.asked) != 0 || len(g.last().Asked) != 0 {
			t.Error("a sink was asked although the refusal was certain")
		}
		if got := code(g.post("beforeSendGroupMsg", map[string]any{"groupID": "other"})); got != 0 || len(s.asked) != 1 {
			t.Errorf("code %d, asked %d times; want an allow after one question", got, len(s.asked))
		}
	})
}

func TestOneRefusingRuleSettlesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, no := says(openim.Allow, 3*time.Second), refuses(20401, "no", time.Millisecond)
		g := newGateway(t, Options{}, `
rules:
  - {name: waits, priority: 10, callbacks: [beforeSendGroupMsg], await: {sinks: [slow]}}
  - {name: refuses, callbacks: [beforeSendGroupMsg], await: {sinks: [no]}}
`, map[string]*scripted{"slow": slow, "no": no})
		start := time.Now()
		if got := code(g.post("beforeSendGroupMsg", nil)); got != 20401 || time.Since(start) != time.Millisecond {
			t.Errorf("code %d after %s, want 20401 after 1ms", got, time.Since(start))
		}
		if d := g.last().Rules[0].Decision; d != "undecided" {
			t.Errorf("the rule that waited is said to have come to %q", d)
		}
	})
}

// A sink that two rules await has the later of their deadlines, and lingers if one of them says so.
func TestRulesShareASink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := refuses(20401, "no", 500*time.Millisecond)
		g := newGateway(t, Options{}, `
rules:
  - {name: short, callbacks: [beforeSendGroupMsg], await: {sinks: [s], deadline: 100ms}}
  - {name: long, callbacks: [beforeSendGroupMsg], await: {sinks: [s], deadline: 1s}}
`, map[string]*scripted{"s": s})
		if got := code(g.post("beforeSendGroupMsg", nil)); got != 20401 || g.last().DecidedBy != "long" {
			t.Errorf("code %d by %q, want 20401 by the rule with the longer deadline", got, g.last().DecidedBy)
		}
		if why := g.last().Rules[0].Why; !strings.Contains(why, "no answer before the deadline") {
			t.Errorf("the rule with the short deadline says %q", why)
		}
		g.Swap(makeTable(t, `
rules:
  - {name: stays, callbacks: [beforeSendGroupMsg], await: {sinks: [s], deadline: 100ms, linger: true}}
  - {name: goes, callbacks: [beforeSendGroupMsg], await: {sinks: [s], deadline: 100ms}}
`, map[string]*scripted{"s": s}))
		<-s.ended
		g.post("beforeSendGroupMsg", nil)
		if err := <-s.ended; err != nil {
			t.Errorf("cut off although one rule lets it linger: %v", err)
		}
	})
}

// Nothing can be refused any more, so a rule that tries keeps nobody from hearing.
func TestOwnRefusalOfAnAfterCallbackStillAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := says(openim.Allow, time.Second)
		g := newGateway(t, Options{}, `
rules:
  - {name: refuses, reply: {refuse: {code: 20001, message: "no"}}}
  - {name: tells, callbacks: [afterSendGroupMsg], await: {sinks: [s]}}
`, map[string]*scripted{"s": s})
		g.post("afterSendGroupMsg", nil)
		if err := <-s.ended; err != nil || len(s.asked) != 1 {
			t.Errorf("the sink ended with %v", err)
		}
	})
}

func TestPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := says(openim.Allow, 0)
		s.panics = true
		g := newGateway(t, Options{}, ruleOf("{sinks: [s], on_failure: refuse}"), map[string]*scripted{"s": s})
		if got := code(g.post("beforeSendGroupMsg", nil)); got != CodeFailed {
			t.Errorf("a sink that panics: code %d, want %d", got, CodeFailed)
		}
		g.Gateway.table.Store(new(prepared)) // without a table in it: a bug on the path
		if got := code(g.post("beforeSendGroupMsg", nil)); got != 0 {
			t.Errorf("a panic on the path: code %d, want an allow", got)
		}
		if g.last().Trouble != string(panicked) {
			t.Errorf("trouble %q, want %q", g.last().Trouble, panicked)
		}
	})
}

// What goes wrong after the reply was written must not write another behind it.
func TestPanicBehindTheReply(t *testing.T) {
	g := newGateway(t, Options{}, oneRule, nil)
	g.o.OnTrace = func(*Trace) { panic("the one who looks on broke") }
	if got := code(g.post("beforeSendGroupMsg", nil)); got != 0 { // post fails on anything but one JSON object
		t.Errorf("code %d, want an allow", got)
	}
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		g := newGateway(t, Options{Registerer: reg}, ruleOf("{sinks: [s]}"), map[string]*scripted{"s": refuses(20401, "no", 0)})
		g.post("beforeSendGroupMsg", nil)
		g.post("afterSendGroupMsg", nil)
		want := map[string]float64{
			`callboard_callbacks_total{command="beforeSendGroupMsg",verdict="refuse"}`: 1,
			`callboard_callbacks_total{command="afterSendGroupMsg",verdict="allow"}`:   1,
			`callboard_callbacks_unmatched_total{}`:                                    1,
			`callboard_sink_votes_total{sink="s",vote="refuse"}`:                       1,
			`callboard_rule_matches_total{rule="check"}`:                               1,
		}
		got := gather(t, reg)
		for series, n := range want {
			if got[series] != n {
				t.Errorf("%s is %v, want %v", series, got[series], n)
			}
		}
		g.Swap(makeTable(t, ruleOf("{sinks: [other]}"), map[string]*scripted{"other": says(openim.Allow, 0)}))
		for series := range gather(t, reg) {
			if strings.Contains(series, `sink="s"`) {
				t.Errorf("%s is left of a sink that has gone", series)
			}
		}
	})
}

// A rule's series stay while tables have the rule, whether or not it matched under each, and go with it.
func TestSeriesOfRulesGoWithThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		g := newGateway(t, Options{Registerer: reg}, "rules: [{name: a, reply: allow}, {name: b, reply: allow}]", nil)
		g.post("beforeSendGroupMsg", nil)
		for _, step := range []struct {
			rules string
			a, b  bool
		}{
			{"rules: [{name: a, reply: allow, callbacks: beforeAddBlack}, {name: b, reply: allow}]", true, true},
			{"rules: [{name: b, reply: allow}]", false, true},
			{"rules: [{name: c, reply: allow}]", false, false},
		} {
			g.Swap(makeTable(t, step.rules, nil))
			got := gather(t, reg)
			for name, want := range map[string]bool{"a": step.a, "b": step.b} {
				if _, found := got[`callboard_rule_matches_total{rule="`+name+`"}`]; found != want {
					t.Errorf("under %s rule %s has a series: %t, want %t", step.rules, name, found, want)
				}
			}
		}
	})
}

func gather(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+`="`+l.GetValue()+`"`)
			}
			got[f.GetName()+"{"+strings.Join(labels, ",")+"}"] = m.GetCounter().GetValue()
		}
	}
	return got
}
