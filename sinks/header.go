package sinks

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
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
		"Content-Type": {"application/json; charset=utf-8"},
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

// header returns the headers of one request, number n of its Ask.
func (s *Sink) header(r *Request, n int) http.Header {
	h := make(http.Header, len(s.headers)+4)
	values := []string{r.ID, r.Command, r.OperationID, strconv.Itoa(n)}
	for i, name := range [...]string{"Callboard-Id", "Callboard-Command", "Operationid", "Callboard-Attempt"} {
		// Command and operation id come from outside: net/http would refuse the whole request for a control character,
		// and many servers do for a long header. Then a user could get past a sink that fails open.
		if values[i] != "" && len(values[i]) <= maxValue && isFieldValue(values[i]) {
			h[name] = values[i : i+1 : i+1]
		}
	}
	for name, value := range s.headers {
		h[name] = value
	}
	return h
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
