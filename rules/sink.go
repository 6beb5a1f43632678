package rules

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	"callboard/openim"
	"callboard/rules/when"
)

// A sinkDraft is a sink while its file is read: the sink and where its parts stand.
type sinkDraft struct {
	Sink
	from      *decoder
	at        place            // its name
	has       map[string]place // its keys, without those of defaults
	retryHas  map[string]place // the keys of its retry, without those of defaults
	headersAt map[string]place // lower-case names of its headers, without those of defaults
	onFailure openim.Vote      // Failed: not given
	orderBy   *node            // nil for no order
	key       *when.Key        // of orderBy, once compiled
	asked     bool             // by a rule
	shape     shapeDraft
	read      *sinkDraft // as it was read, before rules of other files noted anything in it

	askedBy    []*outline
	notifiedBy []*outline
}

const (
	longestTimeout = 5 * time.Minute
	longestBackoff = 24 * time.Hour
)

var sinkName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

var sinkKeys = keys[sinkDraft]{
	what: "a sink",
	known: []key[sinkDraft]{
		{"url", (*decoder).sinkURL},
		{"description", func(d *decoder, n *node, s *sinkDraft) { d.description(n, &s.Description) }},
		{"timeout", func(d *decoder, n *node, s *sinkDraft) {
			d.duration(n, "timeout", longestTimeout, &s.Timeout)
		}},
		{"retry", func(d *decoder, n *node, s *sinkDraft) { s.retryHas, _ = readMapping(d, n, retryKeys, s) }},
		{"hedge", func(d *decoder, n *node, s *sinkDraft) {
			d.duration(n, "hedge", longestTimeout, &s.Hedge)
		}},
		{"concurrency", func(d *decoder, n *node, s *sinkDraft) { d.count(n, "concurrency", 1, 100_000, &s.Concurrency) }},
		{"max_answer", func(d *decoder, n *node, s *sinkDraft) { d.bytes(n, "max_answer", 1, 64<<20, &s.MaxAnswer) }},
		{"headers", (*decoder).headers},
		{"tls", func(d *decoder, n *node, s *sinkDraft) { readMapping(d, n, tlsKeys, &s.TLS) }},
		{"dialect", func(d *decoder, n *node, s *sinkDraft) {
			choice(d, n, "dialect", dialectWords, []openim.Dialect{openim.DialectCurrent, openim.DialectV2}, &s.Dialect)
		}},
		{"on_failure", func(d *decoder, n *node, s *sinkDraft) { d.vote(n, &s.onFailure) }},
		{"order_by", (*decoder).orderBy},
		{"on_stuck", func(d *decoder, n *node, s *sinkDraft) {
			choice(d, n, "on_stuck", onStuckWords, []OnStuck{Block, DeadLetter}, &s.OnStuck)
		}},
		{"stuck_limit", func(d *decoder, n *node, s *sinkDraft) { d.count(n, "stuck_limit", 1, mostStuck, &s.StuckLimit) }},
		{"rate", (*decoder).rate},
		{"breaker", (*decoder).breaker},
		{"success", func(d *decoder, n *node, s *sinkDraft) {
			choice(d, n, "success", successWords, []bool{false, true}, &s.NeedsReply)
		}},
		{"secret", (*decoder).secret},
		{"batch", (*decoder).batch},
		{"set", (*decoder).set},
		{"body", (*decoder).body},
		{"cache", (*decoder).cache},
	},
}

var retryKeys = keys[sinkDraft]{
	what: "retry",
	known: []key[sinkDraft]{
		{"attempts", func(d *decoder, n *node, s *sinkDraft) { d.count(n, "attempts", 1, 10, &s.Attempts) }},
		{"backoff", func(d *decoder, n *node, s *sinkDraft) {
			d.duration(n, "backoff", longestBackoff, &s.Backoff)
		}},
		{"max_backoff", func(d *decoder, n *node, s *sinkDraft) {
			d.duration(n, "max_backoff", longestBackoff, &s.MaxBackoff)
		}},
		{"for", func(d *decoder, n *node, s *sinkDraft) { d.duration(n, "for", longestRetry, &s.RetryFor) }},
	},
}

var tlsKeys = keys[TLS]{
	what: "tls",
	known: []key[TLS]{
		{"ca", func(d *decoder, n *node, t *TLS) { d.nonEmpty(n, "ca", &t.CA) }},
		{"cert", func(d *decoder, n *node, t *TLS) { d.nonEmpty(n, "cert", &t.Cert) }},
		{"key", func(d *decoder, n *node, t *TLS) { d.nonEmpty(n, "key", &t.Key) }},
		{"server_name", func(d *decoder, n *node, t *TLS) { d.nonEmpty(n, "server_name", &t.ServerName) }},
	},
}

// defaultSinkKeys are what defaults.sinks may set: everything but what makes a sink itself.
var defaultSinkKeys = sinkKeys.without("defaults of sinks", "url", "description")

var (
	dialectWords = []string{"current", "v2"}
	voteWords    = []string{"allow", "refuse", "abstain"}
)

func (d *decoder) vote(n *node, into *openim.Vote) {
	choice(d, n, "on_failure", voteWords, []openim.Vote{openim.Allow, openim.Refuse, openim.Abstain}, into)
}

func (d *decoder) count(n *node, what string, least, most int64, into *int) {
	v := int64(*into)
	d.integer(n, what, least, most, &v)
	*into = int(v)
}

func (d *decoder) nonEmpty(n *node, what string, into *string) {
	text, ok := d.scalar(n, what)
	if ok && strings.TrimSpace(text) == "" {
		d.fail(d.place(n), idNoValue, "give it a value or leave the key out", "%s is empty", what)
		return
	}
	*into = text
}

// description reads text for people. It is shown, so references in it are left as they are.
func (d *decoder) description(n *node, into *string) {
	n = d.resolve(n)
	switch n.kind {
	case scalarNode:
		*into = n.text
	case brokenNode:
	default:
		d.wrongType(n, "description is text")
	}
}

// sinks reads the sinks of a file over their defaults.
func (d *decoder) sinks(n *node, defaults sinkDraft) []*sinkDraft {
	pairs, _ := d.pairs(n, "sinks")
	var sinks []*sinkDraft
	for _, p := range pairs {
		s := defaults
		s.from, s.at = d, d.place(p.key)
		s.Name, s.File, s.Line = p.key.text, d.name, p.key.line
		s.Headers, s.retryHas = nil, nil
		if !sinkName.MatchString(s.Name) {
			d.fail(s.at, idName, "letters, digits, dots, dashes and underscores, 64 at most", "%q is no name for a sink", s.Name)
		}
		if p.value.kind == nullNode {
			d.fail(s.at, idMissingKey, "give it a url", "sink %q has no settings", s.Name)
			sinks = append(sinks, &s)
			continue
		}
		has, ok := readMapping(d, p.value, sinkKeys, &s)
		if ok {
			s.has = has
			s.inheritHeaders(defaults.Headers)
			d.checkSink(&s)
		}
		sinks = append(sinks, &s)
	}
	return sinks
}

// checkSink finds settings that contradict each other.
func (d *decoder) checkSink(s *sinkDraft) {
	if _, given := s.has["url"]; !given {
		d.fail(s.at, idMissingKey, "as in `url: http://moderation.internal:8080/check`", "sink %q has no url", s.Name)
	}
	at := func(key string) place {
		if p, ok := s.has[key]; ok {
			return p
		}
		return s.at
	}
	if s.Hedge > 0 && s.Timeout > 0 && s.Hedge >= s.Timeout {
		d.warn(at("hedge"), idHedge, "a hedge far below the timeout, as often as not the usual answer time, makes sense",
			"the hedge of %s comes after the timeout of %s: no second request is ever sent", short(s.Hedge), short(s.Timeout))
	}
	if s.Backoff > 0 && s.MaxBackoff > 0 && s.MaxBackoff < s.Backoff {
		d.warn(at("retry"), idBackoff, "", "max_backoff %s is below backoff %s", short(s.MaxBackoff), short(s.Backoff))
	}
	if s.RetryFor > 0 && s.RetryFor < s.Backoff {
		d.warn(at("retry"), idBackoff, "", "retry.for %s is below retry.backoff %s: a second attempt would most often come too late", short(s.RetryFor), short(s.Backoff))
	}
	if b := s.Breaker; !b.Off && cmp.Or(b.MaxDelay, defaultMaxDelay) < b.Delay {
		d.warn(at("breaker"), idBackoff, "", "max_delay %s of the breaker is below delay %s", short(cmp.Or(b.MaxDelay, defaultMaxDelay)), short(b.Delay))
	}
	if (s.TLS.Cert == "") != (s.TLS.Key == "") {
		d.fail(at("tls"), idTLS, "", "a client certificate needs both cert and key")
	}
	if _, own := s.has["tls"]; own && strings.HasPrefix(s.URL, "http://") {
		d.fail(at("tls"), idTLS, "did you mean https?", "tls settings do not go with an http:// url")
	}
}
