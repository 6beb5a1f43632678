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
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// behave makes a sink's moods: it reports whether the sink takes the delivery, and answers where it does not.
type behave func(w http.ResponseWriter, r *http.Request) (takes bool)

// startSink starts a service over real HTTP that tells the oracle of what it takes. Once calm, it takes everything.
func startSink(t *testing.T, name string, o *oracle, calm *atomic.Bool, moods behave) string {
	t.Helper()
	webhook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the gateway was killed in the middle of it
		}
		if err := webhook.Verify(body, r.Header); err != nil {
			t.Errorf("%s: a delivery with a wrong signature: %v", name, err)
		}
		if !calm.Load() && !moods(w, r) {
			return
		}
		var cb struct{ GroupID, ServerMsgID string }
		if err := json.Unmarshal(body, &cb); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		_, number, _ := strings.Cut(cb.ServerMsgID, "-")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		o.take(name, r.Header.Get("webhook-id"), message{cb.GroupID, n})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// steady takes everything.
func steady(http.ResponseWriter, *http.Request) bool { return true }

// failing refuses and breaks off a third of what comes.
func failing(w http.ResponseWriter, r *http.Request) bool {
	switch rand.IntN(9) {
	case 0:
		w.WriteHeader(http.StatusServiceUnavailable)
		return false
	case 1:
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	case 2:
		panic(http.ErrAbortHandler) // the connection breaks
	}
	return true
}

// slow takes its time.
func slow(w http.ResponseWriter, r *http.Request) bool {
	pause(r.Context(), time.Duration(rand.IntN(40))*time.Millisecond)
	return r.Context().Err() == nil
}

// outages is away for half of the time.
func outages() behave {
	begun := time.Now()
	return func(w http.ResponseWriter, r *http.Request) bool {
		if time.Since(begun)/(700*time.Millisecond)%2 == 0 {
			return true
		}
		w.WriteHeader(http.StatusBadGateway)
		return false
	}
}
