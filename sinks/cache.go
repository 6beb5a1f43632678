package sinks

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"callboard/openim"
)

// Cache says how a sink's votes are kept, for callbacks of one command and source that share a Request.Key. The zero value
// keeps none.
type Cache struct {
	// TTL is how long a vote stands in for asking. Zero means that no votes are kept.
	TTL time.Duration
	// StaleOnFailure is how long a vote, no longer fit to stand in for asking, stands in for one that failed. Zero means never.
	StaleOnFailure time.Duration
	// Max bounds the votes that are kept; the one that was used longest ago makes room. Zero means 10,000.
	Max int
}

// A CacheUse says what a sink's cache had to do with a Result.
type CacheUse uint8

const (
	// NoCache means that the vote on this callback is not kept.
	NoCache CacheUse = iota
	// Miss means that there was no vote to use.
	Miss
	// Hit means that a kept vote was used, and nobody asked.
	Hit
	// Stale means that the sink failed, and an old vote was used.
	Stale
)

// String returns "", "miss", "hit" or "stale".
func (u CacheUse) String() string { return [...]string{"", "miss", "hit", "stale"}[u] }

// Bounds of what is kept, in bytes: keys and texts come from outside.
const (
	longestKept    = 4 << 10 // texts of a vote
	longestKeptKey = 2 << 10
)

// votes are the kept ones. All requests of the sink share the list's lock: it is held for a look-up in memory, some hundred
// nanoseconds, beside which a request to the sink would have taken a thousand times as long.
type votes struct {
	settings Cache
	kept     *lru.Cache[voteKey, vote]
}

// A voteKey is what a vote is kept under. Its parts stay apart: no source can be made to read like another one with the
// beginning of a key.
type voteKey struct{ command, source, key string }

type vote struct {
	answer openim.Answer
	at     time.Time
}

// newVotes returns nil where no votes are kept.
func newVotes(c Cache) (*votes, error) {
	switch {
	case c.TTL < 0, c.StaleOnFailure < 0, c.Max < 0:
		return nil, errors.New("a time or count of its cache is negative")
	case c.TTL == 0 && c.StaleOnFailure > 0:
		return nil, errors.New("its cache keeps no votes that could become stale")
	case c.TTL == 0:
		return nil, nil
	}
	kept, err := lru.New[voteKey, vote](cmp.Or(c.Max, 10_000))
	return &votes{c, kept}, err
}

// key returns what a vote on a callback is kept under, and whether it is.
func (v *votes) key(r *Request) (voteKey, bool) {
	if v == nil || r.Key == "" || len(r.Command)+len(r.Source)+len(r.Key) > longestKeptKey {
		return voteKey{}, false
	}
	return voteKey{r.Command, r.Source, r.Key}, true
}

// find returns a kept vote that is younger than most.
func (v *votes) find(key voteKey, most time.Duration) (vote, time.Duration, bool) {
	found, ok := v.kept.Get(key)
	if !ok {
		return vote{}, 0, false
	}
	age := time.Since(found.at)
	return found, age, age < most
}

// learn keeps a vote. One that sets reply fields belongs to its callback alone, so it is not kept, and what was kept before
// is no longer what the sink would say.
func (v *votes) learn(key voteKey, a openim.Answer) {
	switch {
	case a.Vote == openim.Failed:
		return
	case a.Vote == openim.Allow && len(a.Fields) > 0, len(a.Message)+len(a.Detail)+len(a.Reason) > longestKept:
		v.kept.Remove(key)
		return
	}
	a.Fields = nil // of a refusal they mean nothing
	// The key's texts may be parts of a body, which they would keep in memory.
	v.kept.Add(voteKey{strings.Clone(key.command), strings.Clone(key.source), strings.Clone(key.key)}, vote{a, time.Now()})
}

// askThroughCache is Ask where the vote may be kept.
func (s *Sink) askThroughCache(ctx context.Context, key voteKey, r Request) Result {
	if found, age, ok := s.votes.find(key, s.votes.settings.TTL); ok {
		return Result{Sink: s.options.Name, Answer: found.answer, Cache: Hit, Age: age}
	}
	asked := s.ask(ctx, r)
	asked.Cache = Miss
	s.votes.learn(key, asked.Answer)
	if asked.Answer.Vote != openim.Failed || errors.Is(ctx.Err(), context.Canceled) { // nobody waits for it any more
		return asked
	}
	if old, ok := s.Stale(r, asked.Answer.Reason); ok {
		asked.Answer, asked.Cache, asked.Age, asked.Failure = old.Answer, old.Cache, old.Age, old.Failure
	}
	return asked
}

// Stale returns the kept vote that stands in for one that has failed, or is out when its time is up; failure says why. It
// reports whether there is one. It asks nobody and returns at once.
func (s *Sink) Stale(r Request, failure string) (Result, bool) {
	key, ok := s.votes.key(&r)
	if !ok || s.votes.settings.StaleOnFailure == 0 {
		return Result{}, false
	}
	found, age, ok := s.votes.find(key, s.votes.settings.StaleOnFailure)
	return Result{Sink: s.options.Name, Answer: found.answer, Cache: Stale, Age: age, Failure: failure}, ok
}
