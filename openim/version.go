package openim

import (
	"fmt"
	"strconv"
	"strings"
)

// A Version is the IMServer line a reply is written for.
type Version uint8

const (
	// V37 is v3.7.0 and everything later: actionCode 0 with nextCode 1 refuses. The zero value.
	V37 Version = iota
	// V35 is v3.5, where nextCode 1 refuses too, and v3.6, which cannot be made to refuse at all.
	V35
	// V30 is v3.0 to v3.4: a non-zero actionCode or errCode refuses.
	V30
	// V2 is v2.x: a non-zero actionCode refuses.
	V2
)

// ParseVersion reads "v3.7", "v3.5", "v3.0" or "v2", and the version of a server as the line that
// it belongs to: "v3.8.3" and "main" are v3.7, "3.6.0" is v3.5.
func ParseVersion(s string) (Version, error) {
	if s == "main" {
		return V37, nil
	}
	major, rest, _ := strings.Cut(strings.TrimPrefix(s, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.ParseUint(minor, 10, 8)
	switch {
	case major == "2" && (err == nil || rest == ""):
		return V2, nil
	case major != "3" || err != nil:
		return 0, fmt.Errorf("unknown IMServer version %q: want v2, v3.0, v3.5 or v3.7", s)
	case n >= 7:
		return V37, nil
	case n >= 5:
		return V35, nil
	default:
		return V30, nil
	}
}

// String returns what ParseVersion reads.
func (v Version) String() string {
	switch v {
	case V35:
		return "v3.5"
	case V30:
		return "v3.0"
	case V2:
		return "v2"
	default:
		return "v3.7"
	}
}

// hasNextCode reports whether the version reads nextCode.
func (v Version) hasNextCode() bool { return v == V37 || v == V35 }
