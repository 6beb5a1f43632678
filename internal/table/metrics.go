package table

import "github.com/prometheus/client_golang/prometheus"

// metrics tells operators whether what they wrote is what serves. The first two names end as Prometheus's own do,
// for the alerts that people have.
type metrics struct {
	successful prometheus.Gauge
	timestamp  prometheus.Gauge
	rules      prometheus.Gauge
	sinks      prometheus.Gauge
	loads      *prometheus.CounterVec
}

// newMetrics makes the metrics; a nil registerer registers nothing.
func newMetrics(r prometheus.Registerer) *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "callboard", Subsystem: "config", Name: name, Help: help})
	}
	m := &metrics{
		successful: gauge("last_reload_successful", "Whether the rules folder's contents are what serves (1) or could not be used (0)."),
		timestamp:  gauge("last_reload_success_timestamp_seconds", "When the serving table was loaded."),
		rules:      gauge("rules", "Rules in the serving table."),
		sinks:      gauge("sinks", "Sinks in the serving table."),
		loads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "callboard", Subsystem: "config", Name: "reloads_total",
			Help: "Changes of the rules folder, by what came of them: loaded, rejected for its diagnostics, or unreadable.",
		}, []string{"result"}),
	}
	for _, result := range []string{"loaded", "rejected", "unreadable"} {
		m.loads.WithLabelValues(result)
	}
	if r != nil {
		r.MustRegister(m.successful, m.timestamp, m.rules, m.sinks, m.loads)
	}
	return m
}

func (m *metrics) accepted(rules, sinks int) {
	m.loads.WithLabelValues("loaded").Inc()
	m.successful.Set(1)
	m.timestamp.SetToCurrentTime()
	m.rules.Set(float64(rules))
	m.sinks.Set(float64(sinks))
}

func (m *metrics) rejected() {
	m.loads.WithLabelValues("rejected").Inc()
	m.successful.Set(0)
}

func (m *metrics) unreadable() {
	m.loads.WithLabelValues("unreadable").Inc()
	m.successful.Set(0)
}

// readable follows unreadable when the folder is back with contents known already.
func (m *metrics) readable(serving bool) {
	if serving {
		m.successful.Set(1)
	}
}
