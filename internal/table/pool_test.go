package table

import (
	"context"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"callboard/internal/diag"
	"callboard/internal/queue"
	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/router"
	"callboard/rules"
	"callboard/sinks"
)

// The tests here load real rules and make real sinks.

// A served is a Keeper of real rules with the table that it published last.
type served struct {
	*Keeper
	t     *testing.T
	file  string
	table *router.Table
}

func serve(t *testing.T, dial func(*Options), text string) *served {
	t.Helper()
	dir := t.TempDir()
	s := &served{t: t, file: filepath.Join(dir, "rules.yaml")}
	o := Options{Dir: dir, Publish: func(table *router.Table) { s.table = table }}
	if dial != nil {
		dial(&o)
	}
	s.Keeper = New(o)
	t.Cleanup(func() { s.sinks.closeUnless(nil) })
	s.load(text)
	return s
}

// load replaces the rules and takes them.
func (s *served) load(text string) {
	s.t.Helper()
	write(s.t, s.file, text)
	if ds, err := s.Load(); err != nil {
		s.t.Fatalf("Load: %v %v", err, ds)
	}
}

func (s *served) ask(name string) sinks.Result {
	return s.table.Sinks[name].Ask(context.Background(), sinks.Request{ID: "1", Command: "callbackBeforeSendGroupMsgCommand", Body: []byte("{}")})
}

func (s *served) mustAllow(name string) {
	s.t.Helper()
	if r := s.ask(name); r.Answer.Vote != openim.Allow {
		s.t.Errorf("sink %s: %+v, want it to allow", name, r)
	}
}

// twoSinks are rules with the sinks one and two, whose settings are given.
func twoSinks(one, two string) string {
	return `
sinks:
  one: {url: http://one/` + one + `}
  two: {url: http://two/` + two + `}
rules:
  - name: ask
    callbacks: [beforeSendGroupMsg]
    await: {sinks: [one, two]}
`
}

func TestASinkKeepsItsConnectionsUntilItsSettingsChange(t *testing.T) {
	network := testkit.NewNetwork()
	network.Serve(t, "one", testkit.Script())
	network.Serve(t, "two", testkit.Script())
	s := serve(t, func(o *Options) { o.Dial = network.DialContext }, twoSinks("", ""))
	askBoth := func() { t.Helper(); s.mustAllow("one"); s.mustAllow("two") }
	askBoth()
	before := s.table

	s.load("# moved down a line\n" + twoSinks("", ", timeout: 1s"))
	askBoth()
	if s.table.Sinks["one"] != before.Sinks["one"] || network.Dialed("one") != 1 {
		t.Errorf("sink one, unchanged, was made anew; it dialed %d times", network.Dialed("one"))
	}
	if s.table.Sinks["two"] == before.Sinks["two"] || network.Dialed("two") != 2 {
		t.Errorf("sink two, changed, was kept; it dialed %d times", network.Dialed("two"))
	}
	if open := network.Open("two"); open != 1 {
		t.Errorf("%d connections to sink two are open, want the new one only", open)
	}
}

func TestRejectedRulesLeaveSinksAlone(t *testing.T) {
	network := testkit.NewNetwork()
	network.Serve(t, "one", testkit.Script())
	network.Serve(t, "two", testkit.Script())
	s := serve(t, func(o *Options) { o.Dial = network.DialContext }, twoSinks("", ""))
	s.mustAllow("one")
	before := s.table

	// The file is sound, only the sink cannot be made: its certificates are not there.
	write(t, s.file, strings.Replace(twoSinks("", ""), "http://two/", "https://two/, tls: {ca: "+s.file+".absent}", 1))
	ds, err := s.Load()
	if err == nil || len(ds) != 1 || ds[0].ID != "unusable-sink" || ds[0].Line != 4 || ds[0].File != s.file {
		t.Errorf("Load = %+v, %v, want one diagnostic at the sink", ds, err)
	}
	if s.table != before || s.Status().Current {
		t.Error("rejected rules were published")
	}
	s.mustAllow("one")
	if n := network.Dialed("one"); n != 1 {
		t.Errorf("sink one dialed %d times, want the connection kept over a rejected edit", n)
	}
}

func TestARequestInFlightOutlivesItsTable(t *testing.T) {
	arrived, answer := make(chan struct{}), make(chan struct{})
	network := testkit.NewNetwork()
	network.Serve(t, "one", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-answer
		_, _ = w.Write([]byte(`{"actionCode":0,"nextCode":0}`))
	}))
	s := serve(t, func(o *Options) { o.Dial = network.DialContext }, twoSinks("", ""))
	old := s.table.Sinks["one"]
	result := make(chan sinks.Result, 1)
	go func() { result <- old.Ask(context.Background(), sinks.Request{ID: "1", Body: []byte("{}")}) }()
	<-arrived
	s.load(twoSinks(", timeout: 1s", ""))
	if s.table.Sinks["one"] == old {
		t.Fatal("the sink was kept")
	}
	close(answer)
	if r := <-result; r.Answer.Vote != openim.Allow || r.Attempts != 1 {
		t.Errorf("asked before the swap: %+v, want allow", r)
	}
	old.(*sinks.Sink).Close()
}

func TestASinkIsMadeAnewWhenItsSecretsOrCertificatesAreReplaced(t *testing.T) {
	server := httptest.NewTLSServer(testkit.Script())
	t.Cleanup(server.Close)
	other := httptest.NewTLSServer(nil)
	t.Cleanup(other.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})

	dir := t.TempDir()
	ca, token := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "token")
	write(t, ca, string(certificate))
	write(t, token, "one")
	s := serve(t, nil, `
sinks:
  one:
    url: `+server.URL+`
    headers: {Authorization: "Bearer ${file:`+token+`}"}
    tls: {ca: `+ca+`}
rules:
  - name: ask
    callbacks: [beforeSendGroupMsg]
    await: {sinks: [one]}
`)
	s.mustAllow("one")
	for _, step := range []struct {
		what    string
		replace func()
		made    bool
	}{
		{"nothing was replaced", func() {}, false},
		{"the token was replaced by its like", func() { replace(t, token, "one") }, false},
		{"the token was replaced", func() { replace(t, token, "two") }, true},
		{"the certificates were replaced", func() { replace(t, ca, string(certificate)+"\n") }, true},
	} {
		before := s.table.Sinks["one"]
		step.replace()
		if ds, err := s.Load(); err != nil {
			t.Fatalf("%s: Load: %v %v", step.what, err, ds)
		}
		if made := s.table.Sinks["one"] != before; made != step.made {
			t.Errorf("%s: made anew is %v, want %v", step.what, made, step.made)
		}
		s.mustAllow("one")
	}
	replace(t, ca, "no certificate")
	if ds, err := s.Load(); err == nil || len(ds) != 1 || ds[0].ID != "unusable-sink" {
		t.Errorf("Load with a broken certificate = %v, %v", ds, err)
	}
	s.mustAllow("one")
	must(t, os.WriteFile(ca, certificate, 0o644))
	if _, err := s.Load(); err != nil {
		t.Errorf("Load with the certificate mended: %v", err)
	}
	s.mustAllow("one")
}

// A setting added to package sinks must not be forgotten here.
func TestEverySettingOfASinkReachesIt(t *testing.T) {
	options := reflect.ValueOf(sinkOptions(&rules.Sink{
		Name: "name", URL: "http://u/", Timeout: 1, Attempts: 2, Backoff: 3, MaxBackoff: 4, Hedge: 5, Concurrency: 6, MaxAnswer: 7,
		Headers: map[string]string{"a": "b"}, Dialect: 1, TLS: rules.TLS{CA: "ca"}, Secrets: []string{"s"}, NeedsReply: true,
		Cache: rules.Cache{Key: "k", TTL: 1},
		Batch: rules.Batch{Format: rules.NDJSON, Item: rules.Envelope},
	}, New(Options{Dial: new(net.Dialer).DialContext}).o))
	for field, value := range options.Fields() {
		if value.IsZero() && field.Name != "Transport" && field.Name != "Jitter" {
			t.Errorf("sinks.Options.%s is not set", field.Name)
		}
	}
}

// The same for what the queue must know.
func TestEverySettingOfADeliveryReachesTheQueue(t *testing.T) {
	p := pool{"name": {settings: rules.Sink{
		Name: "name", Concurrency: 1, Rate: 2, Backoff: 3, MaxBackoff: 4, RetryFor: 5, OnStuck: rules.DeadLetter, StuckLimit: 6,
		Breaker: rules.Breaker{Off: true, Failures: 7, Delay: 8, MaxDelay: 9},
		Batch:   rules.Batch{Max: 10, MaxBytes: 11, Wait: 12},
	}, sink: new(sinks.Sink)}}
	how := p.deliveries()[0]
	for field, value := range reflect.ValueOf(how).Fields() {
		if value.IsZero() && field.Name != "Burst" { // a rate of its own is enough
			t.Errorf("queue.Sink.%s is not set", field.Name)
		}
	}
	if how.OnStuck != queue.DeadLetter || how.Breaker != (queue.Breaker{Off: true, Failures: 7, Delay: 8, MaxDelay: 9}) ||
		how.Batching != (queue.Batching{Max: 10, MaxBytes: 11, Wait: 12}) {
		t.Errorf("got %+v", how)
	}
	if p.deliveries()[0].Deliverer != how.Deliverer {
		t.Error("a sink that stays the same has another deliverer: the queue would forget its breaker")
	}
}

func TestOutcomesMeanTheSameToTheQueue(t *testing.T) {
	for want, o := range map[queue.Verdict]sinks.Outcome{
		queue.Done:    {Delivered: true, Status: 200},
		queue.Again:   {Retry: true, Status: 503},
		queue.Gone:    {Gone: true, Status: 410},
		queue.Refused: {Status: 404},
	} {
		if got := verdict(o); got != want {
			t.Errorf("%+v: %d, want %d", o, got, want)
		}
	}
}

func TestABatchGoesToItsSink(t *testing.T) {
	for answer, want := range map[string][]queue.Verdict{
		`{}`: {queue.Done},
		`{"results":[{"id":"1.s","status":200},{"id":"2.s","status":503}]}`: {queue.Done, queue.Again},
	} {
		server := httptest.NewServer(testkit.Script(testkit.Answer(200, answer)))
		t.Cleanup(server.Close)
		sink, err := sinks.New(sinks.Options{Name: "s", URL: server.URL})
		must(t, err)
		t.Cleanup(sink.Close)
		ds := []queue.Delivery{{Event: &queue.Event{ID: "1", Body: []byte("{}")}, Sink: "s"}, {Event: &queue.Event{ID: "2", Body: []byte("{}")}, Sink: "s"}}
		whole, each := deliverer{sink: sink}.DeliverBatch(t.Context(), ds)
		if each == nil {
			each = []queue.Outcome{whole}
		}
		var got []queue.Verdict
		for _, o := range each {
			got = append(got, o.Verdict)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", answer, got, want)
		}
	}
}

func TestRulesThatNotifyAreRejectedWithoutAQueue(t *testing.T) {
	files := []rules.File{{Name: "r.yaml", Data: []byte("sinks: {a: {url: 'http://a/'}}\nrules:\n  - {name: tell, notify: [a]}\n  - {name: ask, await: {sinks: [a]}}\n")}}
	set, ds := rules.Load(files, rules.Options{})
	if set == nil {
		t.Fatal(ds)
	}
	if ds = withoutQueue(set); len(ds) != 1 || ds[0].Line != 3 || ds[0].Severity != diag.Error || !strings.Contains(ds[0].Hint, "--data") {
		t.Errorf("got %+v", ds)
	}
}
