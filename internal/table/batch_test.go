package table

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"callboard/internal/queue"
	"callboard/internal/testkit"
)

// batchOf makes deliveries to sink "one", given their lanes and groups: "1 eu" is one of group eu in lane 1.
func batchOf(of ...string) []queue.Delivery {
	var ds []queue.Delivery
	for i, what := range of {
		d := queue.Delivery{Event: &queue.Event{ID: fmt.Sprint(i), At: time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC), Command: "callbackAfterSendGroupMsgCommand"}, Sink: "one"}
		group := ""
		if _, err := fmt.Sscan(what, &d.Lane, &group); err != nil {
			panic(err)
		}
		d.Body = fmt.Appendf(nil, `{"groupID":%q}`, group)
		ds = append(ds, d)
	}
	return ds
}

// What cannot be made is refused by itself, and what comes after it in its lane is not sent before it.
func TestABatchOfWhichSomeCannotBeMade(t *testing.T) {
	const body = `, batch: {max: 10}, body: 'groupID startsWith "bad" ? nil : groupID'`
	for name, c := range map[string]struct {
		batch    []queue.Delivery
		answer   testkit.Step
		sent     string
		verdicts string
	}{
		"all can":                        {batchOf("0 a", "1 b"), testkit.Allow(), `["a","b"]`, "Done"},
		"others go":                      {batchOf("0 a", "0 bad", "1 b", "2 bad", "0 c"), testkit.Allow(), `["a","b","c"]`, "Done Refused Done Refused Done"},
		"none is overtaken in its lane":  {batchOf("1 a", "1 bad", "1 b", "2 c", "1 d"), testkit.Allow(), `["a","c"]`, "Done Refused Again Done Again"},
		"none can":                       {batchOf("1 bad", "1 b"), testkit.Allow(), ``, "Refused"},
		"the batch fails":                {batchOf("0 a", "1 bad", "1 b"), testkit.Answer(500, ""), `["a"]`, "Again"},
		"the batch is refused":           {batchOf("0 a", "1 bad", "1 b"), testkit.Answer(400, ""), `["a"]`, "Refused"},
		"the batch is too large":         {batchOf("0 a", "1 bad", "2 b"), testkit.Answer(413, ""), `["a","b"]`, "Refused"},
		"the sink wants no more":         {batchOf("0 a", "1 bad"), testkit.Answer(410, ""), `["a"]`, "Gone"},
		"results belong to what is sent": {batchOf("0 bad", "0 a", "0 b"), testkit.Answer(200, `{"results":[{"status":200},{"status":503}]}`), `["a","b"]`, "Refused Done Again"},
	} {
		t.Run(name, func(t *testing.T) {
			far, deliver := serveBatches(t, body, c.answer)
			whole, each := deliver(c.batch)
			if each == nil {
				each = []queue.Outcome{whole}
			}
			var verdicts []string
			for _, o := range each {
				if o.Verdict == queue.Refused && o.Status == 0 && !strings.HasPrefix(o.Reason, "not sent: making its body: ") {
					t.Errorf("refused without a word on the body: %+v", o)
				}
				verdicts = append(verdicts, [...]string{"Done", "Again", "Refused", "Gone"}[o.Verdict-queue.Done])
			}
			sent := ""
			for _, r := range far.Got() {
				sent += strings.ReplaceAll(r.Body, "\n", "")
			}
			if got := strings.Join(verdicts, " "); got != c.verdicts || sent != c.sent {
				t.Errorf("sent %s, got %s; want %s, %s", sent, got, c.sent, c.verdicts)
			}
		})
	}
}

// A short callback may be made a long body: what does not fit into memory together is refused as a batch, which halves it.
func TestABatchThatGrowsIsHalved(t *testing.T) {
	far, deliver := serveBatches(t, `, batch: {max: 10}, body: '[groupID, groupID, groupID, groupID, groupID]'`, testkit.Allow())
	long := strings.Repeat("x", 900<<10)
	whole, each := deliver(batchOf("0 "+long, "1 "+long, "2 "+long, "3 "+long))
	if whole.Verdict != queue.Refused || whole.Status != 0 || each != nil || !strings.Contains(whole.Reason, "16 MiB") || len(far.Got()) != 0 {
		t.Errorf("%+v, %d outcomes, %d requests", whole, len(each), len(far.Got()))
	}
	if whole, _ = deliver(batchOf("0 "+long, "1 "+long)); whole.Verdict != queue.Done || len(far.Got()) != 1 {
		t.Errorf("half of it: %+v", whole)
	}
}

// Computed headers stand in envelopes.
func TestEnvelopesHaveComputedHeaders(t *testing.T) {
	far, deliver := serveBatches(t, ", batch: {item: envelope}, set: {headers: {X-Group: groupID}}", testkit.Allow())
	whole, _ := deliver(batchOf("0 eu"))
	if got := far.Got(); whole.Verdict != queue.Done || !strings.Contains(got[0].Body, `"headers":{"X-Group":"eu"},"body":{`) {
		t.Errorf("%+v, got %s", whole, got[0].Body)
	}
}

func serveBatches(t *testing.T, settings string, answer testkit.Step) (*testkit.Sink, func([]queue.Delivery) (queue.Outcome, []queue.Outcome)) {
	t.Helper()
	network, far := testkit.NewNetwork(), testkit.Script(answer)
	network.Serve(t, "one", far)
	var made []queue.Sink
	serve(t, func(o *Options) {
		o.Dial = network.DialContext
		o.Deliver = func(all []queue.Sink) { made = all }
	}, shapedSink(settings, ""))
	return far, func(ds []queue.Delivery) (queue.Outcome, []queue.Outcome) {
		return made[0].Deliverer.(queue.BatchDeliverer).DeliverBatch(context.Background(), ds)
	}
}
