package soak

import (
	"fmt"
	"sync"
	"time"
)

// A message is one callback of the load: the number-th of its group.
type message struct {
	group  string
	number int
}

func (m message) id() string { return fmt.Sprintf("%s-%d", m.group, m.number) }

// An oracle knows what was acknowledged and what each sink got, and judges.
type oracle struct {
	mu       sync.Mutex // guards what follows
	acked    map[message]bool
	sinks    map[string]*seen
	problems []string
}

// seen is what one sink got.
type seen struct {
	taken   map[message]int // message → how often the sink took it
	latest  map[string]int  // group → the highest number so far
	ids     map[message]string
	changed time.Time
}

func newOracle(sinks ...string) *oracle {
	o := &oracle{acked: map[message]bool{}, sinks: map[string]*seen{}}
	for _, name := range sinks {
		o.sinks[name] = &seen{taken: map[message]int{}, latest: map[string]int{}, ids: map[message]string{}}
	}
	return o
}

func (o *oracle) ack(m message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acked[m] = true
}

// take notes that a sink has taken a message. What comes for the first time must be later than all that its group has
// had; anything else is a repeat.
func (o *oracle) take(sink, deliveryID string, m message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.sinks[sink]
	s.changed = time.Now()
	if s.taken[m]++; s.taken[m] > 1 {
		if s.ids[m] != deliveryID {
			o.problems = append(o.problems, fmt.Sprintf("%s: %s came as %s, then as %s", sink, m.id(), s.ids[m], deliveryID))
		}
		return
	}
	s.ids[m] = deliveryID
	if m.number < s.latest[m.group] {
		o.problems = append(o.problems, fmt.Sprintf("%s: %s came after number %d", sink, m.id(), s.latest[m.group]))
	}
	s.latest[m.group] = max(s.latest[m.group], m.number)
}

// missing returns how many acknowledged messages sinks have not got, and one of them.
func (o *oracle) missing() (n int, example string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, s := range o.sinks {
		for m := range o.acked {
			if s.taken[m] == 0 {
				n++
				example = name + " lacks " + m.id()
			}
		}
	}
	return n, example
}

// quietFor returns how long no sink has taken anything.
func (o *oracle) quietFor() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	var latest time.Time
	for _, s := range o.sinks {
		if s.changed.After(latest) {
			latest = s.changed
		}
	}
	return time.Since(latest)
}

// duplicates counts what a sink got again.
func (o *oracle) duplicates(sink string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, times := range o.sinks[sink].taken {
		n += times - 1
	}
	return n
}
