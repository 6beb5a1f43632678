package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"

	"callboard/openim"
	"callboard/router"
)

// serverTimeout is how long IMServer waits for an answer unless webhooks.yml says otherwise.
const serverTimeout = 5 * time.Second

// A player calls the gateway as IMServer does: one POST to URL/command and trouble of any kind a
// refusal.
type player struct {
	url    string // of webhooks.yml
	client *http.Client
	traces *traces
	played int
}

// A performance is what came of one sample.
type performance struct {
	sample
	callback *openim.Callback // as sent
	reply    []byte           // as received
	reading  openim.Reading   // what IMServer makes of it
	trace    *router.Trace
}

func newPlayer(url string, t *traces) *player {
	return &player{url: url, traces: t, client: &http.Client{
		Timeout: serverTimeout,
		// IMServer ignores HTTP_PROXY and keeps two idle connections a host (v3.7 client, observed).
		Transport: &http.Transport{MaxIdleConnsPerHost: 2},
	}}
}

func (p *player) close() { p.client.CloseIdleConnections() }

// play makes one callback and waits for its reply and its trace.
func (p *player) play(ctx context.Context, s sample) (performance, error) {
	command, ok := openim.Lookup(s.command)
	if !ok {
		return performance{}, fmt.Errorf("playing %s: not in the catalogue", s.command)
	}
	p.played++
	operation := fmt.Sprintf("demo-%06d", p.played)
	body, err := s.body(command, operation, time.Now())
	if err != nil {
		return performance{}, fmt.Errorf("playing %s: %w", s.command, err)
	}
	request, err := p.request(ctx, command, s.query, operation, body)
	if err != nil {
		return performance{}, fmt.Errorf("playing %s: %w", s.command, err)
	}
	callback, err := openim.Decode(openim.Request{
		Path: request.URL.Path, RawQuery: s.query, Header: request.Header, Body: body,
	})
	if err != nil {
		return performance{}, fmt.Errorf("playing %s: %w", s.command, err)
	}
	expect := p.traces.expect(callback.OperationID())
	defer p.traces.forget(callback.OperationID())

	reply, err := p.post(request)
	if err != nil {
		return performance{}, fmt.Errorf("playing %s: %w", s.command, err)
	}
	performed := performance{sample: s, callback: callback, reply: reply}
	performed.reading = openim.ReadReply(reply, command, openim.V37)
	select {
	case performed.trace = <-expect:
		return performed, nil
	case <-ctx.Done():
		return performance{}, ctx.Err()
	}
}

// request joins URL and command as text, as IMServer does.
func (p *player) request(ctx context.Context, c *openim.Command, query, operation string, body []byte) (*http.Request, error) {
	url := p.url + "/" + c.Name
	if query != "" {
		url += "?" + query
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("Operationid", operation)
	return r, nil
}

func (p *player) post(r *http.Request) ([]byte, error) {
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body) // IMServer does not look at the status
}

// body is the sample as IMServer would send it now: ids and times are new for each callback.
func (s sample) body(c *openim.Command, operation string, now time.Time) ([]byte, error) {
	if s.documented {
		return openim.DocumentedGroupMessage().Body, nil
	}
	body := openim.Sample(c)
	shown, err := openim.Decode(openim.Request{Body: body})
	if err != nil {
		return nil, err
	}
	fields := make(map[string]any)
	if shown.OperationID() != "" { // the set-group-info commands have one that is always empty
		fields["operationID"] = operation
	}
	if shown.MessageID() != "" {
		fields["serverMsgID"], fields["clientMsgID"] = messageID(), messageID()
		fields["sendTime"], fields["createTime"] = now.UnixMilli(), now.UnixMilli()
	}
	maps.Copy(fields, s.fields)
	return override(body, fields)
}

func messageID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

// traces hands each trace to the player that waits for it, and those that nobody waits for (of
// callbacks that come from elsewhere) to others.
type traces struct {
	others func(*router.Trace)

	mu      sync.Mutex
	waiting map[string]chan *router.Trace // operationID → who waits; guarded by mu
}

func (t *traces) expect(operation string) <-chan *router.Trace {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = make(map[string]chan *router.Trace)
	}
	c := make(chan *router.Trace, 1)
	t.waiting[operation] = c
	return c
}

func (t *traces) forget(operation string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, operation)
}

// on is the gateway's OnTrace.
func (t *traces) on(trace *router.Trace) {
	t.mu.Lock()
	c, expected := t.waiting[trace.OperationID]
	delete(t.waiting, trace.OperationID)
	t.mu.Unlock()
	if !expected {
		t.others(trace)
		return
	}
	c <- trace
}
