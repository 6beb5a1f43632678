package sinks

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

// userAgent names Callboard and, in a released build, its version.
var userAgent = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return "callboard/" + info.Main.Version
	}
	return "callboard/devel"
})

// fixedHeaders returns what every request of a sink carries, and the Host header if one was asked for.
// Errors name headers, never their values.
func fixedHeaders(custom map[string]string, user *url.Userinfo) (fixed http.Header, host string, err error) {
	fixed = http.Header{
		"Content-Type": {jsonType},
		"User-Agent":   {userAgent()},
	}
	if user != nil {
		password, _ := user.Password()
		fixed.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	seen := map[string]bool{}
	for name, value := range custom {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !isToken(name):
			return nil, "", fmt.Errorf("reading headers: %q is no header name", name)
		case seen[canonical]:
			return nil, "", fmt.Errorf("reading headers: %s is there twice", canonical)
		case !isFieldValue(value):
			return nil, "", fmt.Errorf("reading headers: the value of %s has a line break or another control character", canonical)
		}
		seen[canonical] = true
		switch canonical {
		case "Host":
			host = value
		case "Content-Length", "Transfer-Encoding", "Trailer", "Connection":
			return nil, "", fmt.Errorf("reading headers: %s is not for settings, HTTP decides it", canonical)
		default:
			fixed[canonical] = []string{value}
		}
	}
	return fixed, host, nil
}

// maxValue bounds a header's value that comes from outside. Operation ids and commands have some 40 bytes; servers take
// 8 KiB of headers and more.
const maxValue = 512

// Names of headers, in the order in which put gets their values.
var (
	ownHeaders = [...]string{
		"Callboard-Id", "Callboard-Command", "Operationid", "Callboard-Attempt", "Callboard-Hops", "Traceparent", "Callboard-Replay-Of",
	}
	webhookHeaders = [...]string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}
)

// askHeader returns the headers of request number n of an Ask.
func (s *Sink) askHeader(r *Request, n int) http.Header {
	h := make(http.Header, len(s.headers)+len(ownHeaders)-1+len(r.Headers))
	put(h, ownHeaders[:], []string{r.ID, r.Command, r.OperationID, strconv.Itoa(n), hops(r.Hops), r.TraceParent})
	maps.Copy(h, s.headers)
	maps.Copy(h, r.Headers)
	return h
}

// deliveryHeader returns the headers of a delivery attempted at a time. Those of Standard Webhooks stand over the sink's own:
// beside another id or time the signature would be wrong, and without the id a repeat could not be told.
func (s *Sink) deliveryHeader(d *Delivery, at time.Time) http.Header {
	h := make(http.Header, len(s.headers)+len(ownHeaders)+len(webhookHeaders)+len(d.Headers))
	put(h, ownHeaders[:], []string{
		d.CallbackID, d.Command, d.OperationID, strconv.Itoa(d.Attempt), hops(d.Hops), d.TraceParent, d.ReplayOf,
	})
	maps.Copy(h, s.headers)
	maps.Copy(h, d.Headers)
	put(h, webhookHeaders[:], []string{d.ID, strconv.FormatInt(at.Unix(), 10), s.signer.sign(d.ID, at, d.Body)})
	return h
}

// put sets the headers whose values can be sent. Command, operation id and trace come from outside: net/http would refuse
// the whole request for a control character, and many servers do for a long header. Then a user could get past a sink
// that fails open.
func put(h http.Header, names, values []string) {
	for i, v := range values {
		if v != "" && len(v) <= maxValue && isFieldValue(v) {
			h[names[i]] = values[i : i+1 : i+1]
		}
	}
}

// hops writes a number of gateways; of none nothing is said.
func hops(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// isToken reports whether s can be a header's name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// isFieldValue reports whether s can be a header's value (RFC 9110, section 5.5).
func isFieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
