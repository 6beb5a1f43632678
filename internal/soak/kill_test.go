package soak

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

var (
	kills = flag.Int("kills", 20, "how often the gateway is killed at least")
	last  = flag.Duration("last", 0, "how long to go on at least")
)

const (
	clients         = 8
	groupsOfClient  = 3
	callbacksSecond = 400
)

// Acknowledged is what counts: the load notes it, the sinks note what they take, and in the end both must agree, whatever
// was killed when.
func TestKilledAtAnyMomentNothingAcknowledgedIsLostOrOutOfOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute; run without -short")
	}
	moods := map[string]behave{"steady": steady, "failing": failing, "slow": slow, "outages": outages()}
	o := newOracle("steady", "failing", "slow", "outages", "batched")
	var calm atomic.Bool
	g := build(t)
	rules := new(bytes.Buffer)
	fmt.Fprintf(rules, "defaults:\n  sinks:\n    order_by: groupID\n    secret: %s\n    timeout: 1s\n", secret)
	fmt.Fprintf(rules, "    retry: {backoff: 20ms, max_backoff: 300ms}\n    breaker: {failures: 20, delay: 50ms, max_delay: 300ms}\nsinks:\n")
	for name, mood := range moods {
		fmt.Fprintf(rules, "  %s:\n    url: %s\n", name, startSink(t, name, o, &calm, mood))
	}
	fmt.Fprintf(rules, "  batched:\n    url: %s\n    batch: {max: 20, wait: 20ms, item: envelope}\n", startBatchSink(t, "batched", o, &calm))
	fmt.Fprintf(rules, "  unwanted:\n    url: %s\n    timeout: 1s\n", startSink(t, "unwanted", newOracle("unwanted"), new(atomic.Bool), away))
	fmt.Fprintf(rules, "rules:\n  - name: everything\n    callbacks: [afterSendGroupMsg]\n    notify: [steady, failing, slow, outages, batched, unwanted]\n")
	if err := os.WriteFile(filepath.Join(g.dir, "rules.yaml"), rules.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}

	g.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var load sync.WaitGroup
	limit := rate.NewLimiter(callbacksSecond, clients)
	for i := range clients {
		load.Go(func() { send(ctx, g.listen, i, limit, o) })
	}
	load.Go(func() { meddle(ctx, g.admin) })
	begun := time.Now()
	killed := 0
	for killed < *kills || time.Since(begun) < *last {
		pause(ctx, time.Duration(100+rand.IntN(700))*time.Millisecond)
		g.kill()
		killed++
		g.start(t)
	}
	cancel()
	load.Wait()
	calm.Store(true)
	g.settle(t, o)
	g.stop(t)

	for _, problem := range o.problems {
		t.Error(problem)
	}
	if len(o.acked) < 10*killed {
		t.Errorf("only %d callbacks were acknowledged: that proves little", len(o.acked))
	}
	t.Logf("%d kills, %d callbacks acknowledged, 5 sinks each: 0 lost; slowest of %d starts %v",
		killed, len(o.acked), len(g.began), slices.Max(g.began).Round(time.Millisecond))
	for name := range o.sinks {
		t.Logf("%s: %d taken, %d of them repeats", name, len(o.sinks[name].taken)+o.duplicates(name), o.duplicates(name))
	}
}

// meddle is a person who does not leave the gateway alone: deliveries are retried, those of one sink discarded, and the rules
// read again, while it is killed. Nobody loses anything by it but the sink whose deliveries are discarded.
func meddle(ctx context.Context, admin string) {
	for ctx.Err() == nil {
		for _, call := range []struct{ path, body string }{
			{"/api/deliveries/retry", `{"all":true}`},
			{"/api/deliveries/discard", `{"sink":"unwanted"}`},
			{"/api/reload", `{}`},
		} {
			resp, err := http.Post("http://"+admin+call.path, "application/json", strings.NewReader(call.body))
			if err == nil { // else it was killed just now
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			pause(ctx, 20*time.Millisecond)
		}
	}
}

// settle waits until every sink has everything that was acknowledged, for as long as something moves.
func (g *gateway) settle(t *testing.T, o *oracle) {
	t.Helper()
	begun := time.Now()
	for {
		n, example := o.missing()
		if n == 0 {
			return
		}
		if min(o.quietFor(), time.Since(begun)) > 20*time.Second {
			waiting, err := g.waiting(t.Context())
			g.fail(t, fmt.Sprintf("%d deliveries lost (%s); sinks: %s %v", n, example, waiting, err))
		}
		pause(t.Context(), 50*time.Millisecond)
	}
}

// send is one of IMServer's connections: callback after callback, each after the answer to the one before, so that the
// order within its groups is certain. What is not acknowledged does not count.
func send(ctx context.Context, address string, client int, limit *rate.Limiter, o *oracle) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for number := 1; limit.Wait(ctx) == nil; number++ {
		m := message{group: fmt.Sprintf("g%d.%d", client, number%groupsOfClient), number: number}
		if post(transport, address, m) {
			o.ack(m)
		}
	}
}

func post(transport http.RoundTripper, address string, m message) bool {
	const command = "callbackAfterSendGroupMsgCommand"
	body := fmt.Sprintf(`{"callbackCommand":%q,"operationID":"op-%s","serverMsgID":%q,"groupID":%q,"sendID":"u1","contentType":101,"content":"{\"content\":\"hello\"}"}`,
		command, m.id(), m.id(), m.group)
	r, err := http.NewRequest(http.MethodPost, "http://"+address+"/"+command, bytes.NewReader([]byte(body)))
	if err != nil {
		return false
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		time.Sleep(5 * time.Millisecond) // it was killed, and is not back yet
		return false
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return err == nil && bytes.HasPrefix(answer, []byte(`{"actionCode":0`))
}
