package main

import (
	"encoding/json"
	"io"

	"callboard/rules"
)

// An explanationJSON is the explanation for programs. Names are only ever added, never changed.
type explanationJSON struct {
	Command  string          `json:"command"`
	Known    bool            `json:"known"`
	Phase    string          `json:"phase"`
	Source   string          `json:"source"`
	Revision string          `json:"revision"`
	Rules    []ruleJSON      `json:"rules"`
	Asked    []askedJSON     `json:"asked"`
	Notified []notifiedJSON  `json:"notified"`
	Verdict  verdictJSON     `json:"verdict"`
	Why      string          `json:"why"`
	Notes    []string        `json:"notes"`
	Reply    json.RawMessage `json:"reply"`
}

type ruleJSON struct {
	Name    string     `json:"name"`
	File    string     `json:"file"`
	Line    int        `json:"line"`
	Matched bool       `json:"matched"`
	Reason  string     `json:"reason"`
	Error   string     `json:"error,omitempty"`
	When    string     `json:"when,omitempty"`
	Parts   []partJSON `json:"parts"`
	Await   *awaitJSON `json:"await,omitempty"`
	Notify  []string   `json:"notify,omitempty"`
}

type partJSON struct {
	Depth int    `json:"depth"`
	Text  string `json:"text"`
	Value string `json:"value"`
	Error bool   `json:"error,omitempty"`
}

type awaitJSON struct {
	Sinks    []string `json:"sinks"`
	Policy   string   `json:"policy"`
	Quorum   int      `json:"quorum,omitempty"`
	Primary  string   `json:"primary,omitempty"`
	Deadline string   `json:"deadline,omitempty"`
}

type askedJSON struct {
	Sink    string `json:"sink"`
	Vote    string `json:"vote"`
	Code    int32  `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Counted bool   `json:"counted"` // false: the verdict did not wait for it
	Assumed bool   `json:"assumed"` // true: no --vote or --answer for it
}

type notifiedJSON struct {
	Sink  string   `json:"sink"`
	Key   string   `json:"key,omitempty"` // of its order, absent where there is none
	Rules []string `json:"rules"`
}

type verdictJSON struct {
	Refuse    bool   `json:"refuse"`
	Code      int32  `json:"code,omitempty"`
	Message   string `json:"message,omitempty"`
	DecidedBy string `json:"decided_by,omitempty"`
}

// writeJSON prints the explanation for programs.
func (e explanation) writeJSON(w io.Writer) error {
	t := e.trace
	j := explanationJSON{
		Command: e.cb.Name, Known: e.cb.Command != nil, Phase: e.cb.Phase().String(), Source: e.cb.Source,
		Revision: e.set.Revision, Rules: []ruleJSON{}, Asked: []askedJSON{}, Notified: []notifiedJSON{}, Why: t.Why,
		Notes: append([]string{}, t.Notes...), Reply: t.Reply,
		Verdict: verdictJSON{Refuse: t.Verdict.Refuse, Code: t.Verdict.Code, Message: t.Verdict.Message, DecidedBy: t.DecidedBy},
	}
	for _, r := range e.rules {
		j.Rules = append(j.Rules, ruleToJSON(r))
	}
	for _, s := range t.Asked {
		asked := askedJSON{Sink: s.Sink, Counted: s.Done, Assumed: !e.voted[s.Sink], Reason: s.Answer.Reason}
		if s.Done {
			asked.Vote, asked.Code, asked.Message = s.Answer.Vote.String(), s.Answer.Code, s.Answer.Message
		}
		j.Asked = append(j.Asked, asked)
	}
	for _, n := range t.Notified {
		j.Notified = append(j.Notified, notifiedJSON{Sink: n.Sink, Key: n.Key, Rules: n.Rules})
	}
	return writeJSON(w, j)
}

func ruleToJSON(e rules.Explanation) ruleJSON {
	j := ruleJSON{
		Name: e.Rule.Name, File: e.Rule.File, Line: e.Rule.Line, Matched: e.Matched, Reason: e.Reason,
		When: e.Rule.When, Parts: []partJSON{}, Notify: e.Rule.Notify,
	}
	if e.Err != nil {
		j.Error = e.Err.Error()
	}
	for _, p := range e.Parts {
		j.Parts = append(j.Parts, partJSON{Depth: p.Depth, Text: p.Text, Value: p.Value, Error: p.Err})
	}
	if a := e.Rule.Await; a != nil {
		j.Await = &awaitJSON{Sinks: a.Sinks, Policy: policyNames[a.Policy.Kind], Quorum: a.Policy.N, Primary: a.Policy.Primary}
		if a.Deadline > 0 {
			j.Await.Deadline = a.Deadline.String()
		}
	}
	return j
}
