package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"callboard/internal/testkit"
	"callboard/sinks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// batchOf makes deliveries with the ids "1.warehouse" and so on, of messages that these users have sent; "" stands for a callback
// without a group.
func batchOf(users ...string) []sinks.Delivery {
	var ds []sinks.Delivery
	for i, user := range users {
		body := fmt.Sprintf(`{"groupID":"g1","sendID":%q,"content":"hello"}`, user)
		if user == "" {
			body = `{"content":"hello"}`
		}
		ds = append(ds, sinks.Delivery{ID: fmt.Sprintf("%d.warehouse", i+1), Attempt: 1, Body: []byte(body)})
	}
	return ds
}

// onStage plays a scene between a warehouse that writes to out and Callboard's end of the connection.
func onStage(t *testing.T, scene func(t *testing.T, callboard *sinks.Sink, out *writer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, out := testkit.NewNetwork(), new(writer)
		network.Serve(t, "warehouse", newWarehouse(out))
		callboard, err := sinks.New(sinks.Options{Name: "warehouse", URL: "http://warehouse/", Batch: sinks.Batch{Envelope: true}, Dial: network.DialContext})
		if err != nil {
			t.Fatal(err)
		}
		defer callboard.Close()
		scene(t, callboard, out)
	})
}

// A writer fails when it is told to.
type writer struct {
	bytes.Buffer
	err error
}

func (w *writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	return w.Buffer.Write(p)
}

func TestItAnswersForEachOfABatch(t *testing.T) {
	onStage(t, func(t *testing.T, callboard *sinks.Sink, out *writer) {
		_, each := callboard.DeliverBatch(t.Context(), batchOf("u1", "", "u3"))
		if len(each) != 3 || !each[0].Delivered || each[1].Status != 422 || each[1].Retry || !each[2].Delivered {
			t.Errorf("got %+v, want the second refused", each)
		}
		if got := out.String(); got != "g1 u1: \"hello\"\ng1 u3: \"hello\"\n" {
			t.Errorf("it wrote %s", got)
		}
	})
}

func TestItWritesARepeatOnce(t *testing.T) {
	onStage(t, func(t *testing.T, callboard *sinks.Sink, out *writer) {
		callboard.DeliverBatch(t.Context(), batchOf("u1"))
		_, each := callboard.DeliverBatch(t.Context(), batchOf("u1", "u2"))
		if len(each) != 2 || !each[0].Delivered || !each[1].Delivered {
			t.Errorf("got %+v, want both delivered", each)
		}
		if got := out.String(); got != "g1 u1: \"hello\"\ng1 u2: \"hello\"\n" {
			t.Errorf("it wrote %s", got)
		}
	})
}

func TestItWritesAllOrNothing(t *testing.T) {
	onStage(t, func(t *testing.T, callboard *sinks.Sink, out *writer) {
		out.err = errors.New("disk full")
		whole, each := callboard.DeliverBatch(t.Context(), batchOf("u1", "", "u3"))
		if each != nil || whole.Status != 503 || !whole.Retry || whole.RetryAfter != 30*time.Second {
			t.Errorf("got %+v, %+v; want all to come again", whole, each)
		}
		out.err = nil
		callboard.DeliverBatch(t.Context(), batchOf("u1", "", "u3"))
		if n := strings.Count(out.String(), "\n"); n != 2 {
			t.Errorf("it wrote %s", out)
		}
	})
}

func TestItRefusesWhatIsNoBatch(t *testing.T) {
	onStage(t, func(t *testing.T, callboard *sinks.Sink, _ *writer) {
		if o := callboard.Deliver(t.Context(), batchOf("u1")[0]); o.Status != 400 || o.Retry {
			t.Errorf("got %+v", o)
		}
	})
}
