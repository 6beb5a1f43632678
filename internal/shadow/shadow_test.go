package shadow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"callboard/openim"
	"callboard/router"
	"callboard/rules"
	"callboard/sinks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A scripted sink gives one answer.
type scripted struct {
	name   string
	answer openim.Answer
}

// Ask answers, at once unless the sink is called slow.
func (s scripted) Ask(ctx context.Context, _ sinks.Request) sinks.Result {
	if s.name == "slow" {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	return sinks.Result{Sink: s.name, Attempts: 1, Answer: s.answer}
}

// A scene is a gateway with a shadow behind it.
type scene struct {
	*Shadow
	t        *testing.T
	gateway  *router.Gateway
	registry *prometheus.Registry
	log      bytes.Buffer
	posted   int
}

// play runs a scene in a bubble, where the comparison is done whenever post has returned.
func play(t *testing.T, o Options, test func(*scene)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, registry: prometheus.NewRegistry()}
		o.Log, o.Registerer = slog.New(slog.NewTextHandler(&s.log, nil)), s.registry
		s.gateway = router.New(router.Options{OnTrace: func(tr *router.Trace) { s.Observe(tr) }})
		o.SetCandidate = s.gateway.SetCandidate
		var err error
		if s.Shadow, err = New(o); err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		test(s)
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (s *scene) table(text string, answers map[string]openim.Answer) *router.Table {
	s.t.Helper()
	set, ds := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(text)}}, rules.Options{})
	if set == nil {
		s.t.Fatal(ds)
	}
	askers := map[string]router.Asker{}
	for _, sink := range set.Sinks {
		a, given := answers[sink.Name]
		if !given {
			a.Vote = openim.Allow
		}
		askers[sink.Name] = scripted{sink.Name, a}
	}
	return &router.Table{Rules: set, Sinks: askers}
}

func (s *scene) serve(text string, answers map[string]openim.Answer) {
	s.t.Helper()
	t := s.table(text, answers)
	s.gateway.Swap(t)
	s.Serving(t)
}

func (s *scene) candidate(text string, answers map[string]openim.Answer) {
	s.t.Helper()
	s.Candidate(s.table(text, answers))
}

// post sends n group messages, each of another user, and returns how many were refused.
func (s *scene) post(n int, group string) (refused int) {
	s.t.Helper()
	c, _ := openim.Lookup("beforeSendGroupMsg")
	for range n {
		var body map[string]any
		if err := json.Unmarshal(openim.Sample(c), &body); err != nil {
			s.t.Fatal(err)
		}
		s.posted++
		body["groupID"], body["sendID"], body["serverMsgID"] = group, fmt.Sprint("u", s.posted), fmt.Sprint("m", s.posted)
		text, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		w := httptest.NewRecorder()
		s.gateway.ServeHTTP(w, httptest.NewRequest("POST", "/"+c.Name, bytes.NewReader(text)))
		var reply struct{ NextCode int }
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
			s.t.Fatal(err)
		}
		refused += reply.NextCode
		synctest.Wait()
	}
	return refused
}

// differences are the entries in short: refused by strict: 3.
func (s *scene) differences() string {
	var lines []string
	for _, e := range s.Status().Entries {
		line := e.Kind.String()
		if e.Rule != "" {
			line += " by " + e.Rule
		}
		if e.Sink != "" {
			line += " to " + e.Sink
		}
		lines = append(lines, fmt.Sprintf("%s: %d", line, e.Callbacks))
	}
	return strings.Join(lines, ", ")
}

func (s *scene) metric(name string, labels ...string) float64 {
	s.t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "callboard_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			same := true
			for i, l := range m.GetLabel() {
				same = same && l.GetValue() == labels[i]
			}
			if same {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

const (
	open = `
sinks: {mod: {url: "http://127.0.0.1:1"}}
rules:
  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [mod]}}
`
	strict = open + `
  - {name: strict, callbacks: [beforeSendGroupMsg], when: 'groupID == "g1"', reply: {refuse: {code: 20403, message: "no"}}}
`
)

func TestTheCandidateIsComparedAndDecidesNothing(t *testing.T) {
	play(t, Options{}, func(s *scene) {
		s.serve(open, nil)
		s.post(1, "g1") // before there is a candidate
		s.candidate(strict, nil)
		if got := s.post(3, "g1") + s.post(2, "g2"); got != 0 {
			t.Errorf("%d were refused", got)
		}
		want := "refused by strict: 3, not_asked by ask to mod: 3, matched by strict: 3"
		if got := s.differences(); got != want {
			t.Errorf("differences %s, want %s", got, want)
		}
		status := s.Status()
		if status.State != Watching || status.Callbacks != 5 || status.Different != 3 || status.Revision == status.Serving || status.Revision == "" {
			t.Errorf("status %+v", status)
		}
		if sample := status.Entries[0].Samples[0]; sample.Command != "beforeSendGroupMsg" || sample.GroupID != "g1" || sample.SenderID != "u2" || sample.ID == "" || sample.Was != "allow" {
			t.Errorf("sample %+v", sample)
		}
		if s.metric("candidate_callbacks_total", "different") != 3 || s.metric("candidate_callbacks_total", "same") != 2 ||
			s.metric("candidate_differences_total", "refused", "strict") != 3 || s.metric("candidate_callbacks_total", "skipped") != 0 {
			t.Error("the metrics differ from the status")
		}

		s.candidate(open+"# another revision\n", nil)
		if s.differences() != "" || s.Status().Callbacks != 0 || s.metric("candidate_differences_total", "refused", "strict") != 0 {
			t.Error("another candidate begins with what the one before it did")
		}
	})
}

// The votes that came count for both sides, so that a sink's moods are no difference.
func TestVotesThatCameAreUsed(t *testing.T) {
	play(t, Options{}, func(s *scene) {
		refuse := map[string]openim.Answer{"mod": {Vote: openim.Refuse, Code: 20401, Message: "no"}}
		s.serve(open, refuse)
		s.candidate(strings.Replace(open, "sinks: [mod]}", "sinks: [mod], policy: any}", 1), nil)
		if s.post(2, "g1") != 2 || s.differences() != "" {
			t.Errorf("differences %s", s.differences())
		}
		s.candidate(strings.Replace(open, "name: ask", "name: other", 1)+"\n", nil)
		s.post(1, "g1")
		if got := s.differences(); got != "code_changed by other: 1" && got != "matched by other: 1, not_matched by ask: 1" {
			t.Errorf("differences %s", got)
		}
	})
}

// Of two sinks the quicker one has decided. That the slower one would have allowed is nobody's difference.
func TestTheOrderInWhichVotesCameIsNoDifference(t *testing.T) {
	play(t, Options{}, func(s *scene) {
		first := `
sinks: {slow: {url: "http://127.0.0.1:1"}, quick: {url: "http://127.0.0.1:1"}}
rules:
  - {name: ask, callbacks: [beforeSendGroupMsg], await: {sinks: [slow, quick], policy: first}}
`
		s.serve(first, map[string]openim.Answer{"quick": {Vote: openim.Refuse, Code: 20401}})
		s.candidate(first+"# again\n", nil)
		if s.post(3, "g1") != 3 || s.differences() != "" || s.Status().Callbacks != 3 {
			t.Errorf("differences %s", s.differences())
		}
	})
}

func TestSinksThatNobodyAskedAreAssumedToAllow(t *testing.T) {
	play(t, Options{}, func(s *scene) {
		s.serve(open, nil)
		s.candidate(strings.ReplaceAll(strings.Replace(open, "sinks: {mod", "sinks: {risk", 1), "[mod]", "[risk]"), nil)
		s.post(2, "g1")
		if status := s.Status(); status.Assumed["risk"] != 2 || s.differences() != "asked by ask to risk: 2, not_asked by ask to mod: 2" {
			t.Errorf("assumed %v, differences %s", status.Assumed, s.differences())
		}
	})
}

func TestTheCanaryDecidesItsShare(t *testing.T) {
	play(t, Options{Share: 0.5, Bounds: Bounds{Refusals: 1, Errors: 1, Matches: 1}}, func(s *scene) {
		s.serve(open, nil)
		s.candidate(strings.Replace(strict, `when: 'groupID == "g1"', `, "", 1), nil)
		of := map[string]int{} // group → refusals of two
		all := 0
		for i := range 200 {
			group := fmt.Sprint("g", i)
			of[group] = s.post(1, group)
			all += of[group]
		}
		for group, n := range of {
			if s.post(1, group) != n {
				t.Errorf("group %s was the canary's and not the canary's", group)
			}
		}
		if all < 70 || all > 130 {
			t.Errorf("%d of 200 groups were the canary's", all)
		}
		if s.post(1, "") != 0 {
			t.Error("a callback without a key was the canary's")
		}
		if got := s.Status(); got.State != Canary || got.Callbacks != 401 || got.Different != 401 { // on both sides the same is told
			t.Errorf("status %+v", got)
		}
		if got := s.metric("canary_callbacks_total", "refuse"); got != float64(2*all) {
			t.Errorf("%v callbacks of the canary were refused, want %d", got, 2*all)
		}
	})
}

func TestAllAndNone(t *testing.T) {
	play(t, Options{Share: 1, Key: "sendID", Bounds: Bounds{Refusals: 1, Errors: 1, Matches: 1}}, func(s *scene) {
		s.serve(open, nil)
		s.candidate(strict, nil)
		if got := s.post(100, "g1"); got != 100 {
			t.Errorf("of all, %d were the canary's", got)
		}
		w := httptest.NewRecorder()
		s.gateway.ServeHTTP(w, httptest.NewRequest("POST", "/callbackBeforeSendGroupMsgCommand", strings.NewReader(`{"groupID":"g1"}`)))
		if !strings.Contains(w.Body.String(), `"nextCode":0`) {
			t.Errorf("a callback without the key was the canary's: %s", w.Body)
		}
		if err := s.SetShare(0); err != nil {
			t.Fatal(err)
		}
		if got := s.post(100, "g1"); got != 0 || s.Status().State != Watching {
			t.Errorf("of none, %d were the canary's", got)
		}
	})
}

func TestTheCanaryRollsItselfBack(t *testing.T) {
	failing := map[string]openim.Answer{"mod": {Reason: "down"}}
	for _, row := range []struct {
		name      string
		candidate string
		answers   map[string]openim.Answer
		bounds    Bounds
		why       string
	}{
		{"too many refusals", strict, nil, Bounds{Refusals: 0.2, Errors: 1, Matches: 1},
			"10 of 10 callbacks (100%) were refused that the serving rules would not refuse within 5m0s; the bound is 20%"},
		{"too many errors", open + "# other\n", failing, Bounds{Refusals: 1, Errors: 0.05, Matches: 1},
			"10 of 10 callbacks (100%) failed, of the others 0%, within 5m0s; the bound is 5%"},
		{"conditions that fail", open + "  - {name: odd, when: 'int(operationID + \"x\") > 1', stop: true}\n", nil, Bounds{Refusals: 1, Errors: 0.05, Matches: 1},
			"10 of 10 callbacks (100%) failed, of the others 0%, within 5m0s; the bound is 5%"},
		{"trouble", open + "  - {name: tell, notify: [mod]}\n", nil, Bounds{Refusals: 1, Errors: 0.05, Matches: 1}, // there is no queue
			"10 of 10 callbacks (100%) failed, of the others 0%, within 5m0s; the bound is 5%"},
		{"too many matches", open + "  - {name: more, stop: true}\n", nil, Bounds{Refusals: 1, Errors: 1, Matches: 0.5},
			"10 of 10 callbacks (100%) were matched by more rules than the serving table's within 5m0s; the bound is 50%"},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.bounds.Least = 10
			play(t, Options{Share: 1, Bounds: row.bounds}, func(s *scene) {
				s.serve(open, nil)
				s.candidate(row.candidate, row.answers)
				s.post(9, "g1")
				if got := s.Status(); got.State != Canary {
					t.Fatalf("after 9 callbacks it is %s", got.State)
				}
				s.post(1, "g1")
				got := s.Status()
				if got.State != RolledBack || got.RolledBack.Why != row.why || got.Share != 0 || got.RolledBack.Share != 1 {
					t.Fatalf("status %+v, rolled back %+v", got, got.RolledBack)
				}
				if !strings.Contains(s.log.String(), `level=ERROR msg="canary rolled back"`) || s.metric("canary_rolled_back") != 1 || s.metric("canary_share") != 0 {
					t.Errorf("nobody is told:\n%s", &s.log)
				}
				if s.post(5, "g1") != 0 || s.Status().Callbacks != 15 && row.name != "trouble" {
					t.Error("it decides on, or is no longer compared")
				}
				if err := s.Resume(); err != nil {
					t.Fatal(err)
				}
				if got := s.Status(); got.State != Canary || got.Share != 1 || got.Window.Callbacks != 0 {
					t.Errorf("resumed: %+v", got)
				}
				if err := s.Resume(); err != ErrNotRolledBack {
					t.Errorf("resuming twice: %v", err)
				}
				s.post(10, "g1")
				if s.Status().State != RolledBack {
					t.Fatal("it is not rolled back a second time")
				}
				s.candidate(row.candidate+"# corrected\n", nil)
				if got := s.Status(); got.State != Canary || got.Share != 1 {
					t.Errorf("another candidate: %+v", got)
				}
			})
		})
	}
}

// A sink that fails for everybody is not the candidate's fault.
func TestErrorsOfAllAreNotTheCanarys(t *testing.T) {
	failing := map[string]openim.Answer{"mod": {Reason: "down"}}
	play(t, Options{Share: 0.5, Key: "sendID", Bounds: Bounds{Refusals: 1, Errors: 0.01, Matches: 1, Least: 10}}, func(s *scene) {
		s.serve(open, failing)
		s.candidate(open+"# other\n", failing)
		s.post(20, "g1")
		s.post(200, "g1")
		if got := s.Status(); got.State != Canary {
			t.Errorf("it was rolled back: %+v", got.RolledBack)
		}
	})
}

func TestTheWindowForgets(t *testing.T) {
	play(t, Options{Share: 1, Bounds: Bounds{Refusals: 0.5, Errors: 1, Matches: 1, Least: 10, Window: time.Minute}}, func(s *scene) {
		s.serve(open, nil)
		s.candidate(strict, nil)
		s.post(9, "g1")
		time.Sleep(61 * time.Second)
		s.post(9, "g1")
		if got := s.Status(); got.State != Canary || got.Window.Callbacks != 9 || got.Window.Refused != 9 {
			t.Errorf("status %+v", got)
		}
		time.Sleep(30 * time.Second)
		s.post(1, "g1")
		if got := s.Status(); got.State != RolledBack {
			t.Errorf("status %+v", got)
		}
	})
}

func TestADiscardedCandidateComesBackWithItsNextRevision(t *testing.T) {
	play(t, Options{Share: 1, Bounds: Bounds{Refusals: 1, Errors: 1, Matches: 1}}, func(s *scene) {
		if err := s.Discard(); err != ErrNoCandidate {
			t.Errorf("discarding nothing: %v", err)
		}
		if err := s.SetShare(1); err != ErrNoCandidate {
			t.Errorf("a share of nothing: %v", err)
		}
		s.serve(open, nil)
		s.candidate(strict, nil)
		if s.post(1, "g1") != 1 {
			t.Error("the candidate does not decide")
		}
		if err := s.Discard(); err != nil {
			t.Fatal(err)
		}
		if got := s.Status(); s.post(1, "g1") != 0 || got.State != Discarded || got.Share != 0 || s.Resume() != ErrNoCandidate {
			t.Errorf("status %+v", got)
		}
		s.candidate(strict+"# again\n", nil)
		if got := s.Status(); s.post(1, "g1") != 1 || got.State != Canary {
			t.Errorf("status %+v", got)
		}
	})
}

// A reload in between makes a comparison meaningless.
func TestATableThatChangedIsNotCompared(t *testing.T) {
	play(t, Options{}, func(s *scene) {
		s.serve(open, nil)
		s.candidate(strict, nil)
		s.Serving(s.table(open+"# newer\n", nil)) // the gateway still decides with the older one
		s.post(1, "g1")
		if s.Status().Callbacks != 0 || s.metric("candidate_callbacks_total", "skipped") != 1 {
			t.Errorf("status %+v", s.Status())
		}
	})
}

// What the comparison cannot keep up with is dropped, by number and by size; nobody waits.
func TestTooMuchIsDropped(t *testing.T) {
	for name, o := range map[string]Options{"by number": {Buffer: 1 << 40}, "by size": {Buffer: traceBytes + 10}} {
		t.Run(name, func(t *testing.T) {
			o.SetCandidate = func(*router.Table, func(*openim.Callback) bool) {}
			s, err := New(o) // nobody runs it
			if err != nil {
				t.Fatal(err)
			}
			s.active.Store(true)
			for range maxWaiting + 10 {
				s.Observe(&router.Trace{Revision: "a", Callback: &openim.Callback{Body: []byte("{}")}})
			}
			waiting := len(s.waiting)
			if want := map[string]int{"by number": maxWaiting, "by size": 1}[name]; waiting != want {
				t.Errorf("%d wait, want %d", waiting, want)
			}
			if want := int64(waiting) * (traceBytes + 2); s.bytes.Load() != want {
				t.Errorf("%d bytes wait, want %d", s.bytes.Load(), want)
			}
		})
	}
}

func TestWhatRulesDidNotDecideIsNotCompared(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.active.Store(true)
	cb := &openim.Callback{}
	for _, tr := range []*router.Trace{{}, {Callback: cb, Trouble: "loop"}, {Callback: cb, Revision: "a", RepeatOf: "x"}, {Callback: cb, Revision: "a", ReplayOf: "x"}} {
		s.Observe(tr)
	}
	if len(s.waiting) != 0 {
		t.Errorf("%d wait", len(s.waiting))
	}
}

func TestAWrongKeyIsRefused(t *testing.T) {
	for key, want := range map[string]string{"groupID ==": "ends too early", "now": "time", "grupID": "unknown name"} {
		if _, err := New(Options{Key: key}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("key %s: %v, want %s", key, err, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{0: "0%", 0.05: "5%", 1: "100%", 0.0025: "0.25%", 1.0 / 3: "33.3333%"} {
		if got := Percent(share); got != want {
			t.Errorf("%v is %s, want %s", share, got, want)
		}
	}
}

// Where keys stand does not change with versions: a share that grows keeps those that it had.
func TestPlacesOfKeys(t *testing.T) {
	for key, want := range map[string]string{"g1": "0.338226", "support-7": "0.776998"} {
		if got := fmt.Sprintf("%.6f", place(key)); got != want {
			t.Errorf("%s stands at %s, want %s", key, got, want)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	set, _ := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(strict)}}, rules.Options{})
	other, _ := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(open)}}, rules.Options{})
	for _, row := range []struct {
		name      string
		candidate *rules.Set
	}{{"same", set}, {"different", other}} {
		b.Run(row.name, func(b *testing.B) {
			s, err := New(Options{SetCandidate: func(*router.Table, func(*openim.Callback) bool) {}})
			if err != nil {
				b.Fatal(err)
			}
			s.Serving(&router.Table{Rules: set})
			s.Candidate(&router.Table{Rules: row.candidate})
			c, _ := openim.Lookup("beforeSendGroupMsg")
			cb, err := openim.Decode(openim.Request{Path: "/" + c.Name, Body: bytes.Replace(openim.Sample(c), []byte(`"groupID":"`), []byte(`"groupID":"g1","x":"`), 1)})
			if err != nil {
				b.Fatal(err)
			}
			tr := router.NewRehearsal(set, router.Options{}).Run(cb, time.Now(), router.Votes{})
			tr.Callback = cb
			b.ReportAllocs()
			for b.Loop() {
				s.compare(tr)
			}
		})
	}
}

// What waits is bounded by all that a trace holds: an answer may be much larger than the callback.
func TestSizeOfATrace(t *testing.T) {
	tr := &router.Trace{Callback: &openim.Callback{Body: make([]byte, 3)}, Reply: make([]byte, 40)}
	tr.Asked = []router.SinkTrace{{Result: sinks.Result{Answer: openim.Answer{Fields: []openim.FieldValue{{Raw: make([]byte, 500)}}}}}}
	if got := sizeOf(tr); got != traceBytes+543 {
		t.Errorf("%d bytes, want %d", got, traceBytes+543)
	}
}
