package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"callboard/internal/explain"
	"callboard/internal/journal"
)

// An Explainer tells what the rules that serve make of a callback; recorded is the one that the request names by its id, or nil.
// Mistakes in the request are *explain.Mistake.
type Explainer func(request explain.Request, recorded *journal.Callback) (*explain.Report, error)

type explainInput struct {
	unhurried
	Body explain.Request
}

type explainRecordedInput struct {
	unhurried
	ID      string `path:"id"`
	Nearest int    `query:"nearest" minimum:"-1" maximum:"1000" default:"5" doc:"Of how many rules that do not match the conditions are taken apart; -1 for as many as may be, 1000."`
	Rule    string `query:"rule" doc:"Name of a rule that is taken apart in any case."`
}

func (c *console) addExplain(api huma.API) {
	op := post("/api/explain", "explain-callback", "Tell what the rules that serve make of a callback, and why; nobody is asked")
	op.MaxBodyBytes = maxExplained
	huma.Register(api, op, func(ctx context.Context, in *explainInput) (*output[*explain.Report], error) {
		return c.explain(ctx, in.Body)
	})
	op = get("/api/explain/{id}", "explain-recorded-callback", "Tell it of a recorded callback, with the votes that were recorded")
	huma.Register(api, op, func(ctx context.Context, in *explainRecordedInput) (*output[*explain.Report], error) {
		return c.explain(ctx, explain.Request{ID: in.ID, Nearest: &in.Nearest, Rule: in.Rule})
	})
}

// maxExplained bounds a request to explain, in bytes: it has a callback in it.
const maxExplained = 16 << 20

// mostNearest bounds how many near misses one request has taken apart: of a hundred thousand they would fill gigabytes.
const mostNearest = 1000

// explain finds the recorded callback and explains. One request at a time does: callbacks need the other cores.
func (c *console) explain(ctx context.Context, request explain.Request) (*output[*explain.Report], error) {
	var recorded *journal.Callback
	if request.ID != "" {
		var err error
		if recorded, _, err = c.recorded(ctx, request.ID); err != nil {
			return nil, err
		}
	}
	if request.Nearest != nil && *request.Nearest < 0 {
		most := mostNearest
		request.Nearest = &most
	}
	select {
	case c.explaining <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.explaining }()
	report, err := c.Explain(request, recorded)
	if mistake, ok := errors.AsType[*explain.Mistake](err); ok {
		return nil, unprocessable("body."+mistake.Where, "", err, mistake.Hint)
	}
	if err != nil {
		return nil, newProblem(http.StatusConflict, err.Error(), "GET /readyz tells how the rules stand")
	}
	return &output[*explain.Report]{report}, nil
}

// recorded gets a callback from the journal.
func (c *console) recorded(ctx context.Context, id string) (*journal.Callback, []journal.Attempt, error) {
	if c.Journal == nil {
		return nil, nil, errNoJournal
	}
	cb, attempts, err := c.Journal.Get(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		return nil, nil, newProblem(http.StatusNotFound, "the journal has no callback "+id,
			"the journal keeps what --journal-max-age and --journal-max-bytes let it; GET /api/callbacks lists")
	}
	if err != nil {
		return nil, nil, problem(err)
	}
	return cb, attempts, nil
}
