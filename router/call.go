package router

import (
	"sync"
	"time"

	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// Refusal codes of Callboard's own, in the range that IMServer leaves to business code.
const (
	// CodeFailed refuses because a sink failed and on_failure says refuse.
	CodeFailed = 20002
	// CodeNotMet refuses because too few sinks allowed, though none that decided refused.
	CodeNotMet = 20003
	// CodeConflict refuses because sinks set the same reply field differently and merge says refuse.
	CodeConflict = 20004
	// CodeTrouble refuses what could not be handled, under --on-trouble refuse.
	CodeTrouble = 20005
)

// A call is one callback between its plan and its verdict. It belongs to one goroutine; what
// requests to sinks bring back reaches it as values.
type call struct {
	cb      *openim.Callback
	phase   openim.Phase
	matched []matched
	asks    []ask // each sink once, however many rules await it
	arrived int   // results in hand
	budget  time.Time
	notes   []string // about what was shaped

	ballots []Ballot // where those of matched are
	places  []int    // where their asks are
}

// calls are used again: what they hold is small, and gone with the answer.
var calls = sync.Pool{New: func() any { return new(call) }}

func newCall(cb *openim.Callback, budget time.Time) *call {
	c := calls.Get().(*call)
	c.cb, c.phase, c.budget, c.arrived = cb, cb.Phase(), budget, 0
	return c
}

// release gives the call back, without anything that it knew.
func (c *call) release() {
	clear(c.matched)
	clear(c.asks)
	clear(c.ballots)
	*c = call{matched: c.matched[:0], asks: c.asks[:0], ballots: c.ballots[:0], places: c.places[:0]}
	calls.Put(c)
}

// matched is a rule that takes part.
type matched struct {
	rule     *preparedRule
	ballots  []Ballot // of an await that was begun, parallel to rule.sinks
	asks     []int    // parallel to ballots: places in call.asks
	deadline time.Time
	outcome  Outcome
	decided  int // the arrival with which the outcome was certain, 0 before
	by       int // ballot that decided, or -1
}

// ask is one sink's part in the call.
type ask struct {
	sink     *preparedSink
	deadline time.Time // the latest of the rules that await it
	linger   bool
	until    time.Time // when the request ends
	leash    *leash
	result   sinks.Result
	done     bool
	late     bool    // whether a rule's deadline came first
	shaped   *shaped // nil: the request is as the others
}

// begin sets up the ballots of the matching rules. A before-callback that a rule refuses by itself
// asks nobody: no vote could change it.
func (c *call) begin(t *prepared, plan rules.Plan, start time.Time) {
	refused := false
	for _, r := range plan.Matched {
		c.matched = append(c.matched, matched{rule: t.rule(r), by: -1})
		refused = refused || r.Reply != nil && r.Reply.Refuse
	}
	if refused && c.phase == openim.Before {
		return
	}
	for i := range c.matched {
		if c.matched[i].rule.Await != nil {
			c.await(&c.matched[i], start)
		}
	}
}

func (c *call) await(m *matched, start time.Time) {
	r := m.rule
	m.deadline = c.budget
	if d := start.Add(r.Await.Deadline); r.Await.Deadline > 0 && d.Before(m.deadline) {
		m.deadline = d
	}
	linger := lingers(r.Rule, c.phase)
	first := len(c.ballots)
	for _, s := range r.sinks {
		c.ballots = append(c.ballots, Ballot{Sink: s.name, Failure: failure(r.Rule, s.name, c.phase)})
		c.places = append(c.places, c.ask(s, m.deadline, linger))
	}
	m.ballots, m.asks = c.ballots[first:], c.places[first:]
}

// ask returns the place of a sink among the asks, joining one that another rule began.
func (c *call) ask(s *preparedSink, deadline time.Time, linger bool) int {
	for i := range c.asks {
		if a := &c.asks[i]; a.sink == s {
			a.linger = a.linger || linger
			if deadline.After(a.deadline) {
				a.deadline = deadline
			}
			return i
		}
	}
	c.asks = append(c.asks, ask{sink: s, deadline: deadline, linger: linger})
	return len(c.asks) - 1
}

// arrive takes in a sink's result and lets the rules that wait for it decide. What comes after an old vote has stood in is
// for the sink's cache alone.
func (c *call) arrive(place int, r sinks.Result) {
	if c.asks[place].done {
		return
	}
	c.arrived++
	c.asks[place].sink.metrics.used(r.Cache)
	c.asks[place].result, c.asks[place].done = r, true
	for i := range c.matched {
		m := &c.matched[i]
		for j, p := range m.asks {
			if b := &m.ballots[j]; p == place && b.Arrived == 0 && !b.Late {
				b.Arrived, b.Vote = c.arrived, r.Answer.Vote
			}
		}
		m.tally()
	}
}

// expire closes the rules whose deadline has come: votes that are out have failed.
func (c *call) expire(now time.Time) {
	for i := range c.matched {
		m := &c.matched[i]
		if !m.waits() || now.Before(m.deadline) {
			continue
		}
		for j := range m.ballots {
			b, place := &m.ballots[j], m.asks[j]
			if b.Arrived > 0 {
				continue
			}
			if old, ok := c.asks[place].stale(c.cb.Name, c.cb.Source); ok {
				c.arrive(place, old)
				continue
			}
			b.Arrived, b.Vote, b.Late = len(c.asks)+1, openim.Failed, true
			c.asks[place].late = true
		}
		m.tally()
	}
}

// waits reports whether the rule's outcome still depends on votes that are out.
func (m *matched) waits() bool { return len(m.ballots) > 0 && m.outcome == Undecided }

func (m *matched) tally() {
	if !m.waits() {
		return
	}
	m.outcome, m.by = Tally(m.rule.Await.Policy, m.ballots)
	if m.outcome == Undecided {
		return
	}
	for i := range m.ballots {
		m.decided = max(m.decided, m.ballots[i].Arrived)
	}
}

// next returns the deadline that comes first among the rules that wait, and whether the answer has
// to wait at all: one refusal settles it.
func (c *call) next() (deadline time.Time, wait bool) {
	for i := range c.matched {
		m := &c.matched[i]
		if m.refuses() {
			return time.Time{}, false
		}
		if m.waits() && (!wait || m.deadline.Before(deadline)) {
			deadline, wait = m.deadline, true
		}
	}
	return deadline, wait
}

// refuses reports whether the rule has refused, by itself or through its sinks. On an after-callback
// a rule's own refusal would only be noise; rules files are warned of it.
func (m *matched) refuses() bool {
	return m.outcome == Refused || m.ownRefusal()
}

func (m *matched) ownRefusal() bool { return m.rule.Reply != nil && m.rule.Reply.Refuse }
