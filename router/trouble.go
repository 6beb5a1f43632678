package router

import (
	"errors"
	"io"
	"net/http"

	"callboard/openim"
)

// A trouble is a reason why a request could not be handled as a callback. Each gets what
// RefuseOnTrouble says, in a reply that IMServer can read.
type trouble string

const (
	wrongMethod trouble = "wrong_method"
	tooLarge    trouble = "too_large"
	unreadable  trouble = "unreadable_body"
	noTable     trouble = "no_rules"
	overloaded  trouble = "overloaded"
	panicked    trouble = "panic"
	looping     trouble = "loop"
	unfinished  trouble = "repeat_unfinished"
	queueFull   trouble = "queue_full"
	queueFailed trouble = "queue_failed"
)

// troubles are the kinds found here; openim.DecodeErrorKinds are the others.
var troubles = []trouble{wrongMethod, tooLarge, unreadable, noTable, overloaded, panicked, looping, unfinished, queueFull, queueFailed}

// decodeTrouble returns the kind of an error from openim.Decode.
func decodeTrouble(err error) trouble {
	if d, ok := errors.AsType[*openim.DecodeError](err); ok {
		return trouble(d.Kind)
	}
	return unreadable
}

// verdictOn returns what a callback in trouble gets.
func (g *Gateway) verdictOn(kind trouble, detail string) openim.Verdict {
	if !g.o.RefuseOnTrouble {
		return openim.Verdict{}
	}
	return openim.Verdict{Refuse: true, Code: CodeTrouble, Message: "the request could not be checked", Detail: string(kind) + ": " + detail}
}

// trustedLength is how much memory a request gets for a length that it merely announces.
const trustedLength = 64 << 10

// read reads the body within the bound. IMServer always sends a length, so that one allocation does for all but the
// largest; those get memory as they arrive, or idle connections could claim MaxBody each.
func (g *Gateway) read(r *http.Request) ([]byte, trouble, error) {
	if r.Method != http.MethodPost {
		return nil, wrongMethod, errors.New("callbacks are POSTed; this was " + r.Method)
	}
	if r.ContentLength > g.o.MaxBody {
		return nil, tooLarge, errors.New("the body is over the limit")
	}
	if r.ContentLength >= 0 && r.ContentLength <= trustedLength {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, unreadable, errors.New("the body ended early or came too slowly")
		}
		return body, "", nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, g.o.MaxBody+1))
	switch {
	case err != nil:
		return nil, unreadable, errors.New("the body ended early or came too slowly")
	case int64(len(body)) > g.o.MaxBody:
		return nil, tooLarge, errors.New("the body is over the limit")
	}
	return body, "", nil
}
