package rules

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// reservedHeaders are set by the request itself, or end loops.
var reservedHeaders = []string{"host", "content-length", "transfer-encoding", "connection", "trailer", "upgrade", "callboard-hops"}

var (
	headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	headerText = regexp.MustCompile(`^[^\x00-\x08\x0a-\x1f\x7f]*$`)
)

// headers reads names and values. Values are secrets: no message quotes them.
func (d *decoder) headers(n *node, s *sinkDraft) {
	pairs, _ := d.freePairs(n, "headers")
	s.Headers = make(map[string]string, len(pairs))
	s.headersAt = make(map[string]place, len(pairs))
	var seen []string
	for _, p := range pairs {
		name, at := p.key.text, d.place(p.key)
		switch {
		case !headerName.MatchString(name):
			// It is not quoted: where a colon is missing, the value is part of it.
			d.fail(at, idHeader, "letters, digits and dashes, then a colon", "this is no name for a header")
		case slices.Contains(reservedHeaders, strings.ToLower(name)):
			d.fail(at, idHeader, "", "header %s cannot be set: the request has its own", name)
		case slices.Contains(seen, strings.ToLower(name)):
			d.fail(at, idHeader, "the case of a header's name does not count", "header %s is given twice", name)
		case p.value.kind == nullNode:
			d.fail(at, idNoValue, `an empty value is written ""`, "a header has no value")
		default:
			seen = append(seen, strings.ToLower(name))
			text, ok := d.scalar(p.value, "a header's value")
			if ok && !headerText.MatchString(text) {
				d.fail(at, idHeader, "a line break in a file or variable is a frequent cause", "the value of header %s contains control characters", name)
			}
			s.Headers[name] = text
			s.headersAt[strings.ToLower(name)] = at
		}
	}
}

// warnOfWebhookHeaders finds headers that deliveries carry with values of their own, by which repeats and forgeries are told.
func (s *sinkDraft) warnOfWebhookHeaders() {
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		at, own := s.headersAt[name]
		if own && (name != "webhook-signature" || len(s.Secrets) > 0) {
			s.from.warn(at, idSettingIdle, "deliveries carry their own", "header %s has no effect on deliveries to sink %q", name, s.Name)
		}
	}
}

// inheritHeaders adds the defaults' headers that the sink does not set itself.
func (s *sinkDraft) inheritHeaders(defaults map[string]string) {
	own := slices.Collect(maps.Keys(s.Headers))
	for name, value := range defaults {
		if slices.ContainsFunc(own, func(n string) bool { return strings.EqualFold(n, name) }) {
			continue
		}
		if s.Headers == nil {
			s.Headers = map[string]string{}
		}
		s.Headers[name] = value
	}
}
