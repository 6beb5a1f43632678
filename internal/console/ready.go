package console

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"callboard/internal/table"
)

// readiness is the answer of /readyz and /api/reload.
type readiness struct {
	Status string       `json:"status" enum:"ready,degraded,no_rules,draining"`
	Rules  rulesStatus  `json:"rules"`
	Queue  *queueStatus `json:"queue,omitempty" doc:"Absent without a data folder."`
	// Candidate never changes Status: what serves is well.
	Candidate *CandidateBrief `json:"candidate,omitempty" doc:"Absent without serve --shadow."`
}

// queueStatus tells whether notifications can be accepted.
type queueStatus struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"` // why not
}

// rulesStatus is table.Status on the wire.
type rulesStatus struct {
	Revision    string       `json:"revision"` // of the serving table, "" when there is none
	LoadedAt    *time.Time   `json:"loaded_at,omitempty"`
	CheckedAt   *time.Time   `json:"checked_at,omitempty"`
	Rules       int          `json:"rules"`
	Sinks       int          `json:"sinks"`
	Current     bool         `json:"current"` // whether the folder's contents are what serves
	Error       string       `json:"error,omitempty"`
	Diagnostics []diagnostic `json:"diagnostics"`
}

// diagnostic is diag.Diagnostic on the wire, without the line's text: probes end up in many a log.
type diagnostic struct {
	Severity string `json:"severity"`
	ID       string `json:"id"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Col      int    `json:"col"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	Owner    string `json:"owner,omitempty"`
}

// ready answers 200 also when the folder's contents were rejected, since the table before them serves, and when the queue
// accepts nothing: verdicts are given all the same, and taking the last gateway away would refuse users' actions.
func (c *console) ready(w http.ResponseWriter, _ *http.Request) {
	r := c.readiness()
	status := http.StatusOK
	if r.Status == "no_rules" || r.Status == "draining" {
		status = http.StatusServiceUnavailable
	}
	c.write(w, status, r)
}

// A reloaded is the answer of POST /api/reload.
type reloaded struct {
	Status int
	Body   readiness
}

func (c *console) addReload(api huma.API) {
	op := post("/api/reload", "reload-rules", "Read the rules folder now")
	op.Description = "200 when its contents are what serves, 422 when they were rejected; the details say why."
	huma.Register(api, op, c.reload)
}

// reload answers when the folder has been read, so that a deployment that posts here learns what came of it.
func (c *console) reload(context.Context, *struct{}) (*reloaded, error) {
	r := &reloaded{Status: http.StatusOK}
	if _, err := c.Reload(); err != nil {
		r.Status = http.StatusUnprocessableEntity
	}
	r.Body = c.readiness()
	return r, nil
}

func (c *console) readiness() readiness {
	s := c.Status()
	r := readiness{Status: "ready", Rules: onWire(s)}
	if c.Queue != nil {
		r.Queue = &queueStatus{OK: true}
		if err := c.Queue.Healthy(); err != nil {
			r.Queue = &queueStatus{Reason: err.Error()}
		}
	}
	if c.Candidate != nil {
		brief := briefly(c.Candidate.Shadow.Status(), c.Candidate.Status())
		r.Candidate = &brief
	}
	switch {
	case c.Draining():
		r.Status = "draining"
	case s.LoadedAt.IsZero():
		r.Status = "no_rules"
	case r.Queue != nil && !r.Queue.OK:
		r.Status = "degraded"
	}
	return r
}

func onWire(s table.Status) rulesStatus {
	r := rulesStatus{
		Revision:    s.Revision,
		LoadedAt:    timeOrNil(s.LoadedAt),
		CheckedAt:   timeOrNil(s.CheckedAt),
		Rules:       s.Rules,
		Sinks:       s.Sinks,
		Current:     s.Current,
		Error:       s.Err,
		Diagnostics: []diagnostic{},
	}
	for _, d := range s.Diagnostics {
		r.Diagnostics = append(r.Diagnostics, diagnostic{d.Severity.String(), d.ID, d.File, d.Line, d.Col, d.Message, d.Hint, d.Owner})
	}
	return r
}

// timeOrNil is nil for the zero time, which would read as the year 1.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
