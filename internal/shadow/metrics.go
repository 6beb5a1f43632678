package shadow

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"callboard/internal/compare"
	"callboard/router"
)

// maxLabels bounds the rules that have series of their own; differences of others count for the rule "".
const maxLabels = 200

type metrics struct {
	same, different  prometheus.Counter
	dropped, skipped prometheus.Counter
	differences      *prometheus.CounterVec // kind, rule
	labels           map[string]bool        // rules that have series; guarded by Shadow.mu
	counted          map[counted]bool       // of one callback; guarded by Shadow.mu
	keyErrors        prometheus.Counter
	allowed, refused prometheus.Counter
}

// What counts once for a callback.
type counted struct {
	kind compare.Kind
	rule string
}

func newMetrics(r prometheus.Registerer, s *Shadow) *metrics {
	f := promauto.With(r)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: "callboard_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, value func() float64) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: "callboard_" + name, Help: help}, value)
	}
	callbacks := counter("candidate_callbacks_total", "Callbacks that were to be compared with the candidate, by result: same, different, "+
		"dropped because too many waited, or skipped because a table changed.", "result")
	decided := counter("canary_callbacks_total", "Callbacks that the candidate decided, by verdict.", "verdict")
	m := &metrics{
		same: callbacks.WithLabelValues("same"), different: callbacks.WithLabelValues("different"),
		dropped: callbacks.WithLabelValues("dropped"), skipped: callbacks.WithLabelValues("skipped"),
		differences: counter("candidate_differences_total", "Callbacks that end differently with the candidate, by kind of difference and rule.", "kind", "rule"),
		labels:      map[string]bool{}, counted: map[counted]bool{},
		allowed: decided.WithLabelValues("allow"), refused: decided.WithLabelValues("refuse"),
		keyErrors: f.NewCounter(prometheus.CounterOpts{Name: "callboard_canary_key_errors_total", Help: "Callbacks whose key for the canary failed; the serving rules decided them."}),
	}
	gauge("canary_share", "Share of the callbacks with a key that the candidate decides, 0 to 1.", s.shareNow)
	gauge("canary_rolled_back", "Whether the canary went beyond a bound and decides nothing any more (1).", func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.rolledBack != nil {
			return 1
		}
		return 0
	})
	return m
}

// decided counts a callback that the candidate decided.
func (m *metrics) decided(t *router.Trace) {
	if t.Verdict.Refuse {
		m.refused.Inc()
	} else {
		m.allowed.Inc()
	}
}

// compared counts what a comparison came to: each kind once for a rule.
func (m *metrics) compared(ds []compare.Difference) {
	if ds == nil {
		m.same.Inc()
		return
	}
	m.different.Inc()
	clear(m.counted)
	for i := range ds {
		d := counted{ds[i].Kind, ds[i].Rule}
		if m.counted[d] { // another sink of the same
			continue
		}
		m.counted[d] = true
		m.differences.WithLabelValues(d.kind.String(), m.label(d.rule)).Inc()
	}
}

func (m *metrics) label(rule string) string {
	if !m.labels[rule] {
		if len(m.labels) >= maxLabels {
			return ""
		}
		m.labels[rule] = true
	}
	return rule
}

// clear forgets rules: another table has others.
func (m *metrics) clear() {
	m.differences.Reset()
	clear(m.labels)
}
