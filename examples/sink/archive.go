package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	// maxBody is the most that Callboard takes from IMServer unless told otherwise.
	maxBody = 8 << 20
	// remembered is how many deliveries are recognised when they come again: more than can come between two attempts.
	remembered = 100_000
)

// An archive is the service. It is safe for concurrent use.
type archive struct {
	keys    []*standardwebhooks.Webhook
	seen    *seen
	retired bool

	mu  sync.Mutex
	out io.Writer // guarded by mu
}

// newArchive makes an archive that writes to out and knows one secret, or two with white space between them.
func newArchive(secrets string, out io.Writer) (*archive, error) {
	a := &archive{seen: newSeen(remembered), out: out}
	for _, secret := range strings.Fields(secrets) {
		key, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			return nil, errors.New("reading the secret: what follows whsec_ is not base64") // and is not shown
		}
		a.keys = append(a.keys, key)
	}
	if len(a.keys) == 0 {
		return nil, errors.New("there is no secret, and without one anybody could make deliveries (SINK_SECRET)")
	}
	return a, nil
}

// ServeHTTP takes one delivery. Its status is all that Callboard goes by (success: status):
//
//	204  done; also for what was done before, and for what this service does not care about
//	503  not now: Callboard comes again, after Retry-After and with pauses that grow
//	410  never again: Callboard pauses the sink, keeps its deliveries, and tells somebody
//	4xx  not this one: it becomes a dead letter, for a person to look at
//
// An answer that takes longer than the sink's timeout in the rules counts as none, and the delivery comes again. Work that
// may take long is therefore put into a table or queue of one's own, durably, before the answer, and done after it.
func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.retired {
		http.Error(w, "this archive has moved", http.StatusGone)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		http.Error(w, "the body is too large", http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the body came too slowly", http.StatusServiceUnavailable) // no fault of the delivery
		return
	}
	// The signature is that of the bytes as they came: verify before parsing, and never what was parsed and written again.
	if err := a.verify(body, r.Header); err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}

	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		http.Error(w, "not a callback", http.StatusBadRequest) // it will be no better the next time
		return
	}

	// Deliveries come at least once. The id is the same for all attempts at one, and differs between any two.
	id := r.Header.Get(standardwebhooks.HeaderWebhookID)
	switch a.seen.begin(id) {
	case done:
		w.WriteHeader(http.StatusNoContent) // as the first time, or it would come for ever
		return
	case underWay: // the attempt before this one timed out over there, not here
		w.Header().Set("Retry-After", "1")
		http.Error(w, "still at work on this delivery", http.StatusServiceUnavailable)
		return
	}
	handled := false
	defer func() { a.seen.end(id, handled) }() // after a panic, too
	if err := a.handle(e); err != nil {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "the archive cannot write", http.StatusServiceUnavailable)
		return
	}
	handled = true
	w.WriteHeader(http.StatusNoContent)
}

// verify accepts what is signed with one of the secrets, less than five minutes ago: Callboard signs each attempt anew, so only
// somebody who repeats an overheard one is late. With two secrets here, or two in Callboard's rules, a secret is replaced
// without a delivery lost.
func (a *archive) verify(body []byte, h http.Header) error {
	var err error
	for _, key := range a.keys {
		if err = key.Verify(body, h); err == nil {
			return nil
		}
	}
	return err
}

// An event is what the archive reads of a callback. The body is IMServer's, byte for byte.
type event struct {
	Command     string `json:"callbackCommand"`
	GroupID     string `json:"groupID"`
	SendID      string `json:"sendID"`
	ServerMsgID string `json:"serverMsgID"`
	Content     string `json:"content"`
}

// handle writes a line for a group message. Callbacks that it does not know are no error: a rule may send more than
// this service asked for, and a 4xx would make dead letters of them.
func (a *archive) handle(e event) error {
	if e.Command != "callbackAfterSendGroupMsgCommand" {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := fmt.Fprintf(a.out, "%s %s %s: %q\n", e.GroupID, e.ServerMsgID, e.SendID, e.Content)
	return err
}
