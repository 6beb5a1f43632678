package sinks_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// callback is the documented callback of a group message.
var callback = sinks.Request{
	ID: "cb-1", Command: "callbackBeforeSendGroupMsgCommand", Source: "prod", OperationID: "op-1",
	Body: []byte(`{"callbackCommand":"callbackBeforeSendGroupMsgCommand","sendID":"u1","groupID":"g1","contentType":101}`),
}

// A stage is a bubble's network with one scripted sink behind Callboard's. Both are called "sink".
type stage struct {
	network *testkit.Network
	far     *testkit.Sink
	near    *sinks.Sink
}

// onStage plays a scene in a bubble of its own. Options need neither name nor URL.
func onStage(t *testing.T, o sinks.Options, script []testkit.Step, scene func(*testing.T, *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &stage{network: testkit.NewNetwork(), far: testkit.Script(script...)}
		s.network.Serve(t, "sink", s.far)
		s.near = s.open(t, o)
		scene(t, s)
	})
}

func (s *stage) open(t *testing.T, o sinks.Options) *sinks.Sink {
	t.Helper()
	if o.Name == "" {
		o.Name = "sink"
	}
	if o.URL == "" {
		o.URL = "http://sink/hook"
	}
	if o.Transport == nil {
		o.Dial = s.network.DialContext
	}
	sink, err := sinks.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	return sink
}

// ask asks the sink with so much time.
func (s *stage) ask(t *testing.T, within time.Duration) sinks.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return s.near.Ask(ctx, callback)
}

func steps(s ...testkit.Step) []testkit.Step { return s }

func status(code int) testkit.Step { return testkit.Answer(code, "") }

func wantVote(t *testing.T, r sinks.Result, vote openim.Vote) {
	t.Helper()
	if r.Answer.Vote != vote {
		t.Errorf("got vote %v (%q), want %v", r.Answer.Vote, r.Answer.Reason, vote)
	}
}

func wantReason(t *testing.T, r sinks.Result, reason string) {
	t.Helper()
	if r.Answer.Vote != openim.Failed || r.Answer.Reason != reason {
		t.Errorf("got vote %v, reason %q; want failed, %q", r.Answer.Vote, r.Answer.Reason, reason)
	}
}
