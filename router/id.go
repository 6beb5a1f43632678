package router

import (
	"math/rand/v2"
	"strings"
	"time"
)

// crockford are the digits of Crockford's base 32, in ASCII order, so that ids sort by time as text.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// newID returns a callback's id, a ULID in lower case (github.com/ulid/spec): 48 bits of time in milliseconds, so that
// stores keep ids of one time together, and 80 bits by chance. It is no secret.
func newID(now time.Time) string {
	var id [26]byte
	ms := uint64(now.UnixMilli())
	for i := 9; i >= 0; i-- {
		id[i] = crockford[ms%32]
		ms >>= 5
	}
	for i := 10; i < len(id); {
		for n, end := rand.Uint64(), i+8; i < end; i, n = i+1, n>>5 {
			id[i] = crockford[n%32]
		}
	}
	return string(id[:])
}

// newTraceParent returns a W3C traceparent (Trace Context, section 3.2) that begins a trace nobody has sampled.
func newTraceParent() string {
	const digits = "0123456789abcdef"
	text := []byte("00-00000000000000000000000000000001-0000000000000001-00")
	for i, n := 0, uint64(0); i < 47; i++ { // the last digit of each id stays: neither may be all zeros
		if i%16 == 0 {
			n = rand.Uint64()
		}
		if at := 3 + i; at != 34 && at != 35 {
			text[at] = digits[n%16]
		}
		n >>= 4
	}
	return string(text)
}

// isTraceParent reports whether s is a traceparent of version 00, which is all that is passed on. Ids of zeros only are none.
func isTraceParent(s string) bool {
	if len(s) != 55 || s[:3] != "00-" || s[35] != '-' || s[52] != '-' {
		return false
	}
	return isHex(s[3:35]) && isHex(s[36:52]) && isHex(s[53:]) && !isZero(s[3:35]) && !isZero(s[36:52])
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

func isZero(s string) bool { return strings.Trim(s, "0") == "" }
