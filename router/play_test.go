package router

import (
	"bytes"
	"fmt"
	"math/rand/v2"
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
		"what cannot be made is not sent": {
			"{sinks: [a, odd], on_failure: refuse}", Script{"a": {answer(10*ms, "{}")}}, "refuse 20002", 0, "a=out odd=failed:0s"},
		"nor where nobody else is asked": {
			"{sinks: [odd]}", Script{"odd": {answer(10*ms, refusal)}}, "allow", 0, "odd=failed:0s"},
		"no script allows": {"{sinks: [a, b]}", nil, "allow", 0, "a=allow:0s b=allow:0s"},
	} {
		t.Run(name, func(t *testing.T) {
			set := loadRules(t, "sinks:\n  a: &s {url: 'http://a/', timeout: 100ms, retry: {backoff: 40ms}}\n  b: *s\n  odd: {url: 'http://odd/', body: data.level}\nrules:\n"+
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

// odds draws times that no sum of a few others equals: what happens at the very same moment happens in any order.
type odds struct {
	*rapid.T
	drawn uint64
}

func (t *odds) time(label string, least, most int) time.Duration {
	t.drawn++
	odd := rand.New(rand.NewPCG(t.drawn, 0)).IntN(int(time.Millisecond)) // whatever rapid shrinks to
	return time.Duration(rapid.IntRange(least, most).Draw(t.T, label))*time.Millisecond + time.Duration(odd)
}

func (t *odds) table() string {
	var b strings.Builder
	b.WriteString("sinks:\n")
	for _, name := range []string{"a", "b", "c"} {
		fmt.Fprintf(&b, "  %s: {url: 'http://%s/', timeout: %v, retry: {attempts: %d, backoff: %v, max_backoff: 1500ms}", name, name,
			t.time("timeout", 20, 400), rapid.IntRange(1, 3).Draw(t.T, "attempts"), t.time("backoff", 1, 100))
		if rapid.IntRange(0, 3).Draw(t.T, "hedges") == 0 {
			fmt.Fprintf(&b, ", hedge: %v", t.time("hedge", 5, 200))
		}
		switch rapid.IntRange(0, 7).Draw(t.T, "shaped") {
		case 0:
			b.WriteString(", body: data.level") // which is nil
		case 1:
			b.WriteString(", set: {fields: {bad: int(command)}}")
		}
		b.WriteString("}\n")
	}
	b.WriteString("rules:\n")
	for i := range rapid.IntRange(1, 3).Draw(t.T, "rules") {
		asked := rapid.Permutation([]string{"a", "b", "c"}).Draw(t.T, "sinks")[:rapid.IntRange(1, 3).Draw(t.T, "number of sinks")]
		policy := rapid.SampledFrom([]string{"all", "any", "majority", "first", "{quorum: 1}", "{primary: " + asked[0] + "}"}).Draw(t.T, "policy")
		fmt.Fprintf(&b, "  - name: r%d\n    await: {sinks: [%s], policy: %s, on_failure: %s", i, strings.Join(asked, ", "), policy,
			rapid.SampledFrom([]string{"allow", "refuse", "abstain"}).Draw(t.T, "on failure"))
		if rapid.Bool().Draw(t.T, "has deadline") {
			fmt.Fprintf(&b, ", deadline: %v", t.time("deadline", 10, 900))
		}
		if rapid.Bool().Draw(t.T, "says linger") {
			fmt.Fprintf(&b, ", linger: %t", rapid.Bool().Draw(t.T, "linger"))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func (t *odds) step() sinks.Step {
	s := sinks.Step{After: t.time("after", 0, 500), Body: []byte(rapid.SampledFrom([]string{
		"", "{}", `{"nextCode":1,"errCode":20401}`, "nonsense", `{"content":"x"}`,
	}).Draw(t.T, "body"))}
	switch rapid.IntRange(0, 5).Draw(t.T, "kind") {
	case 0:
		s.Hangs = true
	case 1:
		s.Err = sinks.ErrReset
	case 2:
		s.Status, s.RetryAfter = 503, rapid.SampledFrom([]string{"", "0", "1"}).Draw(t.T, "retry after")
	}
	return s
}

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
		draw := &odds{T: r}
		set := loadRules(r, draw.table())
		cb := sampleCallback(r, rapid.SampledFrom([]string{"beforeMsgModify", "afterSendGroupMsg"}).Draw(r, "command"))
		script := Script{}
		for _, s := range set.Sinks {
			for range rapid.IntRange(1, 4).Draw(r, "steps") {
				script[s.Name] = append(script[s.Name], draw.step())
			}
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
