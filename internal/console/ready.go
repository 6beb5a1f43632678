package console

import (
	"net/http"
	"time"

	"callboard/internal/table"
)

// readiness is the answer of /readyz and /api/reload.
type readiness struct {
	Status string      `json:"status"` // ready, no_rules, draining
	Rules  rulesStatus `json:"rules"`
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
}

// ready answers 200 also when the folder's contents were rejected: the table before them serves.
func (c console) ready(w http.ResponseWriter, _ *http.Request) {
	r := c.readiness()
	status := http.StatusOK
	if r.Status != "ready" {
		status = http.StatusServiceUnavailable
	}
	c.write(w, status, r)
}

// reload answers when the folder has been read, so that a deployment that posts here learns what came of it.
func (c console) reload(w http.ResponseWriter, _ *http.Request) {
	status := http.StatusOK
	if _, err := c.Reload(); err != nil {
		status = http.StatusUnprocessableEntity // the details say why
	}
	c.write(w, status, c.readiness())
}

func (c console) readiness() readiness {
	s := c.Status()
	r := readiness{Status: "ready", Rules: onWire(s)}
	switch {
	case c.Draining():
		r.Status = "draining"
	case s.LoadedAt.IsZero():
		r.Status = "no_rules"
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
		r.Diagnostics = append(r.Diagnostics, diagnostic{d.Severity.String(), d.ID, d.File, d.Line, d.Col, d.Message, d.Hint})
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
