package main

import (
	"iter"
	"net/url"
	"strings"

	"callboard/internal/console"
	"callboard/internal/explain"
	"callboard/internal/journal"
)

// inputs are the callbacks to explain: of a file, recorded under an id, or a sample.
func (c explainCmd) inputs(a *app) iter.Seq2[input, error] {
	if c.Callback != "" {
		return a.inputs(c.Callback)
	}
	return func(yield func(input, error) bool) {
		if c.ID == "" {
			yield(c.sample())
			return
		}
		if c.Rules == "" { // the gateway finds it itself
			yield(input{recorded: &journal.Callback{ID: c.ID}, place: c.ID}, nil)
			return
		}
		var d console.CallbackDetail
		err := c.get(a.ctx, "/api/callbacks/"+url.PathEscape(c.ID), nil, &d)
		d.Callback.Body = d.Export.Body
		if d.Export.Body == nil {
			d.Callback.Body = d.BodyBase64
		}
		yield(input{recorded: &d.Callback, place: c.ID}, err)
	}
}

// sample is the sample of a command with the fields that were set.
func (c explainCmd) sample() (input, error) {
	if c.Command == "" {
		return input{}, usageError("as in --command beforeSendGroupMsg --set groupID=g1", "name a file, a recorded callback with --id, or the --command of a sample")
	}
	command, err := lookupCommand(c.Command)
	if err != nil {
		return input{}, err
	}
	body, err := sendCmd{Set: c.Set}.sample(command)
	return input{body: body, place: "the sample"}, err
}

// votes reads --vote and --answer. Each sink answers once.
func (c explainCmd) votes() (map[string]explain.Vote, error) {
	votes := make(map[string]explain.Vote) // sink name → vote
	add := func(arg string, read func(text string) (explain.Vote, error)) error {
		sink, text, _ := strings.Cut(arg, "=")
		if _, twice := votes[sink]; twice {
			return usageError("", "reading %s: %s answers already", arg, sink)
		}
		var err error
		votes[sink], err = read(text)
		return err
	}
	for _, arg := range c.Vote {
		err := add(arg, func(text string) (explain.Vote, error) {
			v, err := parseVote(text)
			if err != nil {
				return explain.Vote{}, usageError("as in --vote moderation=refuse:20401:no", "reading --vote %s: %w", arg, err)
			}
			return explain.Vote{Vote: v.Vote.String(), Code: v.Code, Message: v.Message, Reason: v.Reason}, nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, arg := range c.Answer {
		if err := add(arg, func(text string) (explain.Vote, error) { return explain.Vote{Answer: &text}, nil }); err != nil {
			return nil, err
		}
	}
	return votes, nil
}
