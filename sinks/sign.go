package sinks

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// A signer signs deliveries by the Standard Webhooks specification, once with each of a sink's secrets, so that receivers
// accept them that know only one. The zero value does not sign.
type signer []*standardwebhooks.Webhook

// shortestSecret is in bytes, decoded: a shorter one can be guessed.
const shortestSecret = 16

// newSigner reads secrets: base64 behind whsec_, as the specification writes them, or any other text, which is the key as it
// stands. Its errors show nothing of them.
func newSigner(secrets []string) (signer, error) {
	if len(secrets) > 2 {
		return nil, errors.New("reading secrets: there are more than two")
	}
	var s signer
	for _, secret := range secrets {
		key := []byte(secret)
		if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
			var err error
			if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
				return nil, errors.New("reading secrets: what follows whsec_ is not base64")
			}
		}
		if len(key) < shortestSecret {
			return nil, fmt.Errorf("reading secrets: one is shorter than %d bytes", shortestSecret)
		}
		webhook, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return nil, errors.New("reading secrets: one is not usable")
		}
		s = append(s, webhook)
	}
	return s, nil
}

// sign returns the webhook-signature of a delivery, "" without secrets.
func (s signer) sign(id string, at time.Time, body []byte) string {
	var signatures string
	for i, key := range s {
		signature, err := key.Sign(id, at, body)
		if err != nil {
			panic(err) // not with HMAC; Deliver sends nothing then
		}
		if i > 0 {
			signatures += " "
		}
		signatures += signature
	}
	return signatures
}
