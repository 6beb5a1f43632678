package queue

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the queue's. Children are looked up once for a sink, not for each delivery.
type metrics struct {
	accepted      *prometheus.CounterVec // sink
	delivered     *prometheus.CounterVec // sink
	attempts      *prometheus.CounterVec // sink, result
	dead          *prometheus.CounterVec // sink
	expired       *prometheus.CounterVec // sink
	removed       *prometheus.CounterVec // sink
	appendErrors  prometheus.Counter
	commitSeconds prometheus.Histogram
	commitEvents  prometheus.Histogram
	batches       *prometheus.HistogramVec // sink
}

type sinkMetrics struct {
	accepted, delivered    prometheus.Counter
	attempts               [Gone + 1]prometheus.Counter // by Verdict; that of zero is shared with Again
	dead, expired, removed prometheus.Counter
	batches                prometheus.Observer
}

// commitBuckets are bucket bounds in seconds.
var commitBuckets = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}

func newMetrics(r prometheus.Registerer, q *Queue) *metrics {
	f := promauto.With(r)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: "callboard_" + name, Help: help}, labels)
	}
	m := &metrics{
		accepted:  counter("deliveries_accepted_total", "Deliveries accepted: durable before the callback was answered.", "sink"),
		delivered: counter("deliveries_delivered_total", "Deliveries that their sink has taken.", "sink"),
		attempts: counter("deliveries_attempts_total",
			"Attempts that ended, by result: done, again, refused (it would only be refused again), or gone (410).", "sink", "result"),
		dead:    counter("deliveries_dead_total", "Deliveries that became dead letters.", "sink"),
		expired: counter("deliveries_expired_total", "Deliveries that became dead letters because they passed --queue-max-age.", "sink"),
		removed: counter("deliveries_removed_total", "Dead letters that were removed because they passed --queue-max-age.", "sink"),
		appendErrors: f.NewCounter(prometheus.CounterOpts{Name: "callboard_queue_append_errors_total",
			Help: "Callbacks that could not be accepted."}),
		commitSeconds: f.NewHistogram(prometheus.HistogramOpts{Name: "callboard_queue_commit_seconds",
			Help: "Time to make a batch of callbacks durable.", Buckets: commitBuckets}),
		commitEvents: f.NewHistogram(prometheus.HistogramOpts{Name: "callboard_queue_commit_events",
			Help: "Callbacks in one batch.", Buckets: prometheus.ExponentialBuckets(1, 2, 12)}),
		batches: f.NewHistogramVec(prometheus.HistogramOpts{Name: "callboard_deliveries_batch_size",
			Help: "Deliveries in one request, of sinks that get them in batches.", Buckets: prometheus.ExponentialBuckets(1, 2, 11)}, []string{"sink"}),
	}
	if r != nil {
		r.MustRegister(standing{q})
	}
	return m
}

func (m *metrics) sink(name string) *sinkMetrics {
	s := &sinkMetrics{
		accepted:  m.accepted.WithLabelValues(name),
		delivered: m.delivered.WithLabelValues(name),
		dead:      m.dead.WithLabelValues(name),
		expired:   m.expired.WithLabelValues(name),
		removed:   m.removed.WithLabelValues(name),
	}
	for v, result := range map[Verdict]string{Done: "done", Again: "again", Refused: "refused", Gone: "gone"} {
		s.attempts[v] = m.attempts.WithLabelValues(name, result)
	}
	s.attempts[0] = s.attempts[Again]
	return s
}

// batching has the sizes of a sink's batches noted; a sink without any has no series.
func (m *metrics) batching(s *sink) {
	if s.metrics.batches == nil {
		s.metrics.batches = m.batches.WithLabelValues(s.name)
	}
}

func (s *sinkMetrics) batch(size int) { s.batches.Observe(float64(size)) }

func (s *sinkMetrics) attempt(v Verdict) { s.attempts[v].Inc() }

// standing collects how things stand at the moment somebody asks.
type standing struct{ q *Queue }

var (
	deliveriesDesc = prometheus.NewDesc("callboard_deliveries",
		"Deliveries that are not done, by state: waiting, in_flight, retrying, blocked, stuck, dead.", []string{"sink", "state"}, nil)
	oldestDesc = prometheus.NewDesc("callboard_deliveries_oldest_seconds",
		"About how long ago the oldest delivery that is neither done nor dead was accepted, 0 when there is none.", []string{"sink"}, nil)
	sinkDesc = prometheus.NewDesc("callboard_deliveries_sink_state",
		"1 for the state that a sink is in: running, paused, open (its breaker), parked.", []string{"sink", "state"}, nil)
	bytesDesc  = prometheus.NewDesc("callboard_queue_bytes", "Bytes that the queue uses.", nil, nil)
	eventsDesc = prometheus.NewDesc("callboard_queue_events", "Callbacks that the queue holds.", nil, nil)
	takesDesc  = prometheus.NewDesc("callboard_queue_accepting", "1 while new callbacks are accepted.", nil, nil)
)

// Describe is for prometheus.
func (standing) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{deliveriesDesc, oldestDesc, sinkDesc, bytesDesc, eventsDesc, takesDesc} {
		out <- d
	}
}

// Collect is for prometheus.
func (c standing) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	now := c.q.now()
	for _, s := range c.q.Sinks() {
		for state, n := range map[string]int{"waiting": s.Waiting, "in_flight": s.InFlight, "retrying": s.Retrying, "blocked": s.Blocked,
			"stuck": s.Stuck, "dead": s.Dead} {
			gauge(deliveriesDesc, float64(n), s.Name, state)
		}
		age := 0.0
		if !s.Oldest.IsZero() {
			age = max(0, now.Sub(s.Oldest).Seconds())
		}
		gauge(oldestDesc, age, s.Name)
		for _, state := range []SinkState{Running, Paused, Open, Parked} {
			v := 0.0
			if s.State == state {
				v = 1
			}
			gauge(sinkDesc, v, s.Name, string(state))
		}
	}
	u := c.q.store.Usage()
	gauge(bytesDesc, float64(u.Bytes))
	gauge(eventsDesc, float64(u.Events))
	takes := 1.0
	if c.q.Healthy() != nil {
		takes = 0
	}
	gauge(takesDesc, takes)
}
