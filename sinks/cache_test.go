package sinks_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"callboard/internal/testkit"
	"callboard/openim"
	"callboard/sinks"
)

// keyed is the documented callback with a key.
func keyed(key string) sinks.Request {
	r := callback
	r.Key = key
	return r
}

// askKeyed asks for a callback with a key, and says in short what came of it: "allow", "refuse hit 10s", "failed miss".
func (s *stage) askKeyed(t *testing.T, r sinks.Request) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	result := s.near.Ask(ctx, r)
	said := result.Answer.Vote.String()
	if result.Cache != sinks.NoCache {
		said += " " + result.Cache.String()
	}
	if result.Age > 0 {
		said += " " + result.Age.String()
	}
	if result.Failure != "" {
		said += ", " + result.Failure
	}
	return said
}

func TestVotesAreKept(t *testing.T) {
	setting := testkit.Answer(200, `{"actionCode":0,"nextCode":0,"content":"x"}`)
	for _, row := range []struct {
		name   string
		cache  sinks.Cache
		script []testkit.Step
		want   []string // of asks that are 10 seconds apart
		asked  int
	}{
		{"without a ttl nobody's are", sinks.Cache{}, steps(testkit.Allow()), []string{"allow", "allow"}, 2},
		{"an allow is used until it is as old as the ttl", sinks.Cache{TTL: 20 * time.Second}, steps(testkit.Allow(), testkit.Refuse(1, "")),
			[]string{"allow miss", "allow hit 10s", "refuse miss", "refuse hit 10s"}, 2},
		{"an abstention is kept", sinks.Cache{TTL: time.Minute}, steps(testkit.NoContent()), []string{"abstain miss", "abstain hit 10s"}, 1},
		{"a failure is not", sinks.Cache{TTL: time.Minute}, steps(status(404), testkit.Allow()), []string{"failed miss", "allow miss", "allow hit 10s"}, 2},
		{"an answer that sets fields is not", sinks.Cache{TTL: time.Minute}, steps(setting), []string{"allow miss", "allow miss"}, 2},
		{"nor what was kept before it", sinks.Cache{TTL: 5 * time.Second, StaleOnFailure: time.Minute}, steps(testkit.Refuse(1, ""), setting, status(404)),
			[]string{"refuse miss", "allow miss", "failed miss"}, 3},
		{"nor a very long one", sinks.Cache{TTL: time.Minute}, steps(testkit.Refuse(1, strings.Repeat("x", 5000))), []string{"refuse miss", "refuse miss"}, 2},
		{"an old vote stands in for a failure", sinks.Cache{TTL: 5 * time.Second, StaleOnFailure: 30 * time.Second}, steps(testkit.Refuse(1, ""), status(404)),
			[]string{"refuse miss", "refuse stale 10s, answered HTTP 404", "refuse stale 20s, answered HTTP 404", "failed miss"}, 4},
		{"and is replaced by a new one", sinks.Cache{TTL: 5 * time.Second, StaleOnFailure: 15 * time.Second},
			steps(testkit.Refuse(1, ""), testkit.Allow(), status(404)), []string{"refuse miss", "allow miss", "allow stale 10s, answered HTTP 404"}, 3},
		{"without stale_on_failure it does not", sinks.Cache{TTL: 5 * time.Second}, steps(testkit.Allow(), status(404)), []string{"allow miss", "failed miss"}, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			onStage(t, sinks.Options{Cache: row.cache}, row.script, func(t *testing.T, s *stage) {
				var got []string
				for range row.want {
					got = append(got, s.askKeyed(t, keyed("u1")))
					time.Sleep(10 * time.Second)
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("votes (-want +got):\n%s", diff)
				}
				if n := len(s.far.Got()); n != row.asked {
					t.Errorf("asked %d times, want %d", n, row.asked)
				}
			})
		})
	}
}

// A hit says all that the sink said, and that nobody was asked.
func TestAHitIsTheWholeVote(t *testing.T) {
	onStage(t, sinks.Options{Cache: sinks.Cache{TTL: time.Minute}}, steps(testkit.Refuse(20401, "not here")), func(t *testing.T, s *stage) {
		first := s.near.Ask(t.Context(), keyed("u1"))
		time.Sleep(time.Second)
		got := s.near.Ask(t.Context(), keyed("u1"))
		want := sinks.Result{Sink: "sink", Answer: first.Answer, Cache: sinks.Hit, Age: time.Second}
		want.Answer.Fields = nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("hit (-want +got):\n%s", diff)
		}
	})
}

func TestKeysAreApart(t *testing.T) {
	onStage(t, sinks.Options{Cache: sinks.Cache{TTL: time.Minute}}, steps(testkit.Allow()), func(t *testing.T, s *stage) {
		other, staging := keyed("u1"), keyed("u1")
		other.Command, staging.Source = "callbackBeforeSendSingleMsgCommand", "staging"
		for _, r := range []sinks.Request{keyed("u1"), keyed("u2"), other, staging} {
			if got := s.askKeyed(t, r); got != "allow miss" {
				t.Errorf("%s %s %s: %s, want a miss", r.Command, r.Source, r.Key, got)
			}
		}
		for _, r := range []sinks.Request{keyed(""), keyed(strings.Repeat("x", 3000))} {
			if first, again := s.askKeyed(t, r), s.askKeyed(t, r); first != "allow" || again != "allow" {
				t.Errorf("key %.5q: %s, then %s; want it not to be kept", r.Key, first, again)
			}
		}
	})
}

func TestTheCacheIsBounded(t *testing.T) {
	onStage(t, sinks.Options{Cache: sinks.Cache{TTL: time.Hour, Max: 2}}, steps(testkit.Allow()), func(t *testing.T, s *stage) {
		var got []string
		for _, key := range []string{"a", "b", "a", "c", "a", "b"} {
			got = append(got, key+" "+s.askKeyed(t, keyed(key)))
		}
		if diff := cmp.Diff([]string{"a allow miss", "b allow miss", "a allow hit", "c allow miss", "a allow hit", "b allow miss"}, got); diff != "" {
			t.Errorf("votes (-want +got):\n%s", diff)
		}
	})
}

// A silent sink costs no more than the deadline; a request that nobody waits for any more uses no old vote.
func TestSilenceAndTheDeadline(t *testing.T) {
	o := sinks.Options{Cache: sinks.Cache{TTL: time.Second, StaleOnFailure: time.Hour}, Timeout: 3 * time.Second}
	onStage(t, o, steps(testkit.Allow(), testkit.Hang()), func(t *testing.T, s *stage) {
		s.askKeyed(t, keyed("u1"))
		time.Sleep(time.Minute)
		begun := time.Now()
		if got := s.askKeyed(t, keyed("u1")); got != "allow stale 1m1s, the deadline ended it after 1s" || time.Since(begun) > time.Second {
			t.Errorf("%s after %v", got, time.Since(begun))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errors.New("decided")) })
		if r := s.near.Ask(ctx, keyed("u1")); r.Answer.Vote != openim.Failed || r.Cache != sinks.Miss {
			t.Errorf("called off, the vote is %+v", r)
		}
	})
}

func TestStaleAsksNobody(t *testing.T) {
	onStage(t, sinks.Options{Cache: sinks.Cache{TTL: time.Second, StaleOnFailure: time.Minute}}, steps(testkit.Allow()), func(t *testing.T, s *stage) {
		if r, ok := s.near.Stale(keyed("u1"), "late"); ok {
			t.Errorf("before there is a vote: %+v", r)
		}
		s.askKeyed(t, keyed("u1"))
		time.Sleep(30 * time.Second)
		r, ok := s.near.Stale(keyed("u1"), "late")
		want := sinks.Result{Sink: "sink", Answer: openim.Answer{Vote: openim.Allow}, Cache: sinks.Stale, Age: 30 * time.Second, Failure: "late"}
		if diff := cmp.Diff(want, r); diff != "" || !ok {
			t.Errorf("%t (-want +got):\n%s", ok, diff)
		}
		if n := len(s.far.Got()); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestTheCacheIsForManyAtATime(t *testing.T) {
	onStage(t, sinks.Options{Cache: sinks.Cache{TTL: 50 * ms, StaleOnFailure: time.Second, Max: 8}}, steps(testkit.Allow()), func(t *testing.T, s *stage) {
		var asking sync.WaitGroup
		for i := range 16 {
			asking.Go(func() {
				for j := range 50 {
					if r := s.near.Ask(t.Context(), keyed(strconv.Itoa((i+j)%12))); r.Answer.Vote != openim.Allow {
						t.Errorf("vote %+v", r)
					}
					time.Sleep(10 * ms)
				}
			})
		}
		asking.Wait()
		synctest.Wait()
	})
}

func TestCachesThatMakeNoSense(t *testing.T) {
	for _, c := range []sinks.Cache{{TTL: -1}, {TTL: 1, Max: -1}, {StaleOnFailure: time.Minute}, {TTL: 1, StaleOnFailure: -1}} {
		if _, err := sinks.New(sinks.Options{Name: "s", URL: "http://s", Cache: c}); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// Computed headers stand over the sink's, but not over what signs a delivery.
func TestComputedHeaders(t *testing.T) {
	onStage(t, sinks.Options{Headers: map[string]string{"X-Tenant": "none", "X-Kept": "yes"}}, steps(testkit.Allow()), func(t *testing.T, s *stage) {
		computed := map[string][]string{"X-Tenant": {"eu"}, "Webhook-Id": {"mine"}}
		r := callback
		r.Headers = computed
		s.near.Ask(t.Context(), r)
		s.near.Deliver(t.Context(), sinks.Delivery{ID: "d-1", Command: callback.Command, Body: callback.Body, Headers: computed})
		for i, id := range []string{"mine", "d-1"} {
			h := s.far.Got()[i].Header
			if h.Get("X-Tenant") != "eu" || h.Get("X-Kept") != "yes" || h.Get("Webhook-Id") != id {
				t.Errorf("request %d has %v", i, h)
			}
		}
	})
}

// Sources and keys come from outside: none may be made to read like another one with the beginning of a key.
func TestKeptVotesOfOtherSourcesAreOthers(t *testing.T) {
	onStage(t, sinks.Options{Cache: sinks.Cache{TTL: time.Minute}}, steps(testkit.Allow(), testkit.Refuse(1, "")), func(t *testing.T, s *stage) {
		one, two := keyed("b\x00c"), keyed("c")
		one.Source, two.Source = "a", "a\x00b"
		if got := s.askKeyed(t, one) + ", " + s.askKeyed(t, two); got != "allow miss, refuse miss" {
			t.Error(got)
		}
	})
}
