package console

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"callboard/internal/diag"
	"callboard/internal/queue"
)

// A Sink is how one sink stands.
type Sink struct {
	Name     string     `json:"name"`
	State    string     `json:"state" enum:"running,paused,open,parked" doc:"Open: its breaker is, it failed too often. Parked: no rules file defines it any more, but it has deliveries."`
	Why      string     `json:"why,omitempty" doc:"Of paused and open."`
	Since    *time.Time `json:"since,omitempty" doc:"When it got into this state."`
	InFlight int        `json:"in_flight" doc:"Attempts under way."`
	Waiting  int        `json:"waiting" doc:"Deliveries that wait for their turn."`
	Retrying int        `json:"retrying"`
	Blocked  int        `json:"blocked" doc:"Behind another with the same key."`
	Stuck    int        `json:"stuck"`
	Dead     int        `json:"dead"`
	Oldest   *time.Time `json:"oldest,omitempty" doc:"About when the oldest delivery that is not dead was accepted."`
}

// A SinkList holds all sinks, by name.
type SinkList struct {
	Items []Sink `json:"items"`
}

// A Pause says why.
type Pause struct {
	Why string `json:"why,omitempty" maxLength:"500" doc:"For people who find the sink paused."`
}

type pauseInput struct {
	Name string `path:"name"`
	Body *Pause
}

type sinkInput struct {
	Name string `path:"name"`
}

func (c *console) addSinks(api huma.API) {
	huma.Register(api, get("/api/sinks", "list-sinks", "List sinks and what waits for them"), c.listSinks)
	huma.Register(api, post("/api/sinks/{name}/pause", "pause-sink", "Hold a sink's deliveries, in order, until it is resumed"), c.pauseSink)
	huma.Register(api, post("/api/sinks/{name}/resume", "resume-sink", "End a pause"), c.resumeSink)
}

func sinkOf(s queue.SinkStatus) Sink {
	return Sink{
		Name: s.Name, State: string(s.State), Why: s.Why, Since: timeOrNil(s.Since.UTC()), InFlight: s.InFlight, Waiting: s.Waiting,
		Retrying: s.Retrying, Blocked: s.Blocked, Stuck: s.Stuck, Dead: s.Dead, Oldest: timeOrNil(s.Oldest.UTC()),
	}
}

func (c *console) listSinks(context.Context, *struct{}) (*output[SinkList], error) {
	if c.Queue == nil {
		return nil, errNoQueue
	}
	list := SinkList{Items: []Sink{}}
	for _, s := range c.Queue.Sinks() {
		list.Items = append(list.Items, sinkOf(s))
	}
	return &output[SinkList]{list}, nil
}

// byHand is why a sink is paused when nobody says why.
const byHand = "paused by hand"

func (c *console) pauseSink(ctx context.Context, in *pauseInput) (*output[Sink], error) {
	why := byHand
	if in.Body != nil && in.Body.Why != "" {
		why = in.Body.Why
	}
	s, err := c.changeSink(in.Name, func() error { return c.Queue.Pause(ctx, in.Name, why) })
	if err == nil {
		c.Log.Warn("sink paused by hand", "sink", in.Name, "why", why)
	}
	return s, err
}

func (c *console) resumeSink(ctx context.Context, in *sinkInput) (*output[Sink], error) {
	s, err := c.changeSink(in.Name, func() error { return c.Queue.Resume(ctx, in.Name) })
	if err == nil {
		c.Log.Info("sink resumed by hand", "sink", in.Name)
	}
	return s, err
}

// changeSink makes a change to a sink that there is, and tells how it stands then.
func (c *console) changeSink(name string, change func() error) (*output[Sink], error) {
	if c.Queue == nil {
		return nil, errNoQueue
	}
	if _, err := c.sink(name); err != nil {
		return nil, err
	}
	if err := change(); err != nil {
		return nil, problem(err)
	}
	s, err := c.sink(name)
	if err != nil {
		return nil, err
	}
	return &output[Sink]{sinkOf(s)}, nil
}

// sink finds a sink, or says which one was probably meant.
func (c *console) sink(name string) (queue.SinkStatus, error) {
	var names []string
	for _, s := range c.Queue.Sinks() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	hint := "GET /api/sinks lists them"
	if near := diag.Nearest(name, names); near != "" {
		hint = `did you mean "` + near + `"?`
	}
	return queue.SinkStatus{}, newProblem(http.StatusNotFound, `neither rules nor deliveries name a sink "`+name+`"`, hint)
}
