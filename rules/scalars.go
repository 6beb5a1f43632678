package rules

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"callboard/internal/diag"
)

// scalar returns the text of a scalar with its references resolved.
func (d *decoder) scalar(n *node, what string) (string, bool) {
	n = d.resolve(n)
	switch n.kind {
	case brokenNode:
		return "", false
	case scalarNode:
		t, ok := d.expand(n)
		return t.value, ok
	default:
		d.wrongType(n, what+" is a single value")
		return "", false
	}
}

// literal returns the text of a scalar as written. It is for names, which are shown in logs: a reference
// to a secret would make the secret one of them.
func (d *decoder) literal(n *node, what string) (string, bool) {
	n = d.resolve(n)
	if n.kind != scalarNode {
		if n.kind != brokenNode {
			d.wrongType(n, what+" is a name")
		}
		return "", false
	}
	if strings.Contains(n.text, "${") {
		d.fail(d.place(n), idReferenceHere, "names appear in logs and metrics", "%s cannot come from ${…}", what)
		return "", false
	}
	return n.text, true
}

// choice reads one of several words.
func choice[T any](d *decoder, n *node, what string, words []string, values []T, into *T) {
	text, ok := d.scalar(n, what)
	if !ok {
		return
	}
	if i := slices.Index(words, text); i >= 0 {
		*into = values[i]
		return
	}
	hint := "one of: " + strings.Join(words, ", ")
	if near := diag.Nearest(text, words); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	d.fail(d.place(n), idUnknownWord, hint, "%s cannot be %q", what, d.resolve(n).text)
}

func (d *decoder) boolean(n *node, what string, into *bool) {
	text, ok := d.scalar(n, what)
	if !ok {
		return
	}
	if text != "true" && text != "false" {
		hint := map[string]string{"yes": "write true", "on": "write true", "no": "write false", "off": "write false"}[strings.ToLower(text)]
		d.fail(d.place(n), idWrongType, hint, "%s is true or false, not %q", what, d.resolve(n).text)
		return
	}
	*into = text == "true"
}

func (d *decoder) integer(n *node, what string, least, most int64, into *int64) {
	text, ok := d.scalar(n, what)
	if !ok {
		return
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(v, 10) != text {
		d.fail(d.place(n), idWrongType, "decimal digits, without a leading zero", "%s is a whole number, not %q", what, d.resolve(n).text)
		return
	}
	if v < least || v > most {
		d.fail(d.place(n), idOutOfRange, "", "%s must be from %d to %d", what, least, most)
		return
	}
	*into = v
}

func (d *decoder) duration(n *node, what string, most time.Duration, into *time.Duration) {
	d.durationWithin(n, what, time.Millisecond, most, into)
}

func (d *decoder) durationWithin(n *node, what string, least, most time.Duration, into *time.Duration) {
	text, ok := d.scalar(n, what)
	if !ok {
		return
	}
	v, err := time.ParseDuration(text)
	if err != nil || text == "0" {
		hint := "write a number with its unit: 400ms, 2s, 1m30s, 24h"
		if _, err := strconv.ParseFloat(text, 64); err == nil && text != "0" {
			hint = fmt.Sprintf("did you mean %ss?", d.resolve(n).text)
		}
		if days, err := strconv.ParseUint(strings.TrimSuffix(text, "d"), 10, 16); err == nil && strings.HasSuffix(text, "d") {
			hint = fmt.Sprintf("did you mean %dh?", 24*days)
		}
		d.fail(d.place(n), idWrongType, hint, "%s is a duration, not %q", what, d.resolve(n).text)
		return
	}
	if v < least || v > most {
		d.fail(d.place(n), idOutOfRange, "", "%s must be from %s to %s", what, short(least), short(most))
		return
	}
	*into = v
}

// short writes a duration without units that are zero: 5m instead of 5m0s.
func short(v time.Duration) string {
	s := v.String()
	s = strings.TrimSuffix(s, "m0s") + strings.Repeat("m", strings.Count(s, "m0s"))
	return strings.TrimSuffix(s, "h0m") + strings.Repeat("h", strings.Count(s, "h0m"))
}

var byteUnits = []struct {
	name  string
	bytes int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// bytes reads a number of bytes: 65536, 64KiB, 1MiB.
func (d *decoder) bytes(n *node, what string, least, most int64, into *int64) {
	text, ok := d.scalar(n, what)
	if !ok {
		return
	}
	for _, unit := range byteUnits {
		digits, ok := strings.CutSuffix(text, unit.name)
		v, err := strconv.ParseUint(strings.TrimRight(digits, " "), 10, 63)
		if !ok || err != nil {
			continue
		}
		if int64(v) > math.MaxInt64/unit.bytes || int64(v)*unit.bytes < least || int64(v)*unit.bytes > most {
			d.fail(d.place(n), idOutOfRange, "", "%s must be from %d to %d bytes", what, least, most)
			return
		}
		*into = int64(v) * unit.bytes
		return
	}
	d.fail(d.place(n), idWrongType, "write a number with its unit: 64KiB, 1MiB", "%s is a number of bytes, not %q", what, d.resolve(n).text)
}
