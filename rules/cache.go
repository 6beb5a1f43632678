package rules

import (
	"strings"
	"time"

	"callboard/rules/when"
)

// Cache is how a sink's votes are kept. The zero value keeps none.
type Cache struct {
	Key            string        // source of the expression: callbacks of one command and source with the same value share a vote
	TTL            time.Duration // how long a vote stands in for asking
	StaleOnFailure time.Duration // how long an older one stands in for a vote that failed, 0: never
	Max            int           // votes, 0: package sinks has the default
}

// A cacheDraft is a cache while its file is read.
type cacheDraft struct {
	Cache
	key *node
	at  place
	by  *sinkDraft       // that says so last: the sink, or defaults
	has map[string]place // its keys, defaults' included; nil for no cache
}

const (
	longestTTL   = 24 * time.Hour
	longestStale = 7 * 24 * time.Hour
	mostVotes    = 1_000_000
)

var cacheWords = []string{"off"}

var cacheKeys = keys[cacheDraft]{
	what: "cache",
	known: []key[cacheDraft]{
		{"key", func(d *decoder, n *node, c *cacheDraft) {
			if n = d.resolve(n); n.kind == scalarNode && strings.TrimSpace(n.text) == "" {
				d.fail(d.place(n), idNoValue, "as in `key: sendID`", "key is empty")
			}
			c.key = d.keyNode(n, "key")
		}},
		{"ttl", func(d *decoder, n *node, c *cacheDraft) { d.duration(n, "ttl", longestTTL, &c.TTL) }},
		{"stale_on_failure", func(d *decoder, n *node, c *cacheDraft) {
			d.duration(n, "stale_on_failure", longestStale, &c.StaleOnFailure)
		}},
		{"max", func(d *decoder, n *node, c *cacheDraft) { d.count(n, "max", 1, mostVotes, &c.Max) }},
	},
}

// cache reads how votes are kept; off takes back what defaults say.
func (d *decoder) cache(n *node, s *sinkDraft) {
	n = d.resolve(n)
	c := &s.shape.cache
	if n.kind == scalarNode {
		off := false
		if choice(d, n, "cache", cacheWords, []bool{true}, &off); off {
			*c = cacheDraft{}
		}
		return
	}
	inherited := c.has
	c.at, c.by = d.place(n), s
	has, ok := readMapping(d, n, cacheKeys, c)
	if !ok {
		return
	}
	c.has = has
	for name, at := range inherited {
		if _, own := has[name]; !own {
			c.has[name] = at
		}
	}
}

// compileCacheKey compiles the key of a sink's cache, for the callbacks of the rules that ask the sink.
func (c *shapeCompiler) compileCacheKey() {
	s, draft := c.sink, &c.sink.shape.cache
	if draft.has == nil {
		return
	}
	own := draft.by == s.read
	for _, name := range []string{"key", "ttl"} {
		if _, given := draft.has[name]; !given {
			s.from.fail(draft.at, idMissingKey, "as in `cache: {key: sendID, ttl: 30s}`", "cache has no %s%s", name, c.of(own))
		}
	}
	if draft.StaleOnFailure > 0 && draft.StaleOnFailure <= draft.TTL {
		s.from.warn(draft.has["stale_on_failure"], idSettingIdle, "votes as young as that are used without asking: it should be longer than ttl",
			"stale_on_failure %s has no effect beside ttl %s%s", short(draft.StaleOnFailure), short(draft.TTL), c.of(own))
	}
	for _, r := range s.askedBy {
		if _, after := r.phases(); after {
			s.from.warn(draft.at, idCacheHides, "notify the sink of what has happened, or ask another one about what is to happen",
				"rule %q tells sink %q of what has happened: while a vote is kept, the sink does not hear of it%s", r.Name, s.Name, c.of(own))
			break
		}
	}
	if draft.key == nil {
		return
	}
	s.Cache = draft.Cache
	s.Cache.Key = strings.TrimSpace(draft.key.text)
	if key := s.from.compileKey(draft.key, commandsOf(s.askedBy, s.from.loading.pace), c.of(own)); key != nil {
		c.shaper.key, c.shaper.keyEnv = key, when.NewEnv(nil, key)
	}
}
