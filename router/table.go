package router

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"callboard/openim"
	"callboard/rules"
)

// A Table is what one request works with from its first step to its last: read-only.
type Table struct {
	Rules *rules.Set
	Sinks map[string]Asker // sink name → sink, for every sink of Rules
}

// A prepared table is a Table with everything looked up that a request would look up: sinks by
// place, metrics by label. Of rules that is done when they first match: of a hundred thousand most never do.
type prepared struct {
	*Table
	metrics *metrics
	sinks   map[string]*preparedSink
	rules   sync.Map // *rules.Rule → *preparedRule
}

type preparedSink struct {
	name    string
	asker   Asker
	stale   staleVotes // nil when its asker has none
	shaper  *rules.Shaper
	metrics sinkMetrics
}

type preparedRule struct {
	*rules.Rule
	sinks   []*preparedSink // of the await, in its order
	matches lazyCounter
	errors  lazyCounter
}

// A lazyCounter is a child of a CounterVec that is made when it first counts: of a hundred thousand
// rules most never match, and a series for each would be noise.
type lazyCounter struct {
	child atomic.Pointer[prometheus.Counter]
}

func (l *lazyCounter) inc(vec *prometheus.CounterVec, label string) {
	c := l.child.Load()
	if c == nil {
		made := vec.WithLabelValues(label)
		c = &made
		l.child.Store(c)
	}
	(*c).Inc()
}

func (m *metrics) prepare(t *Table) *prepared {
	p := &prepared{Table: t, metrics: m, sinks: make(map[string]*preparedSink, len(t.Sinks))}
	for name, asker := range t.Sinks {
		stale, _ := asker.(staleVotes)
		p.sinks[name] = &preparedSink{name: name, asker: asker, stale: stale, metrics: m.sink(name)}
	}
	for _, s := range t.Rules.Sinks {
		sink := p.sinks[s.Name]
		if sink == nil {
			continue
		}
		sink.shaper = s.Shaper
		if s.Cache.Key != "" {
			m.keepsVotes(s.Name, &sink.metrics)
		}
	}
	return p
}

// rule returns a rule of the table made ready.
func (p *prepared) rule(r *rules.Rule) *preparedRule {
	if made, ok := p.rules.Load(r); ok {
		return made.(*preparedRule)
	}
	pr := &preparedRule{Rule: r}
	if r.Await != nil {
		for _, name := range r.Await.Sinks {
			pr.sinks = append(pr.sinks, p.sinks[name])
		}
	}
	p.metrics.counted.Store(r.Name, nil)
	made, _ := p.rules.LoadOrStore(r, pr)
	return made.(*preparedRule)
}

// lingers reports whether the sinks of a rule may finish after the answer has left. After-callbacks
// tell of what has happened, so every sink should hear of it; and sinks asked along with a primary
// are asked for the trace.
func lingers(r *rules.Rule, phase openim.Phase) bool {
	if r.Await.Linger != nil {
		return *r.Await.Linger
	}
	return phase == openim.After || r.Await.Policy.Kind == rules.Primary
}

// failure returns what a failed vote of a sink counts as in a rule.
func failure(r *rules.Rule, sink string, phase openim.Phase) openim.Vote {
	if v, ok := r.Await.OnFailure[sink]; ok {
		return v
	}
	if phase == openim.After {
		return openim.Refuse
	}
	return openim.Allow
}
