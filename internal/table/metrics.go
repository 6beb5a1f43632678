package table

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callboard/rules"
)

// metrics tells operators whether what they wrote is what serves. The first two names end as Prometheus's own do,
// for the alerts that people have.
type metrics struct {
	successful prometheus.Gauge
	timestamp  prometheus.Gauge
	rules      prometheus.Gauge
	sinks      prometheus.Gauge
	loads      *prometheus.CounterVec
	files      *prometheus.GaugeVec // read, kept
	conditions *prometheus.GaugeVec // compiled, kept
	seconds    prometheus.Gauge
	expiry     expiry
}

// newMetrics makes the metrics; a nil registerer registers nothing.
func newMetrics(r prometheus.Registerer) *metrics {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "callboard", Subsystem: "config", Name: name, Help: help})
	}
	work := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "callboard", Subsystem: "config", Name: name, Help: help}, []string{"work"})
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
		files:      work("last_load_files", "Rules files of the last load that succeeded: read, or kept because they had not changed."),
		conditions: work("last_load_conditions", "Expressions that the last load that succeeded compiled, and conditions that it kept because they had not changed."),
		seconds:    gauge("last_load_duration_seconds", "How long the last load that succeeded took, from its contents to the table that serves."),
	}
	for _, result := range []string{"loaded", "rejected", "unreadable"} {
		m.loads.WithLabelValues(result)
	}
	if r != nil {
		r.MustRegister(m.successful, m.timestamp, m.rules, m.sinks, m.loads, m.files, m.conditions, m.seconds, m.expiry.gauge())
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

func (m *metrics) worked(w rules.Work, took time.Duration) {
	m.files.WithLabelValues("read").Set(float64(w.FilesRead))
	m.files.WithLabelValues("kept").Set(float64(w.FilesKept))
	m.conditions.WithLabelValues("compiled").Set(float64(w.Compiled))
	m.conditions.WithLabelValues("kept").Set(float64(w.ConditionsKept))
	m.seconds.Set(took.Seconds())
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
