package sinks_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"callboard/internal/testkit"
	"callboard/sinks"
)

// The secrets of a sink whose secret is being replaced.
const (
	newSecret = "whsec_bmV3IHNlY3JldCBvZiAyNCBieXRlcyBvciBtb3Jl"
	oldSecret = "whsec_b2xkIHNlY3JldCBvZiAyNCBieXRlcyBvciBtb3Jl"
)

// verify is what a sink does that knows one secret.
func verify(t *testing.T, secret string, r testkit.Received) error {
	t.Helper()
	key, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return key.Verify([]byte(r.Body), r.Header)
}

func TestDeliveriesAreSigned(t *testing.T) {
	const other = "whsec_b3RoZXIgc2VjcmV0IG9mIDI0IGJ5dGVzIG9yIG1vcmU="
	for name, c := range map[string]struct {
		secrets    []string
		good, bad  []string // secrets that a sink may know
		signatures int
	}{
		"with one secret":             {[]string{newSecret}, []string{newSecret}, []string{oldSecret}, 1},
		"with both of a rotation":     {[]string{newSecret, oldSecret}, []string{newSecret, oldSecret}, []string{other}, 2},
		"with one that is plain text": {[]string{"new secret of 24 bytes or more"}, []string{newSecret}, []string{oldSecret}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, sinks.Options{Secrets: c.secrets}, nil, func(t *testing.T, s *stage) {
				again := delivery
				again.Attempt = 2
				s.near.Deliver(t.Context(), delivery)
				time.Sleep(24 * time.Hour) // a signature speaks of its attempt, not of the callback
				s.near.Deliver(t.Context(), again)
				got := s.far.Got()[1]
				if n := len(strings.Fields(got.Header.Get("Webhook-Signature"))); n != c.signatures {
					t.Errorf("got %d signatures, want %d", n, c.signatures)
				}
				for _, secret := range c.good {
					if err := verify(t, secret, got); err != nil {
						t.Errorf("a sink that knows a secret: %v", err)
					}
				}
				for _, secret := range c.bad {
					if verify(t, secret, got) == nil {
						t.Error("a sink that knows no secret believed it")
					}
				}
				if verify(t, c.good[0], s.far.Got()[0]) == nil {
					t.Error("the signature of yesterday is still believed")
				}
				got.Body += " "
				if verify(t, c.good[0], got) == nil {
					t.Error("a body that was changed is believed")
				}
			})
		})
	}
}

func TestDeliveriesWithoutSecretAreNotSigned(t *testing.T) {
	onStage(t, sinks.Options{}, nil, func(t *testing.T, s *stage) {
		s.near.Deliver(t.Context(), delivery)
		if h := s.far.Got()[0].Header; h["Webhook-Signature"] != nil || h.Get("Webhook-Id") != delivery.ID {
			t.Errorf("got headers %v, want an id and no signature", h)
		}
	})
}

func TestASinksOwnHeadersCannotSpoilASignature(t *testing.T) {
	own := map[string]string{"webhook-id": "x", "Webhook-Timestamp": "1", "WEBHOOK-SIGNATURE": "v1,x", "Callboard-Attempt": "ours", "Traceparent": "ours"}
	onStage(t, sinks.Options{Secrets: []string{newSecret}, Headers: maps.Clone(own)}, nil, func(t *testing.T, s *stage) {
		s.near.Deliver(t.Context(), delivery)
		got := s.far.Got()[0]
		if err := verify(t, newSecret, got); err != nil || got.Header.Get("Webhook-Id") != delivery.ID {
			t.Errorf("got id %q, %v", got.Header.Get("Webhook-Id"), err)
		}
		for _, name := range []string{"Callboard-Attempt", "Traceparent"} {
			if got.Header.Get(name) != "ours" {
				t.Errorf("got %s %q, want the sink's own", name, got.Header.Get(name))
			}
		}
		s.near.Ask(t.Context(), callback)
		if h := s.far.Got()[1].Header; h.Get("Webhook-Id") != "x" {
			t.Errorf("an ask, which is not signed, has headers %v", h)
		}
	})
}
