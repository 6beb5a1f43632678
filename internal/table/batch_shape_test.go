package table

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"callboard/internal/queue"
	"callboard/internal/testkit"
)

// Deliveries whose body cannot be made stay out of a batch. They are refused as soon as the sink has taken the others, or there
// are no others.
func TestWhatCannotBeMadeStaysOutOfABatch(t *testing.T) {
	const notMade = "not sent: making its body: the expression is nil for this callback"
	good, bad := `{"groupID":"eu-7","ex":"{\"level\":3}"}`, `{"groupID":"eu-7","ex":"{}"}`
	refused := queue.Outcome{Verdict: queue.Refused, Reason: notMade}
	done := queue.Outcome{Verdict: queue.Done, Status: 200}
	for _, c := range []struct {
		name   string
		bodies []string
		answer testkit.Step
		sent   string // "" when nothing is
		whole  queue.Verdict
		each   []queue.Outcome
	}{
		{"all are made", []string{good, good}, testkit.Answer(200, `{}`), "[3,\n3]", queue.Done, nil},
		{"one among three is not", []string{good, bad, good}, testkit.Answer(200, `{}`), "[3,\n3]", queue.Done, []queue.Outcome{done, refused, done}},
		{"one is not, and results go by place", []string{bad, good, good}, testkit.Answer(200, `{"results":[{"status":200},{"status":404}]}`), "[3,\n3]", queue.Done,
			[]queue.Outcome{refused, done, {Verdict: queue.Refused, Status: 404}}},
		{"none is made", []string{bad, bad}, testkit.Answer(200, `{}`), "", queue.Refused, nil},
		{"one is not, and the sink is down", []string{good, bad}, testkit.Answer(503, ``), "[3]", queue.Again, nil},
		{"one is not, and the others are too large", []string{good, bad, good}, testkit.Answer(413, ``), "[3,\n3]", queue.Refused, nil},
		{"one is not, and the sink wants no more", []string{good, bad}, testkit.Answer(410, ``), "[3]", queue.Gone, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			network, far := testkit.NewNetwork(), testkit.Script(c.answer)
			network.Serve(t, "one", far)
			var made []queue.Sink
			serve(t, func(o *Options) {
				o.Dial = network.DialContext
				o.Deliver = func(all []queue.Sink) { made = all }
			}, shapedSink(", batch: {max: 10}, body: 'json(ex).level'", ""))
			whole, each := made[0].Deliverer.(queue.BatchDeliverer).DeliverBatch(context.Background(), queued(c.bodies))
			if whole.Verdict != c.whole || len(each) != len(c.each) {
				t.Fatalf("the whole is %+v with %d outcomes, want verdict %d with %d", whole, len(each), c.whole, len(c.each))
			}
			for i, want := range c.each {
				if got := each[i]; got.Verdict != want.Verdict || got.Status != want.Status || want.Reason != "" && got.Reason != want.Reason {
					t.Errorf("%d is %+v, want %+v", i, got, want)
				}
			}
			switch got := far.Got(); {
			case c.sent == "" && (len(got) > 0 || whole.Reason != notMade):
				t.Errorf("%d requests were sent, and %+v", len(got), whole)
			case c.sent != "" && (len(got) != 1 || got[0].Body != c.sent):
				t.Errorf("sent %+v, want %s", got, c.sent)
			}
		})
	}
}

// Computed headers stand in envelopes.
func TestEnvelopesHaveComputedHeaders(t *testing.T) {
	var log bytes.Buffer
	s, far, _ := serveOne(t, &log, shapedSink("", ""))
	var made []queue.Sink
	s.o.Deliver = func(all []queue.Sink) { made = all }
	s.load(shapedSink(", batch: {item: envelope}, set: {headers: {X-Group: groupID}}", ""))
	whole, _ := made[0].Deliverer.(queue.BatchDeliverer).DeliverBatch(context.Background(), queued([]string{recorded}))
	if got := far.Got(); whole.Verdict != queue.Done || !strings.Contains(got[0].Body, `"headers":{"X-Group":"eu-7"},"body":{`) {
		t.Errorf("%+v, got %s", whole, got[0].Body)
	}
}

func queued(bodies []string) []queue.Delivery {
	var ds []queue.Delivery
	for i, body := range bodies {
		ds = append(ds, queue.Delivery{
			Event: &queue.Event{ID: fmt.Sprint("cb", i), Command: "callbackAfterSendGroupMsgCommand", Body: []byte(body)}, Sink: "one", Attempt: 1,
		})
	}
	return ds
}
