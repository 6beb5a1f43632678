package soak

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// startBatchSink starts a service that takes batches, in envelopes. Until it is calm, some batches fail or are refused as a whole,
// and some deliveries by themselves; those after one with the same group then fail with it.
func startBatchSink(t *testing.T, name string, o *oracle, calm *atomic.Bool) string {
	t.Helper()
	webhook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	type envelope struct {
		ID   string
		Body struct{ GroupID, ServerMsgID string }
	}
	type result struct {
		ID     string `json:"id"`
		Status int    `json:"status"`
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the gateway was killed in the middle of it
		}
		if err := webhook.Verify(body, r.Header); err != nil {
			t.Errorf("%s: a batch with a wrong signature: %v", name, err)
		}
		var batch []envelope
		if err := json.Unmarshal(body, &batch); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		mood := rand.IntN(10)
		switch {
		case calm.Load():
		case mood == 0:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case mood == 1 && len(batch) > 1:
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		case mood == 2:
			panic(http.ErrAbortHandler) // the connection breaks
		}
		results, failed := []result{}, map[string]bool{}
		for _, e := range batch {
			group := e.Body.GroupID
			if failed[group] || !calm.Load() && rand.IntN(20) == 0 {
				failed[group] = true
				results = append(results, result{e.ID, http.StatusServiceUnavailable})
				continue
			}
			_, number, _ := strings.Cut(e.Body.ServerMsgID, "-")
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			o.take(name, e.ID, message{group, n})
		}
		_ = json.NewEncoder(w).Encode(map[string][]result{"results": results}) // the gateway may have been killed
	}))
	t.Cleanup(s.Close)
	return s.URL
}
