package router

import (
	"net/http"
	"time"

	"callboard/openim"
	"callboard/rules"
	"callboard/sinks"
)

// A staleVotes is an Asker that has kept votes, as *sinks.Sink may.
type staleVotes interface {
	// Stale returns at once with a vote that stands in for one that is out, and whether there is one.
	Stale(r sinks.Request, failure string) (sinks.Result, bool)
}

// shaped is what one sink's request has of its own.
type shaped struct {
	body    []byte
	headers http.Header
	key     string // of its vote
}

// shape makes what is computed for each sink, before anybody is asked: the callback is read by one goroutine at a time. A
// sink whose body cannot be made has failed and is not asked.
func (c *call) shape(now time.Time) {
	for i := range c.asks {
		a := &c.asks[i]
		if a.sink.shaper == nil {
			continue
		}
		if err := c.shapeAsk(a, now); err != nil {
			c.arrive(i, sinks.Result{Sink: a.sink.name, Answer: openim.Answer{Reason: "not asked: " + err.Error()}})
		}
	}
}

func (c *call) shapeAsk(a *ask, now time.Time) error {
	a.shaped = &shaped{body: c.cb.Body}
	if a.sink.shaper.Shapes() {
		s, err := a.sink.shaper.Shape(c.cb, now)
		for _, note := range s.Notes {
			c.notes = append(c.notes, a.sink.name+": "+note)
		}
		if err != nil {
			return err
		}
		a.shaped.body, a.shaped.headers = s.Body, HeadersOf(s)
	}
	var err error
	if a.shaped.key, err = a.sink.shaper.VoteKey(c.cb); err != nil {
		c.notes = append(c.notes, a.sink.name+": its vote is not kept: the key of its cache failed: "+err.Error())
	}
	return nil
}

// HeadersOf returns computed headers as requests carry them, nil for none.
func HeadersOf(s rules.Shaped) http.Header {
	if len(s.Headers) == 0 {
		return nil
	}
	headers := make(http.Header, len(s.Headers))
	for _, h := range s.Headers {
		headers[h.Name] = []string{h.Value}
	}
	return headers
}

// request returns what the sink is sent, given what is common to all.
func (a *ask) request(common sinks.Request) sinks.Request {
	if a.shaped != nil {
		common.Body, common.Headers, common.Key = a.shaped.body, a.shaped.headers, a.shaped.key
	}
	return common
}

// stale returns the kept vote that stands in for one that is out at its deadline.
func (a *ask) stale(command, source string) (sinks.Result, bool) {
	if a.shaped == nil || a.shaped.key == "" || a.sink.stale == nil {
		return sinks.Result{}, false
	}
	return a.sink.stale.Stale(sinks.Request{Command: command, Source: source, Key: a.shaped.key}, tooLate)
}
