package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"callboard/internal/journal"
	"callboard/internal/queue"
)

// A Problem is what an operation answers when it fails: problem details (RFC 9457) and what would help.
type Problem struct {
	huma.ErrorModel
	Hint string `json:"hint,omitempty" doc:"What would be right, or help."`
}

func newProblem(status int, detail, hint string) *Problem {
	return &Problem{
		ErrorModel: huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail},
		Hint:       hint,
	}
}

// Huma makes its own errors by this variable, which is its documented way to give them another type.
func init() {
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		p := newProblem(status, detail, "")
		for _, err := range errs {
			if err != nil {
				p.Add(err)
			}
		}
		if status == http.StatusUnprocessableEntity || status == http.StatusBadRequest {
			p.Hint = "GET /api/openapi.json tells what each operation takes"
		}
		return p
	}
}

// What is asked for is off. A conflict, since the request is right and the gateway's state is not.
var (
	errNoQueue   = newProblem(http.StatusConflict, "this gateway keeps no deliveries: it has no data folder", "start serve with --data DIR")
	errNoJournal = newProblem(http.StatusConflict, "this gateway keeps no journal", "start serve with --data DIR, and with --journal-max-age above 0")
)

// problem turns an error of queue or journal into an answer.
func problem(err error) error {
	switch {
	case errors.Is(err, queue.ErrNotFound), errors.Is(err, journal.ErrNotFound):
		return newProblem(http.StatusNotFound, err.Error(), "")
	case errors.Is(err, queue.ErrClosed), errors.Is(err, journal.ErrClosed):
		return newProblem(http.StatusServiceUnavailable, err.Error(), "the gateway is shutting down")
	case errors.Is(err, queue.ErrFull):
		return newProblem(http.StatusInsufficientStorage, err.Error(), "there is room again when deliveries succeed, are discarded or expire")
	case errors.Is(err, context.Canceled):
		return newProblem(http.StatusServiceUnavailable, err.Error(), "")
	}
	return newProblem(http.StatusInternalServerError, err.Error(), "the gateway's log may say more")
}

// unprocessable is the answer to a value that cannot be read. The path says where, as in query.since.
func unprocessable(path, value string, err error, hint string) error {
	p := newProblem(http.StatusUnprocessableEntity, path+": "+err.Error(), hint)
	p.Errors = []*huma.ErrorDetail{{Message: err.Error(), Location: path, Value: value}}
	return p
}
