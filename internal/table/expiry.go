package table

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callboard/rules"
)

// expiry counts the rules of the serving table that nobody wants any more. They expire while the table serves, so it counts
// when it is asked.
type expiry struct {
	rules atomic.Pointer[[]*rules.Rule] // those that expire at all
}

// of takes the rules of a new table.
func (e *expiry) of(set *rules.Set) {
	var expiring []*rules.Rule
	for _, r := range set.Rules {
		if !r.Expires.IsZero() {
			expiring = append(expiring, r)
		}
	}
	e.rules.Store(&expiring)
}

func (e *expiry) count(now time.Time) (n int) {
	if list := e.rules.Load(); list != nil {
		for _, r := range *list {
			if r.Expired(now) {
				n++
			}
		}
	}
	return n
}

func (e *expiry) gauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "callboard", Subsystem: "config", Name: "rules_expired",
		Help: "Rules in the serving table whose last day (expires) is over. They still work.",
	}, func() float64 { return float64(e.count(time.Now())) })
}
