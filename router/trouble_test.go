package router

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"callboard/openim"
)

const oneRule = "rules:\n  - {name: pass, callbacks: [beforeSendGroupMsg], reply: allow}\n"

// brokenReader fails like a connection that ends in the middle of a body.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestTroubleIsAnsweredAllTheSame(t *testing.T) {
	body := func(s string) io.Reader { return strings.NewReader(s) }
	post := func(path string, r io.Reader) *http.Request { return httptest.NewRequest(http.MethodPost, path, r) }
	unsized := func(r *http.Request) *http.Request { r.ContentLength = -1; return r }
	tests := []struct {
		name string
		r    func() *http.Request
		kind string
	}{
		{"a GET", func() *http.Request {
			return httptest.NewRequest(http.MethodGet, "/callbackBeforeSendGroupMsgCommand", nil)
		}, "wrong_method"},
		{"an empty body", func() *http.Request { return post("/callbackBeforeSendGroupMsgCommand", nil) }, "empty_body"},
		{"broken JSON", func() *http.Request { return post("/callbackBeforeSendGroupMsgCommand", body(`{"groupID":`)) }, "broken_json"},
		{"no object", func() *http.Request { return post("/callbackBeforeSendGroupMsgCommand", body(`[1]`)) }, "not_an_object"},
		{"a name twice", func() *http.Request { return post("/x", body(`{"groupID":"a","groupID":"b"}`)) }, "duplicate_name"},
		{"no command anywhere", func() *http.Request { return post("/", body(`{"groupID":"a"}`)) }, "no_command"},
		{"a body over the limit", func() *http.Request { return post("/x", body(`{"a":"`+strings.Repeat("x", 1024)+`"}`)) }, "too_large"},
		{"the same without a length", func() *http.Request { return unsized(post("/x", body(`{"a":"`+strings.Repeat("x", 1024)+`"}`))) }, "too_large"},
		{"a body that breaks off", func() *http.Request { return unsized(post("/x", brokenReader{})) }, "unreadable_body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, refuse := range []bool{false, true} {
				g := newGateway(t, Options{MaxBody: 512, RefuseOnTrouble: refuse}, oneRule, nil)
				want := 0
				if refuse {
					want = CodeTrouble
				}
				if got := code(g.send(tt.r())); got != want {
					t.Errorf("on trouble refuse=%v: code %d, want %d", refuse, got, want)
				}
				if g.last().Trouble != tt.kind {
					t.Errorf("trouble %q, want %q", g.last().Trouble, tt.kind)
				}
				if !strings.Contains(g.log.String(), "trouble="+tt.kind) {
					t.Errorf("the log does not say so: %s", g.log.String())
				}
			}
		})
	}
}

// A greedyReader notes how much memory was offered to it, and ends.
type greedyReader struct{ offered int }

func (r *greedyReader) Read(p []byte) (int, error) {
	r.offered = max(r.offered, len(p))
	return 0, io.ErrUnexpectedEOF
}

// Otherwise a few hundred idle connections that announce the largest body would claim gigabytes.
func TestAnAnnouncedBodyGetsNoMemoryBeforeItArrives(t *testing.T) {
	g := newGateway(t, Options{}, oneRule, nil)
	r := httptest.NewRequest(http.MethodPost, "/x", nil)
	body := &greedyReader{}
	r.Body, r.ContentLength = io.NopCloser(body), 8<<20
	g.send(r)
	if body.offered > 64<<10 || g.last().Trouble != string(unreadable) {
		t.Errorf("%d bytes were set aside for a body of which nothing came, trouble %q", body.offered, g.last().Trouble)
	}
}

func TestLargeBodiesArriveWhole(t *testing.T) {
	for _, n := range []int{64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20, 8 << 20, 8<<20 + 1} {
		g := newGateway(t, Options{}, oneRule, nil)
		frame := `{"callbackCommand":"callbackBeforeSendGroupMsgCommand","content":""}`
		body := frame[:len(frame)-2] + strings.Repeat("x", n-len(frame)) + frame[len(frame)-2:]
		g.send(httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
		if got, want := g.last().Trouble, map[bool]string{true: "too_large"}[n > 8<<20]; got != want {
			t.Errorf("a body of %d bytes: trouble %q, want %q", n, got, want)
		}
	}
}

// What users and sinks choose may be megabytes long; it must not become a line of that length.
func TestLogLinesAreBounded(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	s := sayAnswer(openim.Answer{Vote: openim.Refuse, Code: 20401, Message: long}, 0)
	g := newGateway(t, Options{}, ruleOf("{sinks: [s]}"), map[string]*scripted{"s": s})
	reply := g.post("beforeSendGroupMsg", map[string]any{"operationID": long, "serverMsgID": long})
	if reply["errMsg"] != long {
		t.Error("the reply's message is not the sink's")
	}
	if n := g.log.Len(); n > 64<<10 || !utf8.Valid(g.log.Bytes()) {
		t.Errorf("the log has %d bytes, or broken text", n)
	}
	if !strings.Contains(g.log.String(), "operation_id=éé") || !strings.Contains(g.log.String(), "…") {
		t.Error("the log has not the beginnings of long values")
	}
}

func TestNoRulesYet(t *testing.T) {
	g := newGateway(t, Options{}, "", nil)
	if got := code(g.post("beforeSendGroupMsg", nil)); got != 0 || g.last().Trouble != string(noTable) {
		t.Errorf("code %d, trouble %q; want an allow and %q", got, g.last().Trouble, noTable)
	}
	echo := g.post("beforeSetGroupInfo", map[string]any{"groupID": "g-7"})
	if echo["groupID"] != "g-7" {
		t.Errorf("reply %v: even in trouble an allow of set-group-info echoes the request", echo)
	}
}

func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := says(openim.Allow, time.Second)
		g := newGateway(t, Options{MaxInFlight: 1, RefuseOnTrouble: true}, ruleOf("{sinks: [s]}"), map[string]*scripted{"s": slow})
		done := make(chan int)
		go func() { done <- code(g.post("beforeSendGroupMsg", nil)) }()
		<-slow.asked
		if got := code(g.post("beforeSendGroupMsg", nil)); got != CodeTrouble {
			t.Errorf("one too many: code %d, want %d", got, CodeTrouble)
		}
		if got := <-done; got != 0 {
			t.Errorf("the one in flight: code %d, want an allow", got)
		}
	})
}

func TestUnknownPathsAndCommandsAreCarried(t *testing.T) {
	for _, path := range []string{"/", "/anything", "//double//slashes/", "/cb//callbackBeforeSendGroupMsgCommand"} {
		g := newGateway(t, Options{}, oneRule, nil)
		reply := g.send(httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"callbackCommand":"callbackBrandNewCommand"}`)))
		if code(reply) != 0 || g.last().Trouble != "" || g.last().Command != "callbackBrandNewCommand" {
			t.Errorf("%s: reply %v, trouble %q, command %q", path, reply, g.last().Trouble, g.last().Command)
		}
	}
}
