package rules

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What sinks say about deliveries.

const (
	longestRetry    = 30 * 24 * time.Hour
	longestDelay    = 24 * time.Hour // of a breaker
	defaultMaxDelay = time.Minute    // of a breaker where it is not given
	mostFailures    = 100_000
	mostStuck       = 10_000_000
	highestRate     = 100_000    // a second
	lowestRate      = 1.0 / 3600 // a second
)

func (d *decoder) orderBy(n *node, s *sinkDraft) {
	s.OrderBy = ""
	if s.orderBy = d.keyNode(n, "order_by"); s.orderBy != nil {
		s.OrderBy = strings.TrimSpace(s.orderBy.text)
	}
}

var (
	rateText  = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)/([smh])$`)
	rateUnits = map[string]float64{"s": 1, "m": 60, "h": 3600} // seconds
)

// rate reads a number of deliveries in a second, minute or hour.
func (d *decoder) rate(n *node, s *sinkDraft) {
	text, ok := d.scalar(n, "rate")
	if !ok {
		return
	}
	m := rateText.FindStringSubmatch(text)
	if m == nil {
		hint := "write a number and its time: 500/s, 30/m, 10/h"
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			hint = fmt.Sprintf("did you mean %s/s?", d.resolve(n).text)
		}
		d.fail(d.place(n), idWrongType, hint, "rate is so many deliveries a second, minute or hour, not %q", d.resolve(n).text)
		return
	}
	count, _ := strconv.ParseFloat(m[1], 64) // digits, so at worst +Inf
	rate := count / rateUnits[m[2]]
	if rate < lowestRate || rate > highestRate {
		d.fail(d.place(n), idOutOfRange, "", "rate must be from 1/h to %d/s", highestRate)
		return
	}
	s.Rate = rate
}

// secret reads what signs deliveries: one secret, or the new and the old one. No message quotes them.
func (d *decoder) secret(n *node, s *sinkDraft) {
	items, ok := d.items(n, "secret", true)
	if !ok {
		return
	}
	switch {
	case len(items) == 0:
		d.fail(d.place(d.resolve(n)), idEmptyList, "leave the key out for deliveries without a signature", "secret has no entries")
	case len(items) > 2:
		d.fail(d.place(items[2]), idSecret, "[new, old]: deliveries are signed with both until all receivers know the new one", "there may be two secrets at one time")
		return
	}
	s.Secrets = nil
	for _, item := range items {
		text, ok := d.scalar(item, "secret")
		if !ok {
			continue
		}
		if wrong, hint := secretProblem(text); wrong != "" {
			d.fail(d.place(item), idSecret, hint, "%s", wrong)
			continue
		}
		if slices.Contains(s.Secrets, text) {
			d.warn(d.place(item), idDuplicateItem, "", "the two secrets are the same")
			continue
		}
		s.Secrets = append(s.Secrets, text)
	}
}

// shortestSecret is in bytes, decoded: a shorter one can be guessed.
const shortestSecret = 16

const secretHint = "make one with: echo whsec_$(openssl rand -base64 32)"

// secretProblem returns what is wrong with a secret, "" when nothing is, and what would be right.
func secretProblem(secret string) (wrong, hint string) {
	if strings.TrimSpace(secret) != secret {
		return "the secret has white space around it", "a line break in a file or variable is a frequent cause"
	}
	key := []byte(secret)
	encoded, whsec := strings.CutPrefix(secret, "whsec_")
	if whsec {
		var err error
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return "what follows whsec_ is not base64", "standard base64 with its padding, as Standard Webhooks has it; " + secretHint
		}
	}
	switch {
	case strings.HasPrefix(secret, "whsk_"), strings.HasPrefix(secret, "whpk_"):
		return "this is a key for public-key signatures, which Callboard does not make", "a secret for both sides begins with whsec_; " + secretHint
	case len(key) < shortestSecret:
		return fmt.Sprintf("the secret is shorter than %d bytes", shortestSecret), secretHint
	}
	return "", ""
}

var (
	successWords = []string{"status", "reply"}
	onStuckWords = []string{"block", "dead_letter"}
	breakerWords = []string{"off"}
)

var breakerKeys = keys[Breaker]{
	what: "breaker",
	known: []key[Breaker]{
		{"failures", func(d *decoder, n *node, b *Breaker) { d.count(n, "failures", 1, mostFailures, &b.Failures) }},
		{"delay", func(d *decoder, n *node, b *Breaker) { d.duration(n, "delay", longestDelay, &b.Delay) }},
		{"max_delay", func(d *decoder, n *node, b *Breaker) { d.duration(n, "max_delay", longestDelay, &b.MaxDelay) }},
	},
}

func (d *decoder) breaker(n *node, s *sinkDraft) {
	n = d.resolve(n)
	if n.kind == scalarNode {
		choice(d, n, "breaker", breakerWords, []bool{true}, &s.Breaker.Off)
		return
	}
	s.Breaker.Off = false
	readMapping(d, n, breakerKeys, &s.Breaker)
}

// checkIdleSettings finds settings that do nothing: of asking on sinks that are only notified, of deliveries on sinks that are
// only asked, and of order on sinks without one. Defaults may hold settings for both kinds of sinks.
func (l *loader) checkIdleSettings() {
	for _, s := range l.sinks {
		switch {
		case s.notifiedBy == nil && !s.asked:
		case s.notifiedBy == nil:
			s.warnIdle("rules only ask this sink: put it into notify, too, or leave the setting out",
				"order_by", "on_stuck", "stuck_limit", "rate", "breaker", "success", "secret", "batch", "retry.for")
		case !s.asked:
			const why = "rules only notify this sink: put it into await, too, or leave the setting out"
			s.warnIdle(why, "hedge", "on_failure", "retry.attempts")
			if s.shape.cache.by == s.read { // and not off
				s.warnIdle(why, "cache")
			}
			s.warnIdleAnswer()
		}
		if s.notifiedBy == nil {
			continue
		}
		s.warnOfWebhookHeaders()
		s.checkBatchURL()
		s.warnOfBatchHeaders()
		switch {
		case s.orderBy == nil:
			s.warnIdle("without order_by nothing waits behind a delivery that is stuck", "on_stuck", "stuck_limit")
		case s.OnStuck == DeadLetter:
			s.warnIdle("with on_stuck: dead_letter nothing waits behind a delivery that is stuck", "stuck_limit")
		}
	}
}

// warnIdle warns of the settings among some that the sink has itself.
func (s *sinkDraft) warnIdle(why string, settings ...string) {
	for _, setting := range settings {
		at, own := s.has[setting]
		if part, ofRetry := strings.CutPrefix(setting, "retry."); ofRetry {
			at, own = s.retryHas[part]
		}
		if own {
			s.from.warn(at, idSettingIdle, why, "%s has no effect on sink %q", setting, s.Name)
		}
	}
}
