package router

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

func loadRules(t rapid.TB, text string) *rules.Set {
	t.Helper()
	set, ds := rules.Load([]rules.File{{Name: "rules.yaml", Data: []byte(text)}}, rules.Options{})
	if set == nil {
		t.Fatalf("rules do not load: %v\n%s", ds, text)
	}
	return set
}

func sampleCallback(t rapid.TB, short string) *openim.Callback {
	t.Helper()
	c, ok := openim.Lookup(short)
	if !ok {
		t.Fatalf("no command %s", short)
	}
	cb, err := openim.Decode(openim.Request{Path: "/" + c.Name, Header: http.Header{}, Body: openim.Sample(c)})
	if err != nil {
		t.Fatal(err)
	}
	return cb
}

func TestPlay(t *testing.T) {
	const ms = time.Millisecond
	answer := func(after time.Duration, body string) sinks.Step { return sinks.Step{After: after, Body: []byte(body)} }
	const refusal = `{"nextCode":1,"errCode":20401,"errMsg":"no"}`
	for name, tt := range map[string]struct {
		await   string
		script  Script
		verdict string
		took    time.Duration
		asked   string
	}{
		"all allow, the slowest says when": {
			"{sinks: [a, b]}", Script{"a": {answer(30*ms, "{}")}, "b": {answer(20*ms, "{}")}}, "allow", 30 * ms, "a=allow:30ms b=allow:20ms"},
		"a refusal does not wait for the other": {
			"{sinks: [a, b]}", Script{"a": {answer(30*ms, "{}")}, "b": {answer(20*ms, refusal)}}, "refuse 20401", 20 * ms, "a=out b=refuse:20ms"},
		"an attempt that times out is repeated": {
			"{sinks: [a]}", Script{"a": {{Hangs: true}, answer(5*ms, "{}")}}, "allow", 145 * ms, "a=allow:145ms/2"},
		"the deadline closes the vote": {
			"{sinks: [a, b], deadline: 50ms, on_failure: refuse}", Script{"a": {answer(10*ms, "{}")}, "b": {{Hangs: true}}}, "refuse 20002", 50 * ms, "a=allow:10ms b=out"},
		"nobody listens": {
			"{sinks: [a], on_failure: refuse}", Script{"a": {{Err: sinks.ErrRefused}}}, "refuse 20002", 40 * ms, "a=failed:40ms/2"},
		"no script allows": {"{sinks: [a, b]}", nil, "allow", 0, "a=allow:0s b=allow:0s"},
	} {
		t.Run(name, func(t *testing.T) {
			set := loadRules(t, "sinks:\n  a: &s {url: 'http://a/', timeout: 100ms, retry: {backoff: 40ms}}\n  b: *s\nrules:\n"+
				"  - {name: check, callbacks: [beforeSendGroupMsg], await: "+tt.await+"}\n")
			got := NewRehearsal(set, Options{}).Play(sampleCallback(t, "beforeSendGroupMsg"), time.Unix(0, 0), tt.script)
			verdict := "allow"
			if got.Verdict.Refuse {
				verdict = fmt.Sprintf("refuse %d", got.Verdict.Code)
			}
			if asked := votesText(got.Asked); verdict != tt.verdict || got.Duration != tt.took || asked != tt.asked {
				t.Errorf("got %s after %v, %s; want %s after %v, %s", verdict, got.Duration, asked, tt.verdict, tt.took, tt.asked)
			}
		})
	}
}

// odd is a time that no sum of a few others equals by chance: what happens at the very same moment happens in any order.
func odd(t *rapid.T, label string, least, most int) time.Duration {
	n := rapid.Uint32().Draw(t, label+" odd")
	return time.Duration(rapid.IntRange(least, most).Draw(t, label))*time.Millisecond + time.Duration(uint64(n)*2654435761%1_000_003)
}

func drawTable(t *rapid.T) string {
	var b strings.Builder
	b.WriteString("sinks:\n")
	for _, name := range []string{"a", "b", "c"} {
		fmt.Fprintf(&b, "  %s: {url: 'http://%s/', timeout: %v, retry: {attempts: %d, backoff: %v, max_backoff: 1500ms}", name, name,
			odd(t, "timeout", 20, 400), rapid.IntRange(1, 3).Draw(t, "attempts"), odd(t, "backoff", 1, 100))
		if rapid.IntRange(0, 3).Draw(t, "hedges") == 0 {
			fmt.Fprintf(&b, ", hedge: %v", odd(t, "hedge", 5, 200))
		}
		b.WriteString("}\n")
	}
	b.WriteString("rules:\n")
	for i := range rapid.IntRange(1, 3).Draw(t, "rules") {
		asked := rapid.Permutation([]string{"a", "b", "c"}).Draw(t, "sinks")[:rapid.IntRange(1, 3).Draw(t, "number of sinks")]
		policy := rapid.SampledFrom([]string{"all", "any", "majority", "first", "{quorum: 1}", "{primary: " + asked[0] + "}"}).Draw(t, "policy")
		fmt.Fprintf(&b, "  - name: r%d\n    await: {sinks: [%s], policy: %s, on_failure: %s", i, strings.Join(asked, ", "), policy,
			rapid.SampledFrom([]string{"allow", "refuse", "abstain"}).Draw(t, "on failure"))
		if rapid.Bool().Draw(t, "has deadline") {
			fmt.Fprintf(&b, ", deadline: %v", odd(t, "deadline", 10, 900))
		}
		if rapid.Bool().Draw(t, "says linger") {
			fmt.Fprintf(&b, ", linger: %t", rapid.Bool().Draw(t, "linger"))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

var steps = rapid.Custom(func(t *rapid.T) sinks.Step {
	s := sinks.Step{After: odd(t, "after", 0, 500), Body: []byte(rapid.SampledFrom([]string{
		"", "{}", `{"nextCode":1,"errCode":20401}`, "nonsense", `{"content":"x"}`,
	}).Draw(t, "body"))}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		s.Hangs = true
	case 1:
		s.Err = sinks.ErrReset
	case 2:
		s.Status, s.RetryAfter = 503, rapid.SampledFrom([]string{"", "0", "1"}).Draw(t, "retry after")
	}
	return s
})

// meets is a step as a sink behind a connection plays it.
func meets(s sinks.Step) testkit.Step {
	step := testkit.Step{Delay: s.After, Hangs: s.Hangs, Resets: s.Err != nil, Status: s.Status, Body: string(s.Body)}
	if s.RetryAfter != "" {
		step.Header = map[string]string{"Retry-After": s.RetryAfter}
	}
	return step
}

// outcome is what a trace tells of a callback, without what depends on the order of things at one moment: whether a request ended
// just before its rule's deadline or with it.
func outcome(t *Trace, set *rules.Set) []string {
	atDeadline := t.Duration == 4*time.Second
	for _, r := range set.Rules {
		atDeadline = atDeadline || t.Duration == r.Await.Deadline
	}
	lines := []string{fmt.Sprint(t.Duration), fmt.Sprint("refuse ", t.Verdict.Refuse)}
	if atDeadline && t.Verdict.Refuse {
		return lines
	}
	lines = append(lines, "by "+t.DecidedBy, string(t.Reply), strings.Join(t.Notes, "; "))
	for _, r := range t.Rules {
		lines = append(lines, r.Rule+" "+r.Decision)
	}
	for i := range t.Asked {
		a := &t.Asked[i]
		if !a.Done || atDeadline && a.Duration == t.Duration {
			lines = append(lines, a.Sink+" out")
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s %d attempts, hedged %t, status %d, %v, %s", a.Sink, a.Answer.Vote, a.Attempts, a.Hedged, a.Status, a.Duration, a.Answer.Reason))
	}
	return lines
}

// What Play tells is what the gateway does with real sinks over connections.
func TestPlayIsTheGateway(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		set := loadRules(r, drawTable(r))
		cb := sampleCallback(r, rapid.SampledFrom([]string{"beforeMsgModify", "afterSendGroupMsg"}).Draw(r, "command"))
		script := Script{}
		for _, s := range set.Sinks {
			script[s.Name] = rapid.SliceOfN(steps, 1, 4).Draw(r, "script")
		}
		played := NewRehearsal(set, Options{}).Play(cb, time.Unix(0, 0), script)

		var real *Trace
		synctest.Test(t, func(t *testing.T) {
			network := testkit.NewNetwork()
			table := &Table{Rules: set, Sinks: map[string]Asker{}}
			for _, s := range set.Sinks {
				var far []testkit.Step
				for _, step := range script[s.Name] {
					far = append(far, meets(step))
				}
				network.Serve(t, s.Name, testkit.Script(far...))
				o := rehearsed(s)
				o.URL, o.Dial, o.Jitter = s.URL, network.DialContext, func(most time.Duration) time.Duration { return most }
				near, err := sinks.New(o)
				if err != nil {
					t.Fatal(err)
				}
				defer near.Close()
				table.Sinks[s.Name] = near
			}
			g := New(Options{OnTrace: func(t *Trace) { real = t }})
			g.Swap(table)
			g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, cb.Path, bytes.NewReader(cb.Body)))
			if err := g.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		if diff := cmp.Diff(outcome(real, set), outcome(played, set)); diff != "" {
			r.Fatalf("Play differs from the gateway (-gateway +Play):\n%s", diff)
		}
	})
}
