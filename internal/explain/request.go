package explain

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"callboard/internal/diag"
	"callboard/internal/journal"
	"callboard/openim"
	"callboard/rules"
)

// A Request says what to explain: a callback, recorded or as a request would bring it, and what sinks answer. What is given here
// goes before what was recorded.
type Request struct {
	ID      string          `json:"id,omitempty" doc:"Of a recorded callback; its body, and what sinks voted, are then the recorded ones."`
	Command string          `json:"command,omitempty" doc:"In any of its spellings, where the body does not name it."`
	Body    json.RawMessage `json:"body,omitempty" doc:"The callback's body."`
	Source  string          `json:"source,omitempty" doc:"The part of the request's path before the command."`
	Query   string          `json:"query,omitempty" doc:"The request's query, without the question mark."`
	Headers http.Header     `json:"headers,omitempty" doc:"Of the request. Of a recorded callback nothing is known of them unless they are given."`
	Now     time.Time       `json:"now,omitzero" doc:"What conditions read as now; absent means when it was recorded, else the current time."`
	Votes   map[string]Vote `json:"votes,omitempty" doc:"Sink to what it votes. One without allows, or votes as recorded."`
	Nearest *int            `json:"nearest,omitempty" minimum:"-1" maximum:"1000" default:"5" doc:"Of how many rules that do not match the conditions are taken apart, the nearest first; -1 for all, of a gateway 1000."`
	Rule    string          `json:"rule,omitempty" doc:"Name of a rule that is taken apart in any case."`
}

// A Vote is what a sink is taken to vote.
type Vote struct {
	Vote    string  `json:"vote,omitempty" enum:"allow,refuse,abstain,failed"`
	Code    int32   `json:"code,omitempty" doc:"Of a refusal."`
	Message string  `json:"message,omitempty" doc:"Of a refusal."`
	Reason  string  `json:"reason,omitempty" doc:"Of a failure."`
	Answer  *string `json:"answer,omitempty" doc:"In place of all that, the body that the sink answers with status 200."`
}

// usualNearest is how many near misses a Request that says nothing gets.
const usualNearest = 5

// Run explains what a request says. recorded is the callback of its ID, nil when it has none. Errors are mistakes in the request.
func (x *Explainer) Run(req Request, recorded *journal.Callback) (*Report, error) {
	c := Case{Now: req.Now, Nearest: usualNearest, Rule: req.Rule, Answers: map[string]Answer{}}
	if req.Nearest != nil {
		c.Nearest = *req.Nearest
	}
	if c.Now.IsZero() {
		c.Now = time.Now()
	}
	request := openim.Request{Path: "/" + strings.Trim(req.Source, "/"), RawQuery: req.Query, Header: http.Header{}, Body: req.Body}
	switch {
	case recorded == nil && len(req.Body) == 0:
		return nil, &Mistake{"body", errors.New("there is neither a body nor the id of a recorded callback"), ""}
	case recorded != nil:
		if err := c.recall(recorded, &request, req); err != nil {
			return nil, err
		}
	}
	for name, values := range req.Headers {
		for _, v := range values {
			request.Header.Add(name, v)
		}
	}
	if err := c.decode(request, req.Command); err != nil {
		return nil, err
	}
	if recorded != nil && recorded.Body == nil && req.Body == nil {
		c.forgetBody()
	}
	for _, name := range slices.Sorted(maps.Keys(req.Votes)) {
		answer, err := x.answer(name, req.Votes[name])
		if err != nil {
			return nil, err
		}
		c.Answers[name] = Answer{answer, Given}
	}
	if req.Rule != "" && !slices.ContainsFunc(x.set.Rules, func(r *rules.Rule) bool { return r.Name == req.Rule }) {
		return nil, x.noRule(req.Rule)
	}
	return x.Explain(c), nil
}

// decode makes the callback of a request, for which command says what the body does not.
func (c *Case) decode(request openim.Request, name string) (err error) {
	command, known := openim.Lookup(name)
	if name != "" && !known {
		return &Mistake{"command", fmt.Errorf("unknown command %q", name), suggest(openim.Suggest(name), "callboard commands lists them")}
	}
	if known {
		request.Path = strings.TrimSuffix(request.Path, "/") + "/" + command.Name
	}
	c.Callback, err = openim.Decode(request)
	if err != nil {
		return &Mistake{"body", err, "callboard send --command NAME --print prints a sample; --command says what the body does not"}
	}
	if known && c.Callback.Command != command {
		return &Mistake{"command", fmt.Errorf("the body says callbackCommand %q, which goes before %s", c.Callback.Name, name), "leave the command out"}
	}
	return nil
}

// answer reads a vote for a sink of the rules.
func (x *Explainer) answer(name string, v Vote) (openim.Answer, error) {
	at := slices.IndexFunc(x.set.Sinks, func(s *rules.Sink) bool { return s.Name == name })
	if at < 0 {
		var names []string
		for _, s := range x.set.Sinks {
			names = append(names, s.Name)
		}
		near := []string{}
		if n := diag.Nearest(name, names); n != "" {
			near = append(near, fmt.Sprintf("%q", n))
		}
		return openim.Answer{}, &Mistake{"votes." + name, fmt.Errorf("the rules have no sink %q", name), suggest(near, "the rules have "+listed(names))}
	}
	if v.Answer != nil {
		return openim.ReadAnswer(http.StatusOK, []byte(*v.Answer), x.set.Sinks[at].Dialect), nil
	}
	vote, ok := openim.ParseVote(v.Vote)
	if !ok {
		return openim.Answer{}, &Mistake{"votes." + name, fmt.Errorf("%q is no vote", v.Vote), "one of: allow, refuse, abstain, failed"}
	}
	return openim.Answer{Vote: vote, Code: v.Code, Message: v.Message, Reason: v.Reason}, nil
}

func (x *Explainer) noRule(name string) error {
	var names []string
	for _, r := range x.set.Rules {
		names = append(names, r.Name)
	}
	near := []string{}
	if n := diag.Nearest(name, names); n != "" {
		near = append(near, fmt.Sprintf("%q", n))
	}
	return &Mistake{"rule", fmt.Errorf("there is no rule %q", name), suggest(near, "")}
}

func suggest(near []string, otherwise string) string {
	if len(near) == 0 {
		return otherwise
	}
	return "did you mean " + strings.Join(near, " or ") + "?"
}

// A Mistake is what is wrong with a request.
type Mistake struct {
	Where string // member of the request
	Err   error
	Hint  string
}

// Error says what is wrong.
func (m *Mistake) Error() string { return m.Err.Error() }

// Unwrap returns the error.
func (m *Mistake) Unwrap() error { return m.Err }
