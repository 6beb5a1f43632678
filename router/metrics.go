package router

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// durations are bucket bounds in seconds, dense below IMServer's default timeout of 5 s.
var durations = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 4, 5, 10}

// metrics are the request path's. Children are looked up once, not for each request.
type metrics struct {
	callbacks   *prometheus.CounterVec // command, verdict
	byCommand   map[*openim.Command]*commandMetrics
	unknown     *commandMetrics
	duration    prometheus.Histogram
	unmatched   prometheus.Counter
	repeated    prometheus.Counter
	trouble     *prometheus.CounterVec // kind
	ruleMatches *prometheus.CounterVec // rule
	ruleErrors  *prometheus.CounterVec // rule
	votes       *prometheus.CounterVec // sink, vote
	attempts    *prometheus.CounterVec // sink
	sinkSeconds *prometheus.HistogramVec
	cache       *prometheus.CounterVec // sink, use

	counted sync.Map // names of rules that may have series
}

type commandMetrics struct{ allow, refuse prometheus.Counter }

type sinkMetrics struct {
	votes     [4]prometheus.Counter // by openim.Vote
	cancelled prometheus.Counter
	attempts  prometheus.Counter
	seconds   prometheus.Observer
	cache     [4]prometheus.Counter // by sinks.CacheUse; nil for NoCache, and for a sink that keeps no votes
}

func newMetrics(r prometheus.Registerer, g *Gateway) *metrics {
	f := promauto.With(r)
	gauge := func(name, help string, n *atomic.Int64) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: "callboard_" + name, Help: help}, func() float64 { return float64(n.Load()) })
	}
	gauge("callbacks_in_flight", "Callbacks being handled.", &g.inFlight)
	gauge("sink_requests_in_flight", "Requests to sinks under way, with those that linger after their answer has left.", &g.requests)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: "callboard_" + name, Help: help}, labels)
	}
	m := &metrics{
		callbacks: counter("callbacks_total", "Callbacks answered, by command and verdict.", "command", "verdict"),
		byCommand: make(map[*openim.Command]*commandMetrics),
		duration: f.NewHistogram(prometheus.HistogramOpts{Name: "callboard_callback_duration_seconds",
			Help: "Time from a callback's arrival to its answer.", Buckets: durations}),
		unmatched:   f.NewCounter(prometheus.CounterOpts{Name: "callboard_callbacks_unmatched_total", Help: "Callbacks that no rule matched."}),
		repeated:    f.NewCounter(prometheus.CounterOpts{Name: "callboard_callbacks_repeated_total", Help: "Callbacks that had come before and were answered as then (dedup)."}),
		trouble:     counter("trouble_total", "Callbacks that could not be handled and got what --on-trouble says, by kind.", "kind"),
		ruleMatches: counter("rule_matches_total", "Callbacks that a rule matched.", "rule"),
		ruleErrors:  counter("rule_errors_total", "Conditions that failed at run time.", "rule"),
		votes:       counter("sink_votes_total", "Votes of sinks: allow, refuse, abstain, failed, or cancelled when it was no longer needed.", "sink", "vote"),
		attempts:    counter("sink_attempts_total", "Requests sent to sinks, repeats included.", "sink"),
		sinkSeconds: f.NewHistogramVec(prometheus.HistogramOpts{Name: "callboard_sink_duration_seconds",
			Help: "Time to ask a sink, repeats included.", Buckets: durations}, []string{"sink"}),
		cache: counter("sink_cache_total", "Votes of sinks that keep them: hit when a kept one was used, stale when an old one stood in for a failure, else miss.", "sink", "use"),
	}
	for _, c := range openim.Commands() {
		m.byCommand[c] = m.command(c.Short)
	}
	m.unknown = m.command("unknown")
	for _, kind := range troubles {
		m.trouble.WithLabelValues(string(kind))
	}
	for _, kind := range openim.DecodeErrorKinds {
		m.trouble.WithLabelValues(kind)
	}
	return m
}

func (m *metrics) command(short string) *commandMetrics {
	return &commandMetrics{allow: m.callbacks.WithLabelValues(short, "allow"), refuse: m.callbacks.WithLabelValues(short, "refuse")}
}

func (m *metrics) sink(name string) sinkMetrics {
	s := sinkMetrics{
		cancelled: m.votes.WithLabelValues(name, "cancelled"),
		attempts:  m.attempts.WithLabelValues(name),
		seconds:   m.sinkSeconds.WithLabelValues(name),
	}
	for v := openim.Failed; v <= openim.Abstain; v++ {
		s.votes[v] = m.votes.WithLabelValues(name, v.String())
	}
	return s
}

// keepsVotes makes the counters of a sink that keeps votes.
func (m *metrics) keepsVotes(name string, s *sinkMetrics) {
	for _, use := range []sinks.CacheUse{sinks.Miss, sinks.Hit, sinks.Stale} {
		s.cache[use] = m.cache.WithLabelValues(name, use.String())
	}
}

// used counts what a cache had to do with a vote.
func (m *sinkMetrics) used(use sinks.CacheUse) {
	if c := m.cache[use]; c != nil {
		c.Inc()
	}
}

// answered counts one callback. A callback that did not decode has no command.
func (m *metrics) answered(cb *openim.Callback, t *Trace) {
	cm := m.unknown
	if cb != nil && cb.Command != nil {
		cm = m.byCommand[cb.Command]
	}
	if t.Verdict.Refuse {
		cm.refuse.Inc()
	} else {
		cm.allow.Inc()
	}
	m.duration.Observe(t.Duration.Seconds())
}

// planned counts what matching came to.
func (m *metrics) planned(t *prepared, plan rules.Plan) {
	if len(plan.Matched) == 0 {
		m.unmatched.Inc()
	}
	for _, r := range plan.Matched {
		t.rule(r).matches.inc(m.ruleMatches, r.Name)
	}
	for _, e := range plan.Errors {
		t.rule(e.Rule).errors.inc(m.ruleErrors, e.Rule.Name)
	}
}

// forget drops the series of rules and sinks that an old table had and none of the tables in use has. Nil ones have nothing.
func (m *metrics) forget(old *prepared, inUse ...*prepared) {
	gone := map[string]bool{}
	for name := range m.counted.Range {
		gone[name.(string)] = true
	}
	sinks := map[string]bool{}
	for _, table := range inUse {
		if table == nil {
			continue
		}
		for _, r := range table.Rules.Rules {
			delete(gone, r.Name)
		}
		for name := range table.Sinks {
			sinks[name] = true
		}
	}
	for name := range gone {
		m.counted.Delete(name)
		m.ruleMatches.DeleteLabelValues(name)
		m.ruleErrors.DeleteLabelValues(name)
	}
	for name := range old.Sinks {
		if !sinks[name] {
			m.votes.DeletePartialMatch(prometheus.Labels{"sink": name})
			m.attempts.DeleteLabelValues(name)
			m.sinkSeconds.DeleteLabelValues(name)
			m.cache.DeletePartialMatch(prometheus.Labels{"sink": name})
		}
	}
}
